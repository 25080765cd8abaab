import { scratch } from "../assembly/scratch.as";

/** Columns of a piece: of 128 rows of the factor they fill half of the scratch memory. The wrapper has the same number. */
const COLUMNS: u32 = 16;
const STRIDE: usize = COLUMNS << 2;

/** Columns of `errors`; `block.ts` has the same number. */
const ERROR_STRIDE: usize = 128 << 2;

/** Sums of a tile, before each goes to its own column. */
const SUMS: usize = 128 * STRIDE;

/** Takes errors · U from the columns after a block. Pieces: 16 columns of the order. */
export function trailing_update(
  uniforms: usize,
  errors: usize,
  order: usize,
  factor: usize,
  weights: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  const first = load<u32>(uniforms, 8);
  const count = load<u32>(uniforms, 12);
  const stride = <usize>cols << 2;
  for (let piece = begin; piece < end; piece++) {
    const place = first + count + piece * COLUMNS;
    const columns = min(COLUMNS, cols - place);
    const width = <usize>columns << 2;
    for (let k: u32 = 0; k < count; k++) {
      const to = scratch + k * STRIDE;
      memory.fill(to, 0, STRIDE);
      memory.copy(to, factor + (first + k) * stride + (<usize>place << 2), width);
    }
    const columnsOf = order + (<usize>place << 2);
    for (let row: u32 = 0; row < rows; row += 4) {
      // Rows beyond the last are the last again, and not written.
      const kept = min(4, rows - row);
      const e0 = errors + row * ERROR_STRIDE;
      const e1 = errors + (row + min(1, kept - 1)) * ERROR_STRIDE;
      const e2 = errors + (row + min(2, kept - 1)) * ERROR_STRIDE;
      const e3 = errors + (row + kept - 1) * ERROR_STRIDE;
      for (let column: u32 = 0; column < columns; column += 8) {
        sumTile(e0, e1, e2, e3, <usize>column << 2, count);
        for (let each: u32 = 0; each < kept; each++) {
          const to = weights + (row + each) * stride;
          const sums = scratch + SUMS + (<usize>each << 5);
          for (let i: u32 = 0; i < min(8, columns - column); i++) {
            const at = to + (<usize>load<u32>(columnsOf + (<usize>(column + i) << 2)) << 2);
            store<f32>(at, load<f32>(at) - load<f32>(sums + (<usize>i << 2)));
          }
        }
      }
    }
  }
}

/** The sums of four rows and eight columns of the panel, from byte `left` of its rows on. */
function sumTile(e0: usize, e1: usize, e2: usize, e3: usize, left: usize, count: u32): void {
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  let u = scratch + left;
  for (let at: usize = 0; at < <usize>count << 2; at += 4, u += STRIDE) {
    const one = v128.load(u);
    const two = v128.load(u, 16);
    let each = v128.load32_splat(e0 + at);
    a0 = f32x4.add(a0, f32x4.mul(each, one));
    b0 = f32x4.add(b0, f32x4.mul(each, two));
    each = v128.load32_splat(e1 + at);
    a1 = f32x4.add(a1, f32x4.mul(each, one));
    b1 = f32x4.add(b1, f32x4.mul(each, two));
    each = v128.load32_splat(e2 + at);
    a2 = f32x4.add(a2, f32x4.mul(each, one));
    b2 = f32x4.add(b2, f32x4.mul(each, two));
    each = v128.load32_splat(e3 + at);
    a3 = f32x4.add(a3, f32x4.mul(each, one));
    b3 = f32x4.add(b3, f32x4.mul(each, two));
  }
  const sums = scratch + SUMS;
  v128.store(sums, a0);
  v128.store(sums, b0, 16);
  v128.store(sums, a1, 32);
  v128.store(sums, b1, 48);
  v128.store(sums, a2, 64);
  v128.store(sums, b2, 80);
  v128.store(sums, a3, 96);
  v128.store(sums, b3, 112);
}
