import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type RoundShape, type RoundSource, roundOracle } from "./round.oracle.ts";
import { roundConstants, roundInvocations, roundWords } from "./rounding.ts";
import { spanStep } from "./span.ts";

/**
 * What is left of activations that are rounded to integer codes: `values` and `rounded` float32 [rows, width], two buffers, of
 * which only the columns of the span are read and written; `scales` float32; `factors` what goes with each scale: signed bytes
 * as `quant/int_qparams` writes zero points ("simulated", read only where codes have them) or float32 as
 * `activations/served_scales` writes multipliers. Rules, NaN and infinity: `roundOracle`. Every NaN that is written has the
 * bits 7fc00000.
 */
export const round: Kernel<RoundSource, RoundShape> = {
  name: "activations/round",
  wgsl: shaderSource("activations/round"),
  bindings: [
    { name: "values", access: "read" },
    { name: "scales", access: "read" },
    { name: "factors", access: "read" },
    { name: "rounded", access: "write" },
  ],
  isExact: true,
  constants: roundConstants,
  uniforms: roundWords,
  invocations: (_source, shape) => roundInvocations(shape),
  wasm: (_source, shape) => [spanStep("round", shape.rows, shape)],
  oracle: roundOracle,
};
