import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type LevelHistogramShape, type LevelHistogramSource, levelHistogramOracle } from "./level_histogram.oracle.ts";

/** Histograms that invocations share in turn, so that they seldom meet at one counter; the host adds them up. */
export const HISTOGRAM_COPIES = 16;

/** Weights that a thread handles at once; `level_histogram.as.ts` has the same number. */
const WEIGHTS_PER_PIECE = 4096;

/** Bins of one histogram: half a level more than the levels at either end. */
export function histogramBins({ bits, binsPerLevel }: Pick<LevelHistogramSource, "bits" | "binsPerLevel">): number {
  return (2 ** bits + 1) * binsPerLevel;
}

/** Counts of weight / scale + zero point in bins of 1 / binsPerLevel, the outer ones with all beyond. Adds to `counts`. */
export const levelHistogram: Kernel<LevelHistogramSource, LevelHistogramShape> = {
  name: "stats/level_histogram",
  wgsl: shaderSource("stats/level_histogram"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "counts", access: "write" },
  ],
  isExact: true,
  constants: ({ element, bits, symmetric, binsPerLevel }) => ({
    ELEMENT: ELEMENT_CODES[element],
    BITS: bits,
    SYMMETRIC: symmetric ? 1 : 0,
    BINS_PER_LEVEL: binsPerLevel,
    COPIES: HISTOGRAM_COPIES,
  }),
  uniforms: ({ elements, groupSize }) => [elements, groupSize],
  invocations: (_source, { elements }) => Math.ceil(elements / 128),
  wasm: (_source, { elements }) => [{ name: "level_histogram", pieces: Math.ceil(elements / WEIGHTS_PER_PIECE) }],
  oracle: levelHistogramOracle,
};

/** The copies added up: one count per bin. */
export function sumCopies(counts: Uint32Array, bins: number): number[] {
  const sums = new Array<number>(bins).fill(0);
  counts.forEach((count, index) => {
    sums[index % bins] = (sums[index % bins] ?? 0) + count;
  });
  return sums;
}
