import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type ExtremesShape, extremesOracle } from "./extremes.oracle.ts";
import { spanStep, spanWords } from "./span.ts";

/**
 * Smallest and largest activation of each piece and zero: `values` float32 [rows, width], `extremes` two words a piece,
 * [rows, count, 2], as `stats/min_max` writes them: float32 bits without sign, first the largest magnitude among positive
 * numbers, then among negative ones. A NaN of either sign counts as larger than infinity.
 */
export const extremes: Kernel<Record<string, never>, ExtremesShape> = {
  name: "activations/extremes",
  wgsl: shaderSource("activations/extremes"),
  bindings: [
    { name: "values", access: "read" },
    { name: "extremes", access: "write" },
  ],
  isExact: true,
  constants: () => ({}),
  uniforms: (shape) => [shape.rows, ...spanWords(shape)],
  invocations: (_source, { rows, count }) => rows * count,
  wasm: (_source, shape) => [spanStep("extremes", shape.rows, shape)],
  oracle: extremesOracle,
};
