// Products of rows: y[r, c] = sum over k of x[r, k] w[c, k], both with k along the row, as float32; k is a multiple of 4.
// Each sum has four parts, one for each lane, so that nothing is transposed. A tile of 2 × 4 sums is what 16 registers hold.

/** Columns of a tile. */
export const TILE: u32 = 4;

/**
 * The sums of `rows` × `columns`. Strides are bytes.
 * @param adds whether to what `y` holds
 */
export function multiplyRows(
  x: usize,
  xStride: usize,
  rows: u32,
  w: usize,
  wStride: usize,
  columns: u32,
  k: u32,
  y: usize,
  yStride: usize,
  adds: bool,
): void {
  const whole = columns & ~(TILE - 1);
  for (let column: u32 = 0; column < whole; column += TILE) {
    const from = w + column * wStride;
    const to = y + (<usize>column << 2);
    let row: u32 = 0;
    for (; row + 2 <= rows; row += 2) tile2(x + row * xStride, xStride, from, wStride, k, to + row * yStride, yStride, adds);
    if (row < rows) tile1(x + row * xStride, xStride, from, wStride, k, to + row * yStride, adds);
  }
  for (let column = whole; column < columns; column++) {
    for (let row: u32 = 0; row < rows; row++) {
      const to = y + row * yStride + (<usize>column << 2);
      const sum = sumOf(x + row * xStride, w + column * wStride, 0, k);
      store<f32>(to, adds ? load<f32>(to) + sum : sum);
    }
  }
}

function tile2(x: usize, xStride: usize, w: usize, wStride: usize, k: u32, y: usize, yStride: usize, adds: bool): void {
  const xRow = x;
  let x1 = x + xStride;
  let w0 = w;
  let w1 = w + wStride;
  let w2 = w1 + wStride;
  let w3 = w2 + wStride;
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  for (const end = x + (<usize>(k & ~7) << 2); x < end; ) {
    let left = v128.load(x);
    let right = v128.load(x1);
    let each = v128.load(w0);
    a0 = f32x4.add(a0, f32x4.mul(each, left));
    b0 = f32x4.add(b0, f32x4.mul(each, right));
    each = v128.load(w1);
    a1 = f32x4.add(a1, f32x4.mul(each, left));
    b1 = f32x4.add(b1, f32x4.mul(each, right));
    each = v128.load(w2);
    a2 = f32x4.add(a2, f32x4.mul(each, left));
    b2 = f32x4.add(b2, f32x4.mul(each, right));
    each = v128.load(w3);
    a3 = f32x4.add(a3, f32x4.mul(each, left));
    b3 = f32x4.add(b3, f32x4.mul(each, right));
    left = v128.load(x, 16);
    right = v128.load(x1, 16);
    each = v128.load(w0, 16);
    a0 = f32x4.add(a0, f32x4.mul(each, left));
    b0 = f32x4.add(b0, f32x4.mul(each, right));
    each = v128.load(w1, 16);
    a1 = f32x4.add(a1, f32x4.mul(each, left));
    b1 = f32x4.add(b1, f32x4.mul(each, right));
    each = v128.load(w2, 16);
    a2 = f32x4.add(a2, f32x4.mul(each, left));
    b2 = f32x4.add(b2, f32x4.mul(each, right));
    each = v128.load(w3, 16);
    a3 = f32x4.add(a3, f32x4.mul(each, left));
    b3 = f32x4.add(b3, f32x4.mul(each, right));
    x += 32;
    x1 += 32;
    w0 += 32;
    w1 += 32;
    w2 += 32;
    w3 += 32;
  }
  putSums(y, lanesSummed(a0, a1, a2, a3), xRow, w, wStride, k, adds);
  putSums(y + yStride, lanesSummed(b0, b1, b2, b3), xRow + xStride, w, wStride, k, adds);
}

function tile1(x: usize, xStride: usize, w: usize, wStride: usize, k: u32, y: usize, adds: bool): void {
  const xRow = x;
  let w0 = w;
  let w1 = w + wStride;
  let w2 = w1 + wStride;
  let w3 = w2 + wStride;
  let a0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  for (const end = x + (<usize>(k & ~7) << 2); x < end; ) {
    const left = v128.load(x);
    const right = v128.load(x, 16);
    a0 = f32x4.add(a0, f32x4.mul(v128.load(w0), left));
    b0 = f32x4.add(b0, f32x4.mul(v128.load(w0, 16), right));
    a1 = f32x4.add(a1, f32x4.mul(v128.load(w1), left));
    b1 = f32x4.add(b1, f32x4.mul(v128.load(w1, 16), right));
    a2 = f32x4.add(a2, f32x4.mul(v128.load(w2), left));
    b2 = f32x4.add(b2, f32x4.mul(v128.load(w2, 16), right));
    a3 = f32x4.add(a3, f32x4.mul(v128.load(w3), left));
    b3 = f32x4.add(b3, f32x4.mul(v128.load(w3, 16), right));
    x += 32;
    w0 += 32;
    w1 += 32;
    w2 += 32;
    w3 += 32;
  }
  const sums = lanesSummed(f32x4.add(a0, b0), f32x4.add(a1, b1), f32x4.add(a2, b2), f32x4.add(a3, b3));
  putSums(y, sums, xRow, w, wStride, k, adds);
}

/** Writes four sums, with what the last four products add where `k` is no multiple of 8. */
@inline
function putSums(y: usize, sums: v128, x: usize, w: usize, wStride: usize, k: u32, adds: bool): void {
  let all = sums;
  const done = k & ~7;
  if (done < k) {
    const last = f32x4(
      sumOf(x, w, done, k),
      sumOf(x, w + wStride, done, k),
      sumOf(x, w + 2 * wStride, done, k),
      sumOf(x, w + 3 * wStride, done, k),
    );
    all = f32x4.add(all, last);
  }
  v128.store(y, adds ? f32x4.add(v128.load(y), all) : all);
}

/** One sum, from product `first` to `last`. */
function sumOf(x: usize, w: usize, first: u32, last: u32): f32 {
  let four = f32x4.splat(0);
  for (let at = <usize>first << 2; at < <usize>last << 2; at += 16) {
    four = f32x4.add(four, f32x4.mul(v128.load(x + at), v128.load(w + at)));
  }
  return f32x4.extract_lane(lanesSummed(four, four, four, four), 0);
}

/** The sums of the lanes of four vectors, one to a lane. */
@inline
function lanesSummed(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
