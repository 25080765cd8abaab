import { setHalf } from "../halves.ts";
import { dirty, fillWeights, SHAPES, scalesOf } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { codeWords, intQuantize } from "./int_quantize.ts";

/** Exponents of the quotient around every code: from below the first tie to beyond the largest code. */
const QUOTIENT_EXPONENTS = Array.from({ length: 19 }, (_, index) => index - 9);

/**
 * Every pair of mantissas at every exponent that matters, under scales in the middle of float32 and near either end, where
 * the shader takes another path. Group s has the scale of mantissa 128 + s.
 */
const everyPair = (scaleExponent: number) => {
  const groupSize = 128 * QUOTIENT_EXPONENTS.length;
  const weights = new Uint32Array((128 * groupSize) / 2);
  const scales = new Uint32Array(64);
  for (let s = 0; s < 128; s++) {
    setHalf(scales, s, (scaleExponent << 7) | s);
    QUOTIENT_EXPONENTS.forEach((exponent, block) => {
      const sign = block % 2 === 0 ? 0 : 0x8000;
      for (let x = 0; x < 128; x++) {
        setHalf(weights, s * groupSize + block * 128 + x, sign | ((scaleExponent + exponent) << 7) | x);
      }
    });
  }
  return { shape: { groups: 128, groupSize }, weights, scales };
};

const PAIR_CASES: readonly KernelCase[] = [127, 24, 240].flatMap((scaleExponent) => {
  const { shape, weights, scales } = everyPair(scaleExponent);
  return ([4, 8] as const).flatMap((bits) =>
    (["eager", "triton"] as const).map((arithmetic) => {
      const outputWords = codeWords(shape.groups * shape.groupSize, bits);
      return kernelCase(intQuantize, {
        name: `int${bits} ${arithmetic} codes of every pair of mantissas, scale exponent ${scaleExponent}`,
        source: { bits, arithmetic, storage: "offset" },
        shape,
        inputs: [weights, scales, dirty(outputWords)],
        outputWords,
      });
    }),
  );
});

const FILLED_CASES: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) =>
  (["eager", "triton"] as const).flatMap((arithmetic) =>
    (["offset", "twos-complement"] as const).flatMap((storage) =>
      SHAPES.map((shape, seed) => {
        const weights = fillWeights(shape, seed + 100);
        const outputWords = codeWords(shape.groups * shape.groupSize, bits);
        return kernelCase(intQuantize, {
          name: `int${bits} ${arithmetic} ${storage} codes of ${shape.groups} groups of ${shape.groupSize}`,
          source: { bits, arithmetic, storage },
          shape,
          inputs: [weights, scalesOf(shape, weights, bits), dirty(outputWords)],
          outputWords,
        });
      }),
    ),
  ),
);

export const intQuantizeCases: readonly KernelCase[] = [...FILLED_CASES, ...PAIR_CASES];
