// Products of matrices of float64 with a panel of at most 64 × 32 that lies packed in scratch memory: a row of the panel
// follows the one before, so that it stays in the nearest cache whatever the stride of its matrix.
import { scratch } from "../assembly/scratch.as";

/** Rows and columns that a step takes at a time: the longer side of a panel. The wrappers have the same number. */
export const BLOCK: u32 = 64;

/** The shorter side of a panel. The wrappers have the same number. */
export const STRIP: u32 = 32;

/** Rows of a piece of an update. The wrappers have the same number. */
export const ROWS: u32 = 128;

const PANEL_STRIDE: usize = 256;

/** Address of an element of a matrix. */
@inline
export function elementOf(matrix: usize, n: u32, row: u32, column: u32): usize {
  return matrix + (((<usize>row * n) + column) << 3);
}

/** Where row `k` and column `column` of the panel lie. */
@inline
export function panelAt(k: u32, column: u32): usize {
  return scratch + k * PANEL_STRIDE + (<usize>column << 3);
}

/** Packs `k` × `columns`. Strides are bytes. */
export function packPanel(from: usize, stride: usize, k: u32, columns: u32): void {
  for (let row: u32 = 0; row < k; row++) memory.copy(panelAt(row, 0), from + row * stride, <usize>columns << 3);
}

/** Packs the transpose of `columns` × `k`. */
export function packTransposed(from: usize, stride: usize, columns: u32, k: u32): void {
  for (let column: u32 = 0; column < columns; column++) {
    let to = panelAt(0, column);
    const row = from + column * stride;
    for (let at: u32 = 0; at < k; at++, to += PANEL_STRIDE) store<f64>(to, load<f64>(row + (<usize>at << 3)));
  }
}

/**
 * c = sign · a · panel, added to what `c` holds where `adds`. a is [rows, k], c [rows, columns], the panel, which begins at
 * `panel`, [k, columns].
 */
export function multiplyPanel(
  a: usize,
  rows: u32,
  k: u32,
  panel: usize,
  columns: u32,
  c: usize,
  stride: usize,
  sign: f64,
  adds: bool,
): void {
  const wholeRows = rows & ~3;
  const wholeColumns = columns & ~3;
  for (let row: u32 = 0; row < wholeRows; row += 4) {
    for (let column: u32 = 0; column < wholeColumns; column += 4) {
      const at = <usize>column << 3;
      tile(a + row * stride, k, panel + at, c + row * stride + at, stride, sign, adds);
    }
    edge(a + row * stride, 4, k, panel, wholeColumns, columns, c + row * stride, stride, sign, adds);
  }
  edge(a + wholeRows * stride, rows - wholeRows, k, panel, 0, columns, c + wholeRows * stride, stride, sign, adds);
}

/** 4 × 4. */
function tile(a: usize, k: u32, panel: usize, c: usize, stride: usize, sign: f64, adds: bool): void {
  let a1 = a + stride;
  let a2 = a1 + stride;
  let a3 = a2 + stride;
  let left0 = f64x2.splat(0);
  let left1 = f64x2.splat(0);
  let left2 = f64x2.splat(0);
  let left3 = f64x2.splat(0);
  let right0 = f64x2.splat(0);
  let right1 = f64x2.splat(0);
  let right2 = f64x2.splat(0);
  let right3 = f64x2.splat(0);
  for (const end = a + (<usize>k << 3); a < end; ) {
    const left = v128.load(panel);
    const right = v128.load(panel, 16);
    let each = v128.load64_splat(a);
    left0 = f64x2.add(left0, f64x2.mul(each, left));
    right0 = f64x2.add(right0, f64x2.mul(each, right));
    each = v128.load64_splat(a1);
    left1 = f64x2.add(left1, f64x2.mul(each, left));
    right1 = f64x2.add(right1, f64x2.mul(each, right));
    each = v128.load64_splat(a2);
    left2 = f64x2.add(left2, f64x2.mul(each, left));
    right2 = f64x2.add(right2, f64x2.mul(each, right));
    each = v128.load64_splat(a3);
    left3 = f64x2.add(left3, f64x2.mul(each, left));
    right3 = f64x2.add(right3, f64x2.mul(each, right));
    a += 8;
    a1 += 8;
    a2 += 8;
    a3 += 8;
    panel += PANEL_STRIDE;
  }
  const signs = f64x2.splat(sign);
  putFour(c, left0, right0, signs, adds);
  putFour(c + stride, left1, right1, signs, adds);
  putFour(c + 2 * stride, left2, right2, signs, adds);
  putFour(c + 3 * stride, left3, right3, signs, adds);
}

@inline
function putFour(c: usize, left: v128, right: v128, signs: v128, adds: bool): void {
  const signedLeft = f64x2.mul(left, signs);
  const signedRight = f64x2.mul(right, signs);
  v128.store(c, adds ? f64x2.add(v128.load(c), signedLeft) : signedLeft);
  v128.store(c, adds ? f64x2.add(v128.load(c, 16), signedRight) : signedRight, 16);
}

/** What no tile covers: columns `first` to `last` of at most 4 rows. */
function edge(
  a: usize,
  rows: u32,
  k: u32,
  panel: usize,
  first: u32,
  last: u32,
  c: usize,
  stride: usize,
  sign: f64,
  adds: bool,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    for (let column = first; column < last; column++) {
      let sum: f64 = 0;
      let from = panel + (<usize>column << 3);
      for (let at: u32 = 0; at < k; at++, from += PANEL_STRIDE) {
        sum += load<f64>(a + row * stride + (<usize>at << 3)) * load<f64>(from);
      }
      const to = c + row * stride + (<usize>column << 3);
      store<f64>(to, adds ? load<f64>(to) + sign * sum : sign * sum);
    }
  }
}

/** Zeros above the diagonal. Pieces: 64 rows. */
@inline
export function clearUpper(matrix: usize, n: u32, begin: u32, end: u32): void {
  for (let row = begin * BLOCK; row < min(end * BLOCK, n); row++) {
    memory.fill(elementOf(matrix, n, row, row + 1), 0, <usize>(n - row - 1) << 3);
  }
}
