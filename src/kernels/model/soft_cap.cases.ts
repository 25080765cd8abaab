import { SeededRandom } from "../../base/random.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats } from "./compare-floats.ts";
import { floatWords, SLACK_WORDS, withSlack } from "./model-inputs.ts";
import { softCap } from "./soft_cap.ts";

/** Around 0, around where the formula changes (5/8 of the cap), and far beyond the cap. */
const SPECIAL = [0, -0, 1e-30, -1e-10, 1e-3, 0.624, 0.625, 0.626, -0.625, 1, 9, 10, 11, -44, 88, 1e4, -1e6, 1e30];

function valuesOf(elements: number, cap: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(elements);
  return floatWords(
    Array.from({ length: elements }, (_, i) =>
      i < SPECIAL.length ? (SPECIAL[i] ?? 0) * cap : random.nextNormal() * cap * 10 ** (2 * random.nextUniform() - 1.5),
    ),
  );
}

export const softCapCases: readonly KernelCase[] = [
  { elements: 1, cap: 30 },
  { elements: 35, cap: 50 },
  { elements: 8195, cap: 30 },
  { elements: 20_000, cap: 0.5 },
].map((shape) =>
  kernelCase(softCap, {
    name: `caps ${shape.elements} numbers at ${shape.cap}`,
    source: {},
    shape,
    inputs: [withSlack(valuesOf(shape.elements, shape.cap))],
    outputWords: shape.elements + SLACK_WORDS,
    // What the quotient (2.5 units in the last place), the formula and the product lose; smaller than 2⁻¹²⁶ may count as 0.
    compare: compareFloats((index, value) => (index < shape.elements ? 1e-6 * Math.abs(value) + 2 ** -125 : 0)),
  }),
);
