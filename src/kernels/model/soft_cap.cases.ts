import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";
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
].flatMap((shape) =>
  ([null, "bf16", "f16"] as const).map((rounding) => {
    const values = valuesOf(shape.elements, shape.cap);
    return kernelCase(softCap, {
      name: `caps ${shape.elements} numbers at ${shape.cap}${rounding ? ` in ${rounding}` : ""}`,
      source: { rounding },
      shape,
      inputs: [withSlack(values)],
      outputWords: shape.elements + SLACK_WORDS,
      compare: compareFloats((index, value) => {
        if (index >= shape.elements) return 0;
        return limit(asFloats(values)[index] ?? 0, value, shape.cap, rounding);
      }),
    });
  }),
);

/**
 * What the quotient (2.5 units in the last place), the formula and the product lose; smaller than 2⁻¹²⁶ may count as 0. What
 * is rounded may go to the next number where it is so near to it.
 */
function limit(value: number, expected: number, cap: number, rounding: InnerRounding): number {
  if (rounding === null) return 1e-6 * Math.abs(expected) + 2 ** -125;
  const { round } = FLOAT_FORMATS[rounding];
  const end = (sign: number) => {
    const quotient = round((Math.abs(value) / cap) * (1 + sign * 2 ** -21));
    return cap * round(Math.tanh(quotient) * (1 + sign * 1e-6));
  };
  return end(1) - end(-1) + 2 ** -23 * Math.abs(expected) + 2 ** -125;
}
