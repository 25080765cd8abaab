import { scratch } from "../assembly/scratch.as";
import { BLOCK, clearUpper, elementOf, multiplyPanel, packPanel, panelAt, ROWS, STRIP } from "./tiles-f64.as";

// Block by block down the diagonal. Left of and below a block lies what the blocks before it make of the rest: minus L X, as
// far as X is known. The block's own rows of that become X when its inverse multiplies them from the left; before that they
// are what the rows below still need of them, times minus L and the inverse (Bientinesi, Gunter, van de Geijn 2008,
// "Families of algorithms related to the inversion of a symmetric positive definite matrix", variant 3).

/** Multiplies what lies below block `block` by minus its inverse, from the right. Pieces: 32 rows. */
export function triangular_inverse_panel(uniforms: usize, block: u32, matrix: usize, begin: u32, end: u32): void {
  const n = load<u32>(uniforms);
  const stride = <usize>n << 3;
  const first = block * BLOCK;
  const top = first + BLOCK + begin * STRIP;
  const bottom = min(first + BLOCK + end * STRIP, n);
  for (let half: u32 = 0; half < BLOCK; half += STRIP) {
    packPanel(elementOf(matrix, n, first, first + half), stride, BLOCK, STRIP);
    for (let row = top; row < bottom; row += 4) {
      const rows = min(4, bottom - row);
      // In place: a column takes only itself and those after it.
      for (let column: u32 = 0; column < STRIP; column += 4) {
        const at = elementOf(matrix, n, row, first + half + column);
        multiplyPanel(at, rows, BLOCK - half - column, panelAt(half + column, column), 4, at, stride, -1, false);
      }
    }
  }
}

/** Adds to what lies below and left of block `block`. Pieces: 32 columns of 128 rows, column by column. */
export function triangular_inverse_update(uniforms: usize, block: u32, matrix: usize, begin: u32, end: u32): void {
  const n = load<u32>(uniforms);
  const stride = <usize>n << 3;
  const first = block * BLOCK;
  const base = first + BLOCK;
  const strips = (n - base + ROWS - 1) / ROWS;
  let packed: u32 = u32.MAX_VALUE;
  for (let piece = begin; piece < end; piece++) {
    const column = piece / strips * STRIP;
    const row = base + piece % strips * ROWS;
    if (column != packed) packPanel(elementOf(matrix, n, first, column), stride, BLOCK, STRIP);
    packed = column;
    const c = elementOf(matrix, n, row, column);
    multiplyPanel(elementOf(matrix, n, row, first), min(ROWS, n - row), BLOCK, panelAt(0, 0), STRIP, c, stride, 1, true);
  }
}

/**
 * Piece 0 inverts block `block` of the diagonal, where there is one; every other multiplies 32 columns left of the block
 * before it by the inverse of that one.
 */
export function triangular_inverse_row(uniforms: usize, block: u32, matrix: usize, begin: u32, end: u32): void {
  const n = load<u32>(uniforms);
  const stride = <usize>n << 3;
  for (let piece = begin; piece < end; piece++) {
    if (piece == 0) {
      const corner = block * BLOCK;
      if (corner < n) invert(elementOf(matrix, n, corner, corner), min(BLOCK, n - corner), stride);
      continue;
    }
    const first = (block - 1) * BLOCK;
    const size = min(BLOCK, n - first);
    const column = (piece - 1) * STRIP;
    packPanel(elementOf(matrix, n, first, column), stride, size, STRIP);
    for (let row: u32 = 0; row < size; row += 4) {
      const rows = min(4, size - row);
      const to = elementOf(matrix, n, first + row, column);
      multiplyPanel(elementOf(matrix, n, first + row, first), rows, row + rows, panelAt(0, 0), STRIP, to, stride, 1, false);
    }
  }
}

/** Row i of the inverse is minus that of L times the rows of the inverse before it, by the diagonal. Zeros above. */
function invert(corner: usize, size: u32, stride: usize): void {
  for (let i: u32 = 0; i < size; i++) {
    const row = corner + i * stride;
    memory.copy(scratch, row, <usize>(i + 1) << 3);
    memory.fill(row, 0, <usize>size << 3);
    const inverse = 1 / load<f64>(scratch + (<usize>i << 3));
    for (let k: u32 = 0; k < i; k++) {
      const other = corner + k * stride;
      const factor = f64x2.splat(-load<f64>(scratch + (<usize>k << 3)) * inverse);
      // Beyond the diagonal of row k are zeros.
      for (let at: usize = 0; at < <usize>(k + 1) << 3; at += 16) {
        v128.store(row + at, f64x2.add(v128.load(row + at), f64x2.mul(factor, v128.load(other + at))));
      }
    }
    store<f64>(row + (<usize>i << 3), inverse);
  }
}

/** Zeros above the diagonal. Pieces: 64 rows. */
export function triangular_inverse_upper(uniforms: usize, matrix: usize, begin: u32, end: u32): void {
  clearUpper(matrix, load<u32>(uniforms), begin, end);
}
