import type { Kernel, WasmStep } from "../../device/kernel.ts";
import { choleskyOracle } from "./cholesky.oracle.ts";
import { BLOCK, ROWS, type SquareShape, STRIP } from "./doubles.ts";

/**
 * The Cholesky factor of a symmetric positive definite matrix in float64: L with A = L Lᵀ, in place. Of `matrix` [n, n] the
 * part above the diagonal is not read, and zero afterwards. `status` is one word: 0, or the order of the first leading minor
 * that is not positive, as LAPACK's potrf tells it; then the matrix holds nothing of use. CPU only: WGSL has no float64.
 */
export const cholesky: Kernel<Record<string, never>, SquareShape> = {
  name: "linear/cholesky",
  wgsl: null,
  bindings: [
    { name: "status", access: "write" },
    { name: "matrix", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ n }) => [n],
  invocations: () => 0,
  wasm: (_source, { n }) => {
    const steps: WasmStep[] = [];
    for (let block = 0; block * BLOCK < n; block++) {
      const rest = n - (block + 1) * BLOCK;
      steps.push({ name: "cholesky_block", extra: [block], pieces: 1 });
      if (rest <= 0) continue;
      steps.push({ name: "cholesky_panel", extra: [block], pieces: Math.ceil(rest / STRIP) });
      steps.push({ name: "cholesky_update", extra: [block], pieces: updatePieces(rest) });
    }
    return [...steps, { name: "cholesky_upper", pieces: Math.ceil(n / BLOCK) }];
  },
  oracle: choleskyOracle,
};

/** Pieces of 32 columns of 128 rows that have something on or under the diagonal. */
function updatePieces(rest: number): number {
  let pieces = 0;
  for (let column = 0; column < rest; column += STRIP) pieces += Math.ceil(rest / ROWS) - Math.floor(column / ROWS);
  return pieces;
}
