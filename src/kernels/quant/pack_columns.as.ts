/** Rows of a piece; the wrapper has the same number. */
const ROWS: u32 = 32;

/** Signed bytes packed along the columns, four columns at a time. Pieces: 32 rows. */
export function pack_columns(uniforms: usize, bits: u32, values: usize, packed: usize, begin: u32, end: u32): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  for (let band = begin; band < end; band++) {
    const first = band * ROWS;
    const last = min(first + ROWS, rows);
    const place = packed + (<usize>(band * bits * cols) << 2);
    let column: u32 = 0;
    for (; column + 4 <= cols; column += 4) {
      packFours(values + first * cols + column, values + last * cols + column, place + (<usize>column << 2), cols, bits);
    }
    for (; column < cols; column++) {
      packOne(values + first * cols + column, values + last * cols + column, place + (<usize>column << 2), cols, bits);
    }
  }
}

@inline
function packFours(from: usize, end: usize, to: usize, cols: u32, bits: u32): void {
  const offset = i32x4.splat(1 << (bits - 1));
  const mask = i32x4.splat((1 << bits) - 1);
  let words = i64x2.splat(0);
  let filled: u32 = 0;
  for (; from < end; from += cols) {
    const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(from)));
    const fields = v128.and(i32x4.add(bytes, offset), mask);
    words = v128.or(words, i32x4.shl(fields, filled));
    filled += bits;
    if (filled >= 32) {
      v128.store(to, words);
      to += <usize>cols << 2;
      filled -= 32;
      words = i32x4.shr_u(fields, bits - filled);
    }
  }
  if (filled > 0) v128.store(to, words);
}

@inline
function packOne(from: usize, end: usize, to: usize, cols: u32, bits: u32): void {
  let word: u64 = 0;
  let filled: u32 = 0;
  for (; from < end; from += cols) {
    word |= <u64>((<u32>load<u8>(from) + (1 << (bits - 1))) & ((1 << bits) - 1)) << filled;
    filled += bits;
    if (filled >= 32) {
      store<u32>(to, <u32>word);
      to += <usize>cols << 2;
      filled -= 32;
      word >>= 32;
    }
  }
  if (filled > 0) store<u32>(to, <u32>word);
}
