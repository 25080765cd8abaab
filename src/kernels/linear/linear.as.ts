import { multiplyRows, TILE } from "../assembly/tiles.as";

/** So much of the inputs stays in the cache of a core while all weights of a chunk go by. */
const ROWS: u32 = 256;
const DEPTH: u32 = 1024;

/** y = x Wᵀ, in a block of y. Pieces: 4 columns of the block. */
export function linear(uniforms: usize, inputs: usize, weights: usize, outputs: usize, begin: u32, end: u32): void {
  const m = load<u32>(uniforms);
  const n = load<u32>(uniforms, 4);
  const k = load<u32>(uniforms, 8);
  const firstRow = load<u32>(uniforms, 12);
  const stride = <usize>k << 2;
  const outputStride = <usize>load<u32>(uniforms, 16) << 2;
  const x = inputs + firstRow * stride;
  const y = outputs + firstRow * outputStride + (<usize>load<u32>(uniforms, 20) << 2);
  for (let row: u32 = 0; row < m; row += ROWS) {
    for (let depth: u32 = 0; depth < k; depth += DEPTH) {
      for (let column = begin * TILE; column < min(end * TILE, n); column += TILE) {
        multiplyRows(
          x + row * stride + (<usize>depth << 2),
          stride,
          min(ROWS, m - row),
          weights + column * stride + (<usize>depth << 2),
          stride,
          min(TILE, n - column),
          min(DEPTH, k - depth),
          y + row * outputStride + (<usize>column << 2),
          outputStride,
          depth > 0,
        );
      }
    }
  }
}
