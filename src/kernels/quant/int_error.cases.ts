import { dirty, fillWeights, SHAPES, scalesOf } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { ERROR_WORDS, intError, segmentsPerGroup } from "./int_error.ts";

/**
 * 128 float32 additions of positive numbers lose at most 128 · 2⁻²⁴ of their sum, and usually a tenth of it. The signed sum
 * of weight · reconstruction is held to the same share of the energy, from which it cannot be far.
 */
const RELATIVE_TOLERANCE = 128 * 2 ** -24;

/** Weights below 2⁻¹¹⁸ of their scale count as zero in the shader: their square is no float32 number anyway. */
const ABSOLUTE_TOLERANCE = 2 ** -118;

export const intErrorCases: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) =>
  (["eager", "triton"] as const).flatMap((arithmetic) =>
    SHAPES.map((shape, seed) => {
      const weights = fillWeights(shape, seed + 300);
      const outputWords = shape.groups * segmentsPerGroup(shape.groupSize) * ERROR_WORDS;
      return kernelCase(intError, {
        name: `int${bits} ${arithmetic} sums of ${shape.groups} groups of ${shape.groupSize}`,
        source: { bits, arithmetic },
        shape,
        inputs: [weights, scalesOf(shape, weights, bits), dirty(outputWords)],
        outputWords,
        compare: compareSums,
      });
    }),
  ),
);

function compareSums(actual: Uint32Array, expected: Uint32Array): string | null {
  const [a, e] = [actual, expected].map((words) => new Float32Array(words.buffer, words.byteOffset, words.length));
  if (!a || !e) return "nothing to compare";
  for (let at = 0; at < expected.length; at += ERROR_WORDS) {
    if (actual[at + 5] !== expected[at + 5]) {
      return `segment ${at / ERROR_WORDS}: exponent and counts ${actual[at + 5]?.toString(16)}, expected ${expected[at + 5]?.toString(16)}`;
    }
    for (let word = 0; word < 5; word++) {
      const [found = Number.NaN, wanted = Number.NaN] = [a[at + word], e[at + word]];
      const size = word === 3 ? Math.max(Math.abs(wanted), e[at + 1] ?? 0) : Math.abs(wanted);
      if (!(Math.abs(found - wanted) <= RELATIVE_TOLERANCE * size + ABSOLUTE_TOLERANCE)) {
        return `segment ${at / ERROR_WORDS}, word ${word}: ${found}, expected ${wanted}`;
      }
    }
  }
  return null;
}
