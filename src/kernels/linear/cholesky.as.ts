import { BLOCK, clearUpper, elementOf, multiplyPanel, packTransposed, panelAt, ROWS, STRIP } from "./tiles-f64.as";

// The right-looking blocked factorization (LAPACK's potrf): a block of the diagonal, the panel below it, and what that takes
// from the rest. The wrapper names the steps. After a failure no step does anything.

/** Factors block `block` of the diagonal. One piece. */
export function cholesky_block(uniforms: usize, block: u32, status: usize, matrix: usize, begin: u32, end: u32): void {
  if (block == 0) store<u32>(status, 0);
  if (load<u32>(status) != 0) return;
  const n = load<u32>(uniforms);
  const first = block * BLOCK;
  const stride = <usize>n << 3;
  const corner = elementOf(matrix, n, first, first);
  const size = min(BLOCK, n - first);
  for (let i: u32 = 0; i < size; i++) {
    const row = corner + i * stride;
    for (let j: u32 = 0; j < i; j++) {
      const other = corner + j * stride;
      const at = row + (<usize>j << 3);
      store<f64>(at, (load<f64>(at) - dot(row, other, j)) / load<f64>(other + (<usize>j << 3)));
    }
    const at = row + (<usize>i << 3);
    const square = load<f64>(at) - dot(row, row, i);
    // A NaN is not positive either.
    if (!(square > 0)) {
      store<u32>(status, first + i + 1);
      return;
    }
    store<f64>(at, sqrt(square));
  }
}

function dot(one: usize, other: usize, count: u32): f64 {
  let two = f64x2.splat(0);
  const whole = <usize>(count & ~1) << 3;
  for (let at: usize = 0; at < whole; at += 16) {
    two = f64x2.add(two, f64x2.mul(v128.load(one + at), v128.load(other + at)));
  }
  const sum = f64x2.extract_lane(two, 0) + f64x2.extract_lane(two, 1);
  return (count & 1) == 0 ? sum : sum + load<f64>(one + whole) * load<f64>(other + whole);
}

/** Solves X Lᵀ = A for the rows below block `block`, a column of X after those before it. Pieces: 32 rows. */
export function cholesky_panel(uniforms: usize, block: u32, status: usize, matrix: usize, begin: u32, end: u32): void {
  if (load<u32>(status) != 0) return;
  const n = load<u32>(uniforms);
  const stride = <usize>n << 3;
  const first = block * BLOCK;
  const top = first + BLOCK + begin * STRIP;
  const bottom = min(first + BLOCK + end * STRIP, n);
  for (let half: u32 = 0; half < BLOCK; half += STRIP) {
    packTransposed(elementOf(matrix, n, first + half, first), stride, STRIP, half + STRIP);
    for (let row = top; row < bottom; row += 4) {
      const rows = min(4, bottom - row);
      const x = elementOf(matrix, n, row, first);
      for (let column: u32 = 0; column < STRIP; column += 4) {
        const done = half + column;
        const at = x + (<usize>done << 3);
        if (done > 0) multiplyPanel(x, rows, done, panelAt(0, column), 4, at, stride, -1, true);
        for (let each: u32 = 0; each < rows; each++) solveFour(at + each * stride, done, column);
      }
    }
  }
}

/** Four unknowns of one row, of which all before `done` are taken care of. */
@inline
function solveFour(x: usize, done: u32, column: u32): void {
  for (let j: u32 = 0; j < 4; j++) {
    let value = load<f64>(x + (<usize>j << 3));
    for (let i: u32 = 0; i < j; i++) value -= load<f64>(x + (<usize>i << 3)) * load<f64>(panelAt(done + i, column + j));
    store<f64>(x + (<usize>j << 3), value / load<f64>(panelAt(done + j, column + j)));
  }
}

/**
 * Takes X Xᵀ from what lies right of and below block `block`, on and under the diagonal. Pieces: 32 columns of 128 rows;
 * all pieces of the same columns follow each other, from those that meet the diagonal on.
 */
export function cholesky_update(uniforms: usize, block: u32, status: usize, matrix: usize, begin: u32, end: u32): void {
  if (load<u32>(status) != 0) return;
  const n = load<u32>(uniforms);
  const stride = <usize>n << 3;
  const first = block * BLOCK;
  const base = first + BLOCK;
  const rest = n - base;
  const strips = (rest + ROWS - 1) / ROWS;
  let column: u32 = 0;
  let strip = begin;
  // `strip` counts from the one that meets the diagonal.
  while (strip >= strips - column / ROWS) {
    strip -= strips - column / ROWS;
    column += STRIP;
  }
  let isPacked = false;
  for (let piece = begin; piece < end; piece++) {
    const columns = min(STRIP, rest - column);
    if (!isPacked) packTransposed(elementOf(matrix, n, base + column, first), stride, columns, BLOCK);
    isPacked = true;
    const top = (column / ROWS + strip) * ROWS;
    const row = max(top, column);
    const rows = min(top + ROWS, rest) - row;
    const c = elementOf(matrix, n, base + row, base + column);
    multiplyPanel(elementOf(matrix, n, base + row, first), rows, BLOCK, panelAt(0, 0), columns, c, stride, -1, true);
    strip++;
    if (strip == strips - column / ROWS) {
      strip = 0;
      column += STRIP;
      isPacked = false;
    }
  }
}

/** Zeros above the diagonal. Pieces: 64 rows. */
export function cholesky_upper(uniforms: usize, status: usize, matrix: usize, begin: u32, end: u32): void {
  clearUpper(matrix, load<u32>(uniforms), begin, end);
}
