import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type EnergiesShape, type EnergiesSource, energiesOracle } from "./energies.oracle.ts";

/** Sums that a thread handles at once; `energies.as.ts` has the same number. */
const OUTPUTS_PER_PIECE = 16;

/**
 * Sum of squares of each row, or each column, of a matrix: float32, in units of 2^(2 · exponent). Infinite where a weight is
 * infinite, NaN or at least 2⁶⁴ units; weights below 2⁻⁶³ units count as 0. With the exponent of the largest weight, nothing
 * else overflows.
 *
 * `weights` [elements], element j of output i at i · outputStride + j · innerStride → `sums` [outputs].
 * Of the sum, at most 2⁻²³ is lost per addition that a weight goes through: 64 within its block, one per block after it.
 */
export const energies: Kernel<EnergiesSource, EnergiesShape> = {
  name: "stats/energies",
  wgsl: shaderSource("stats/energies"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: ({ outputs, length, outputStride, innerStride, exponent }) => [
    outputs,
    length,
    outputStride,
    innerStride,
    exponent >>> 0,
  ],
  invocations: (_source, { outputs }) => outputs,
  wasm: (_source, { outputs }) => [{ name: "energies", pieces: Math.ceil(outputs / OUTPUTS_PER_PIECE) }],
  oracle: energiesOracle,
};
