import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { quotientPrecision } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type ClipSearchShape, type ClipSearchSource, clipSearchOracle } from "./clip_search.oracle.ts";

/**
 * The limit to which the weights of each group are best clamped before they are quantized: of ten, from the largest magnitude
 * down to a little more than half of it, that under which the group's part of the product loses least, the mean over
 * `tokens` of (Σ x · restored − Σ x · weight)².
 * - `weights`: elements [rows, cols]; `inputs`: float32 [tokens, cols], finite.
 * - `limits`: float32 [rows, cols / groupSize], each a number of the weights' format; infinity where a weight of the group is
 *   not finite; the largest magnitude where no error is below 10⁹.
 * Codes are exact, errors float32. Source: llm-awq `awq/quantize/auto_clip.py :: auto_clip_layer`, which takes up to 512 tokens.
 */
export const clipSearch: Kernel<ClipSearchSource, ClipSearchShape> = {
  name: "quant/clip_search",
  wgsl: shaderSource("quant/clip_search"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "inputs", access: "read" },
    { name: "limits", access: "write" },
  ],
  isExact: false,
  constants: ({ element, bits, symmetric }) => ({
    ELEMENT: ELEMENT_CODES[element],
    BITS: bits,
    SYMMETRIC: symmetric ? 1 : 0,
    PRECISION: quotientPrecision({ element, arithmetic: "eager" }),
  }),
  uniforms: ({ rows, cols, groupSize, tokens }) => [rows, cols, groupSize, tokens],
  invocations: (_source, shape) => groupsOf(shape),
  wasm: (_source, shape) => [{ name: "clip_search", pieces: groupsOf(shape) }],
  oracle: clipSearchOracle,
};

function groupsOf({ rows, cols, groupSize }: ClipSearchShape): number {
  return (rows * cols) / groupSize;
}
