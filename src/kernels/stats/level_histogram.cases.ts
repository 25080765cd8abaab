import { dirty, fillWeights, SHAPES, scalesOf } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram } from "./level_histogram.ts";

export const levelHistogramCases: readonly KernelCase[] = (
  [
    { bits: 4, binsPerLevel: 16 },
    { bits: 4, binsPerLevel: 1 },
    { bits: 8, binsPerLevel: 1 },
  ] as const
).flatMap((source) =>
  SHAPES.map((shape, seed) => {
    const weights = fillWeights(shape, seed + 400);
    const outputWords = histogramBins(source) * HISTOGRAM_COPIES;
    return kernelCase(levelHistogram, {
      name: `int${source.bits} histogram, ${source.binsPerLevel} bins a level, ${shape.groups} groups of ${shape.groupSize}`,
      source,
      shape,
      inputs: [weights, scalesOf(shape, weights, source.bits), dirty(outputWords).fill(0)],
      outputWords,
      // Copies are spread differently by each device; only their sum is the result.
      compare: (actual, expected) => {
        const [a, e] = [actual, expected].map((counts) => sumCopies(counts, histogramBins(source)));
        const bin = e?.findIndex((count, index) => count !== a?.[index]) ?? -1;
        return bin < 0 ? null : `bin ${bin}: ${a?.[bin]}, expected ${e?.[bin]}`;
      },
    });
  }),
);

function sumCopies(counts: Uint32Array, bins: number): number[] {
  const sums = new Array<number>(bins).fill(0);
  counts.forEach((count, index) => {
    sums[index % bins] = (sums[index % bins] ?? 0) + count;
  });
  return sums;
}
