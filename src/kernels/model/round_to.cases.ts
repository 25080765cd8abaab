import { FLOAT_FORMATS, float32Bits } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { normalWords, SLACK_WORDS, withSlack } from "./model-inputs.ts";
import { roundTo } from "./round_to.ts";

/**
 * Every value of the format that begins one of its ranges, the tie behind it, and their float32 neighbours: of subnormals,
 * normal numbers, the largest and what is beyond; then infinities, NaN and the smallest float32.
 */
function corners(element: "bf16" | "f16"): readonly number[] {
  const { fromBits, infinity, precision } = FLOAT_FORMATS[element];
  const smallestNormal = 2 ** (precision - 1);
  const starts = [0, 1, 2, 3, smallestNormal - 2, smallestNormal - 1, smallestNormal, smallestNormal + 1];
  const large = [infinity - 3, infinity - 2, infinity - 1];
  const near = [...starts, ...large].flatMap((bits) => {
    const [value, step] = [fromBits(bits), fromBits(Math.max(1, bits)) - fromBits(Math.max(1, bits) - 1)];
    return [value, value + step / 2].flatMap((number) => {
      const own = float32Bits(number);
      return [own - 1, own, own + 1].filter((other) => other >= 0);
    });
  });
  const special = [1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff];
  return [...near, ...special].flatMap((bits) => [bits, bits + 0x80000000]);
}

/** Around the edges of vectors, invocations (32) and pieces (8192); any bits, then numbers as registers hold them. */
export const roundToCases: readonly KernelCase[] = (["bf16", "f16"] as const).flatMap((element) => {
  const random = new SeededRandom(5);
  const special = corners(element);
  const fillings = [
    { what: "corners of the format", values: Uint32Array.from(special) },
    ...[1, 3, 33, 8193, 50_000].map((count) => ({
      what: `${count} random bits`,
      values: new Uint32Array(count).map(() => random.nextUint32()),
    })),
    { what: "normal numbers", values: normalWords(10_001, 3) },
    { what: "subnormals of f16", values: normalWords(10_001, 3, 2 ** -16) },
  ];
  return fillings.map(({ what, values }) =>
    kernelCase(roundTo, {
      name: `${element}, ${what}`,
      source: { element },
      shape: { elements: values.length },
      inputs: [withSlack(values)],
      outputWords: values.length + SLACK_WORDS,
    }),
  );
});
