import { SeededRandom } from "../../base/random.ts";
import { dirty, fillWeights, SHAPES, scalesOf } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { intDequantize } from "./int_dequantize.ts";
import { codeWords } from "./int_quantize.ts";

export const intDequantizeCases: readonly KernelCase[] = ([4, 8] as const).flatMap((bits) =>
  (["offset", "twos-complement"] as const).flatMap((storage) =>
    SHAPES.map((shape, seed) => {
      const random = new SeededRandom(seed + 200);
      const elements = shape.groups * shape.groupSize;
      const codes = new Uint32Array(codeWords(elements, bits)).map(() => random.nextUint32());
      const outputWords = Math.ceil(elements / 2);
      return kernelCase(intDequantize, {
        name: `int${bits} ${storage} weights of ${shape.groups} groups of ${shape.groupSize}`,
        source: { bits, storage },
        shape,
        inputs: [codes, scalesOf(shape, fillWeights(shape, seed + 200), bits), dirty(outputWords)],
        outputWords,
      });
    }),
  ),
);
