import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type NormShape, type NormSource, normOracle } from "./norm.oracle.ts";
import { rowStep } from "./pieces.ts";

/**
 * Normalizes pieces of `width` neighbouring numbers, float32: `inputs` [pieces, width], `weight` [width], `bias` [width] →
 * `outputs` [pieces, width], another register than `inputs`.
 *
 * - `rms`: x / √(mean(x²) + epsilon) · (weight + offset) (arXiv:1910.07467, equation 4); the bias is not looked at
 * - `layer`: (x − mean(x)) / √(mean((x − mean(x))²) + epsilon) · (weight + offset) + bias (arXiv:1607.06450, equation 4)
 *
 * With a `rounding`, what is multiplied with the weight is rounded to that format first, as in Llama's norm.
 *
 * Sums are taken in blocks of 64 numbers, and those in turn. Squares must stay within float32, as in PyTorch.
 */
export const norm: Kernel<NormSource, NormShape> = {
  name: "model/norm",
  wgsl: shaderSource("model/norm"),
  bindings: [
    { name: "inputs", access: "read" },
    { name: "weight", access: "read" },
    { name: "bias", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: ({ form, rounding }) => ({ LAYER: form === "layer" ? 1 : 0, ROUNDING: roundingCode(rounding) }),
  uniforms: ({ pieces, width, epsilon, offset }) => [pieces, width, float32Bits(epsilon), float32Bits(offset)],
  invocations: (_source, { pieces }) => pieces,
  wasm: (_source, { pieces, width }) => [rowStep("norm", pieces, width)],
  oracle: normOracle,
};
