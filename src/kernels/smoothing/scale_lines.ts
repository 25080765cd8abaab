import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type ScaleLinesShape, type ScaleLinesSource, scaleLinesOracle } from "./scale_lines.oracle.ts";

const WEIGHTS_PER_INVOCATION = 64;

/** Weights that a thread handles at once; `scale_lines.as.ts` has the same number. */
const WEIGHTS_PER_PIECE = 4096;

/**
 * Each column, or row, of a matrix times its factor, or over it: RN(RN_f32(w · s)) or RN(RN_f32(w / s)), ties to even, the outer
 * rounding to the format of the weights, as torch does that computes with float32 scales and stores in the model's dtype.
 * Division is IEEE 754's: over 0 gives infinity, 0 over 0 NaN. Every NaN becomes the format's own, without a sign.
 *
 * `weights` [rows, cols] of a float format; `factors` float32 [cols] or [rows], by `axis` → `rescaled` of the shape and format of
 * `weights`. A half word left over is 0.
 * Source: LLM Compressor 0.14 `modifiers/transform/smoothquant/base.py :: _apply_smoothing`,
 * `modifiers/transform/awq/base.py :: _apply_smoothing, _compute_best_scale`.
 */
export const scaleLines: Kernel<ScaleLinesSource, ScaleLinesShape> = {
  name: "smoothing/scale_lines",
  wgsl: shaderSource("smoothing/scale_lines"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "factors", access: "read" },
    { name: "rescaled", access: "write" },
  ],
  isExact: true,
  constants: ({ element, axis, operation }) => ({
    ELEMENT: ELEMENT_CODES[element],
    COLUMNS: axis === "columns" ? 1 : 0,
    OVER: operation === "over" ? 1 : 0,
  }),
  uniforms: ({ rows, cols }) => [rows, cols],
  invocations: (_source, { rows, cols }) => Math.ceil((rows * cols) / WEIGHTS_PER_INVOCATION),
  wasm: (_source, { rows, cols }) => [{ name: "scale_lines", pieces: Math.ceil((rows * cols) / WEIGHTS_PER_PIECE) }],
  oracle: scaleLinesOracle,
};
