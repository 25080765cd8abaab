import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import {
  type ServedScalesRule,
  type ServedScalesShape,
  type ServedScalesSource,
  servedScalesOracle,
} from "./served_scales.oracle.ts";
import { rowsStep } from "./span.ts";

/** Pipeline constant `RULE`. */
const RULE_CODES: Readonly<Record<ServedScalesRule, number>> = { "int8-token": 0, "int8-token-head": 1 };

const PIECES_PER_STEP = 1024;

/**
 * Scales and multipliers as an engine that serves takes them, from `extremes` [pieces, 2]: `scales` float32 [pieces], what a
 * code is worth, and `multipliers` float32 [pieces], what an activation is multiplied with to make its code. Rules, NaN and
 * infinity: `servedScalesOracle`.
 */
export const servedScales: Kernel<ServedScalesSource, ServedScalesShape> = {
  name: "activations/served_scales",
  wgsl: shaderSource("activations/served_scales"),
  bindings: [
    { name: "extremes", access: "read" },
    { name: "scales", access: "write" },
    { name: "multipliers", access: "write" },
  ],
  isExact: true,
  constants: ({ rule }) => ({ ELEMENT: ELEMENT_CODES.f32, RULE: RULE_CODES[rule] }),
  uniforms: ({ pieces }) => [pieces],
  invocations: (_source, { pieces }) => pieces,
  wasm: (_source, { pieces }) => [rowsStep("served_scales", pieces, PIECES_PER_STEP)],
  oracle: servedScalesOracle,
};
