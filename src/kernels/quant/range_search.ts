import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { elementsOf, groupsOf, quotientPrecision } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type RangeSearchShape, type RangeSearchSource, rangeSearchOracle } from "./range_search.oracle.ts";

/** Words of `best` for so many groups. */
export function bestRangeWords(groups: number): number {
  return 3 * groups;
}

/**
 * One step of the search for the range of each group that loses least: the extremes times `shrink` replace the best so far
 * where Σ |restored − weight|^norm is smaller than under those; scales and codes are exact, errors float32.
 * - `extremes`: two words a group, as `stats/min_max` writes them.
 * - `importance`: float32 [streamLength], a factor for each column; under precision `own` nobody reads it.
 * - `improved`: words, of which that at `slot` becomes 1 where any group has improved, and else stays.
 * - `best`: first the best extremes of all groups, two words each, which `quant/int_qparams` takes as they are; behind them
 *   the error of each, float32. A group whose errors are never finite keeps its extremes and the largest finite number.
 * Which steps there are, and when to stop: `range-steps.ts`.
 */
export const rangeSearch: Kernel<RangeSearchSource, RangeSearchShape> = {
  name: "quant/range_search",
  wgsl: shaderSource("quant/range_search"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "extremes", access: "read" },
    { name: "importance", access: "read" },
    { name: "improved", access: "write" },
    { name: "best", access: "write" },
  ],
  isExact: false,
  constants: ({ element, bits, symmetric, precision }) => ({
    ELEMENT: ELEMENT_CODES[element],
    BITS: bits,
    SYMMETRIC: symmetric ? 1 : 0,
    OWN: precision === "own" ? 1 : 0,
    PRECISION: quotientPrecision({ element, arithmetic: "eager" }),
  }),
  uniforms: (shape) => [
    elementsOf(shape),
    shape.streamLength,
    shape.groupSize,
    groupsOf(shape),
    float32Bits(shape.shrink),
    float32Bits(shape.norm),
    shape.isFirst ? 1 : 0,
    shape.slot,
  ],
  invocations: (_source, shape) => groupsOf(shape),
  wasm: (_source, shape) => [{ name: "range_search", pieces: groupsOf(shape) }],
  oracle: rangeSearchOracle,
};
