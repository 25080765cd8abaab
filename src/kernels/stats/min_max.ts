import type { FloatName } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { minMaxOracle } from "./min_max.oracle.ts";

/** Groups of `groupSize` weights one after the other; the last may be shorter. */
export interface MinMaxShape {
  readonly elements: number;
  readonly groupSize: number;
}

/**
 * Smallest and largest weight of each group and zero: two words per group, float32 bits without sign, first the largest
 * magnitude among positive weights, then among negative ones. A NaN of either sign counts as larger than infinity.
 */
export const minMax: Kernel<{ readonly element: FloatName }, MinMaxShape> = {
  name: "stats/min_max",
  wgsl: shaderSource("stats/min_max"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "extremes", access: "write" },
  ],
  isExact: true,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: ({ elements, groupSize }) => [elements, groupSize],
  invocations: (_source, { elements, groupSize }) => Math.ceil(elements / groupSize),
  wasm: (_source, { elements, groupSize }) => [{ name: "min_max", pieces: Math.ceil(elements / groupSize) }],
  oracle: minMaxOracle,
};
