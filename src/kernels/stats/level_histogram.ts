import type { Kernel } from "../../device/kernel.ts";
import type { IntShape } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type LevelHistogramSource, levelHistogramOracle } from "./level_histogram.oracle.ts";

/** Histograms that invocations share in turn, so that they seldom meet at one counter; the host adds them up. */
export const HISTOGRAM_COPIES = 64;

/** Bins of one histogram: half a level more than the levels at either end. */
export function histogramBins({ bits, binsPerLevel }: LevelHistogramSource): number {
  return (2 ** bits + 1) * binsPerLevel;
}

/** Counts of weight / scale in bins of 1 / binsPerLevel, the outer bins with all that lies beyond. Adds to `counts`. */
export const levelHistogram: Kernel<LevelHistogramSource, IntShape> = {
  name: "stats/level_histogram",
  wgsl: shaderSource("stats/level_histogram"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "counts", access: "write" },
  ],
  isExact: true,
  constants: ({ bits, binsPerLevel }) => ({ BITS: bits, BINS_PER_LEVEL: binsPerLevel, COPIES: HISTOGRAM_COPIES }),
  uniforms: ({ groups, groupSize }) => [groups * groupSize, groupSize],
  invocations: (_source, { groups, groupSize }) => Math.ceil((groups * groupSize) / 128),
  oracle: levelHistogramOracle,
};
