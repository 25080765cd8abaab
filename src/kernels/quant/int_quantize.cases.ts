import { type KernelCase, kernelCase } from "../test-case.ts";
import { codeWords, intQuantize } from "./int_quantize.ts";
import { dirty, fillWeights, SHAPES, scalesOf } from "./int-inputs.ts";

export const intQuantizeCases: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) =>
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
