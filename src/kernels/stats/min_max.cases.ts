import { dirty, ELEMENTS, fillWeights, SHAPES } from "../int-inputs.ts";
import { elementsOf, groupsOf } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { minMax } from "./min_max.ts";

export const minMaxCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  SHAPES.map((shape, seed) => {
    const outputWords = 2 * groupsOf(shape);
    return kernelCase(minMax, {
      name: `${element}, ${groupsOf(shape)} groups of ${shape.groupSize}`,
      source: { element },
      shape: { elements: elementsOf(shape), groupSize: shape.groupSize },
      inputs: [fillWeights(shape, element, seed), dirty(outputWords)],
      outputWords,
    });
  }),
);
