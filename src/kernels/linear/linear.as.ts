import { multiplyRows, TILE } from "./tiles.as";

/** So much of the inputs stays in the cache of a core while all weights of a chunk go by. */
const ROWS: u32 = 256;
const DEPTH: u32 = 1024;

/** y = x Wᵀ. Pieces: 4 columns of y. */
export function linear(uniforms: usize, inputs: usize, weights: usize, outputs: usize, begin: u32, end: u32): void {
  const m = load<u32>(uniforms);
  const n = load<u32>(uniforms, 4);
  const k = load<u32>(uniforms, 8);
  const stride = <usize>k << 2;
  const outputStride = <usize>n << 2;
  for (let row: u32 = 0; row < m; row += ROWS) {
    for (let depth: u32 = 0; depth < k; depth += DEPTH) {
      for (let column = begin * TILE; column < min(end * TILE, n); column += TILE) {
        multiplyRows(
          inputs + row * stride + (<usize>depth << 2),
          stride,
          min(ROWS, m - row),
          weights + column * stride + (<usize>depth << 2),
          stride,
          min(TILE, n - column),
          min(DEPTH, k - depth),
          outputs + row * outputStride + (<usize>column << 2),
          outputStride,
          depth > 0,
        );
      }
    }
  }
}
