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
      const sum = sumOf(x + row * xStride, w + column * wStride, k);
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
  for (const end = x + (<usize>(k & ~15) << 2); x < end; ) {
    let e0 = v128.load(w0);
    let e1 = v128.load(w0, 16);
    let e2 = v128.load(w0, 32);
    let e3 = v128.load(w0, 48);
    a0 = f32x4.add(a0, summed(x, e0, e1, e2, e3));
    b0 = f32x4.add(b0, summed(x1, e0, e1, e2, e3));
    e0 = v128.load(w1);
    e1 = v128.load(w1, 16);
    e2 = v128.load(w1, 32);
    e3 = v128.load(w1, 48);
    a1 = f32x4.add(a1, summed(x, e0, e1, e2, e3));
    b1 = f32x4.add(b1, summed(x1, e0, e1, e2, e3));
    e0 = v128.load(w2);
    e1 = v128.load(w2, 16);
    e2 = v128.load(w2, 32);
    e3 = v128.load(w2, 48);
    a2 = f32x4.add(a2, summed(x, e0, e1, e2, e3));
    b2 = f32x4.add(b2, summed(x1, e0, e1, e2, e3));
    e0 = v128.load(w3);
    e1 = v128.load(w3, 16);
    e2 = v128.load(w3, 32);
    e3 = v128.load(w3, 48);
    a3 = f32x4.add(a3, summed(x, e0, e1, e2, e3));
    b3 = f32x4.add(b3, summed(x1, e0, e1, e2, e3));
    x += 64;
    x1 += 64;
    w0 += 64;
    w1 += 64;
    w2 += 64;
    w3 += 64;
  }
  putSums(y, lanesSummed(a0, a1, a2, a3), xRow, w, wStride, k, adds);
  putSums(y + yStride, lanesSummed(b0, b1, b2, b3), xRow + xStride, w, wStride, k, adds);
}

/** One row, each sum in the order that it has in `tile2`: what a row comes to does not depend on how many there are. */
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
  for (const end = x + (<usize>(k & ~15) << 2); x < end; ) {
    let e0 = v128.load(w0);
    let e1 = v128.load(w0, 16);
    let e2 = v128.load(w0, 32);
    let e3 = v128.load(w0, 48);
    a0 = f32x4.add(a0, summed(x, e0, e1, e2, e3));
    e0 = v128.load(w1);
    e1 = v128.load(w1, 16);
    e2 = v128.load(w1, 32);
    e3 = v128.load(w1, 48);
    a1 = f32x4.add(a1, summed(x, e0, e1, e2, e3));
    e0 = v128.load(w2);
    e1 = v128.load(w2, 16);
    e2 = v128.load(w2, 32);
    e3 = v128.load(w2, 48);
    a2 = f32x4.add(a2, summed(x, e0, e1, e2, e3));
    e0 = v128.load(w3);
    e1 = v128.load(w3, 16);
    e2 = v128.load(w3, 32);
    e3 = v128.load(w3, 48);
    a3 = f32x4.add(a3, summed(x, e0, e1, e2, e3));
    x += 64;
    w0 += 64;
    w1 += 64;
    w2 += 64;
    w3 += 64;
  }
  putSums(y, lanesSummed(a0, a1, a2, a3), xRow, w, wStride, k, adds);
}

/** Sixteen products, four to a lane, added in pairs: the fewer numbers meet a long sum, the less is rounded away. */
@inline
function summed(x: usize, w0: v128, w1: v128, w2: v128, w3: v128): v128 {
  return f32x4.add(
    f32x4.add(f32x4.mul(w0, v128.load(x)), f32x4.mul(w1, v128.load(x, 16))),
    f32x4.add(f32x4.mul(w2, v128.load(x, 32)), f32x4.mul(w3, v128.load(x, 48))),
  );
}

/** Writes four sums, with what the last products add where `k` is no multiple of 16. */
@inline
function putSums(y: usize, sums: v128, x: usize, w: usize, wStride: usize, k: u32, adds: bool): void {
  let all = sums;
  const done = k & ~15;
  if (done < k) {
    const last = f32x4(
      lastOf(x, w, done, k),
      lastOf(x, w + wStride, done, k),
      lastOf(x, w + 2 * wStride, done, k),
      lastOf(x, w + 3 * wStride, done, k),
    );
    all = f32x4.add(all, last);
  }
  v128.store(y, adds ? f32x4.add(v128.load(y), all) : all);
}

/** One sum, in the order that it has in a tile. */
function sumOf(x: usize, w: usize, k: u32): f32 {
  let four = f32x4.splat(0);
  const done = k & ~15;
  for (let at: usize = 0; at < <usize>done << 2; at += 64) {
    const from = w + at;
    four = f32x4.add(
      four,
      summed(x + at, v128.load(from), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48)),
    );
  }
  const sum = f32x4.extract_lane(lanesSummed(four, four, four, four), 0);
  return done < k ? sum + lastOf(x, w, done, k) : sum;
}

/** What the products from `first` to `last` add up to, fewer than 16. */
function lastOf(x: usize, w: usize, first: u32, last: u32): f32 {
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
