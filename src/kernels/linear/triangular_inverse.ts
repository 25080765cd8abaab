import type { Kernel, WasmStep } from "../../device/kernel.ts";
import { BLOCK, ROWS, type SquareShape, STRIP } from "./doubles.ts";
import { triangularInverseOracle } from "./triangular_inverse.oracle.ts";

/**
 * The inverse of a lower triangular matrix in float64, in place. Of `matrix` [n, n] the part above the diagonal is not read,
 * and zero afterwards. A zero on the diagonal makes infinities and NaN. CPU only: WGSL has no float64.
 */
export const triangularInverse: Kernel<Record<string, never>, SquareShape> = {
  name: "linear/triangular_inverse",
  wgsl: null,
  bindings: [{ name: "matrix", access: "write" }],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ n }) => [n],
  invocations: () => 0,
  wasm: (_source, { n }) => {
    const steps: WasmStep[] = [{ name: "triangular_inverse_row", extra: [0], pieces: 1 }];
    for (let block = 0; block * BLOCK < n; block++) {
      const rest = Math.max(0, n - (block + 1) * BLOCK);
      const strips = (block * BLOCK) / STRIP;
      steps.push(
        { name: "triangular_inverse_panel", extra: [block], pieces: Math.ceil(rest / STRIP) },
        { name: "triangular_inverse_update", extra: [block], pieces: strips * Math.ceil(rest / ROWS) },
        { name: "triangular_inverse_row", extra: [block + 1], pieces: 1 + strips },
      );
    }
    return [...steps, { name: "triangular_inverse_upper", pieces: Math.ceil(n / BLOCK) }].filter(
      (step) => step.pieces > 0,
    );
  },
  oracle: triangularInverseOracle,
};
