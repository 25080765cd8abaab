import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords } from "../elements.ts";
import { dirty, ELEMENTS, fillWeights, SHAPES } from "../int-inputs.ts";
import { elementsOf, groupsOf } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { clip } from "./clip.ts";

const CORNERS = [0, Number.POSITIVE_INFINITY, 2 ** -149, 2 ** -25, 65519, 65520, 3.4e38, 2 ** -126, 1];

/** Limits in the range of the weights, of the format and between its numbers, and corners. */
function limitsOf(groups: number, round: (value: number) => number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(groups);
  const limits = Float32Array.from({ length: groups }, (_, group) => {
    const usual = 0.05 * random.nextUniform();
    if (group % 5 === 4) return CORNERS[((group - 4) / 5) % CORNERS.length] ?? 0;
    return group % 2 === 0 ? usual : round(usual);
  });
  return new Uint32Array(limits.buffer);
}

export const clipCases: readonly KernelCase[] = ELEMENTS.flatMap((element) =>
  SHAPES.map((shape, seed) => {
    const outputWords = elementWords(elementsOf(shape), element);
    return kernelCase(clip, {
      name: `${element}, ${groupsOf(shape)} groups of ${shape.groupSize}`,
      source: { element },
      shape: { elements: elementsOf(shape), groupSize: shape.groupSize },
      inputs: [
        fillWeights(shape, element, seed + 600),
        limitsOf(groupsOf(shape), FLOAT_FORMATS[element].round),
        dirty(outputWords),
      ],
      outputWords,
    });
  }),
);
