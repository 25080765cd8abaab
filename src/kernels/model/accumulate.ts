import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type AccumulateShape, type AccumulateSource, accumulateOracle } from "./accumulate.oracle.ts";
import { rowChunks, rowStep } from "./pieces.ts";

/**
 * What one expert adds to its layer's output: `total` [rows, width] += `source` [rows, width] · column `expert` of `weights`
 * [rows, experts], float32. With `isFirst`, `total` is overwritten. Where a weight is 0 the source counts as 0, whatever it
 * holds: in the model, the expert never saw that token.
 */
export const accumulate: Kernel<AccumulateSource, AccumulateShape> = {
  name: "model/accumulate",
  wgsl: shaderSource("model/accumulate"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "source", access: "read" },
    { name: "total", access: "write" },
  ],
  isExact: false,
  constants: ({ isFirst }) => ({ FIRST: isFirst ? 1 : 0 }),
  uniforms: ({ rows, width, experts, expert }) => [rows, width, experts, expert],
  invocations: (_source, { rows, width }) => rowChunks(rows, width),
  wasm: (_source, { rows, width }) => [rowStep("accumulate", rows, width)],
  oracle: accumulateOracle,
};
