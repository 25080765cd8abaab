import { fourAt, rawAt, widened } from "../assembly/elements.as";

/** Stored weights as float32. Pieces: `size` weights, or `size` columns where they are transposed. */
export function widen(
  uniforms: usize,
  element: u32,
  isTransposed: u32,
  size: u32,
  weights: usize,
  wide: usize,
  begin: u32,
  end: u32,
): void {
  const rows = load<u32>(uniforms);
  const cols = load<u32>(uniforms, 4);
  if (isTransposed != 0) {
    transpose(element, rows, cols, weights, wide, begin * size, min(end * size, cols));
    return;
  }
  const last = min(end * size, rows * cols);
  const whole = last & ~3;
  for (let index = begin * size; index < whole; index += 4) {
    v128.store(wide + (<usize>index << 2), fourAt(weights, index, element));
  }
  for (let index = max(begin * size, whole); index < last; index++) putWide(weights, index, element, wide, index);
}

/** Columns `first` to `last` as rows, in blocks of 4 × 4. */
function transpose(element: u32, rows: u32, cols: u32, weights: usize, wide: usize, first: u32, last: u32): void {
  const wholeRows = rows & ~3;
  const stride = <usize>rows << 2;
  let column = first;
  for (; column + 4 <= last; column += 4) {
    let to = wide + column * stride;
    for (let row: u32 = 0; row < wholeRows; row += 4, to += 16) {
      const from = row * cols + column;
      const a = fourAt(weights, from, element);
      const b = fourAt(weights, from + cols, element);
      const c = fourAt(weights, from + 2 * cols, element);
      const d = fourAt(weights, from + 3 * cols, element);
      const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5);
      const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
      const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5);
      const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      v128.store(to, i64x2.shuffle(abLow, cdLow, 0, 2));
      v128.store(to + stride, i64x2.shuffle(abLow, cdLow, 1, 3));
      v128.store(to + 2 * stride, i64x2.shuffle(abHigh, cdHigh, 0, 2));
      v128.store(to + 3 * stride, i64x2.shuffle(abHigh, cdHigh, 1, 3));
    }
    for (let row = wholeRows; row < rows; row++) {
      for (let each: u32 = 0; each < 4; each++) {
        putWide(weights, row * cols + column + each, element, wide, (column + each) * rows + row);
      }
    }
  }
  for (; column < last; column++) {
    for (let row: u32 = 0; row < rows; row++) putWide(weights, row * cols + column, element, wide, column * rows + row);
  }
}

@inline
function putWide(weights: usize, index: u32, element: u32, wide: usize, to: u32): void {
  store<u32>(wide + (<usize>to << 2), widened(rawAt(weights, index, element), element));
}
