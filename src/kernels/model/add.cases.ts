import { type KernelCase, kernelCase } from "../test-case.ts";
import { add } from "./add.ts";
import { compareFloats } from "./compare-floats.ts";
import { normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";

/** Around the edges of vectors, invocations (32) and pieces (8192). */
export const addCases: readonly KernelCase[] = [1, 3, 4, 31, 64, 8191, 8193, 20_002].map((elements) =>
  kernelCase(add, {
    name: `adds ${elements} numbers`,
    source: {},
    shape: { elements },
    // The source goes on behind what is added.
    inputs: [withSlack(streamRows(1, elements, 2)), withSlack(normalWords(elements, elements))],
    outputWords: elements + SLACK_WORDS,
    // WGSL may round a sum either way; numbers below 2⁻¹²⁶ may count as 0.
    compare: compareFloats((index, sum) => (index < elements ? 2 ** -23 * Math.abs(sum) + 2 ** -125 : 0)),
  }),
);
