import { dirty, ELEMENTS, fillWeights, qparamsOfWeights, SHAPES } from "../int-inputs.ts";
import { elementsOf, type IntShape } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram, sumCopies } from "./level_histogram.ts";

export const levelHistogramCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  [
    { bits: 4, binsPerLevel: 16 },
    { bits: 3, binsPerLevel: 2 },
    { bits: 8, binsPerLevel: 1 },
  ].flatMap((width) =>
    [true, false].flatMap((symmetric) =>
      [0, 2, 4, 7].map((seed) => {
        const shape = SHAPES[seed] as IntShape;
        const source = { ...width, element, symmetric };
        const weights = fillWeights(shape, element, seed + 400);
        const { scales, zeroPoints } = qparamsOfWeights(weights, shape, source);
        const bins = histogramBins(source);
        const outputWords = bins * HISTOGRAM_COPIES;
        return kernelCase(levelHistogram, {
          name: `${element} int${width.bits} ${symmetric ? "symmetric" : "asymmetric"}, ${width.binsPerLevel} bins a level, groups of ${shape.groupSize}`,
          source,
          shape: { elements: elementsOf(shape), groupSize: shape.groupSize },
          inputs: [weights, scales, zeroPoints, dirty(outputWords).fill(0)],
          outputWords,
          // Copies are spread differently by each device; only their sum is the result.
          compare: (actual, expected) => {
            const [a, e] = [actual, expected].map((counts) => sumCopies(counts, bins));
            const bin = e?.findIndex((count, index) => count !== a?.[index]) ?? -1;
            return bin < 0 ? null : `bin ${bin}: ${a?.[bin]}, expected ${e?.[bin]}`;
          },
        });
      }),
    ),
  ),
);
