import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords } from "../elements.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { threshold } from "./threshold.ts";

/** Every value of a 16-bit format, zeros, subnormals, infinities and NaN among them. */
const EVERY_HALF = new Uint32Array(2 ** 15).map((_, index) => (2 * index + 1) * 65536 + 2 * index);

/** Float32 bits from all over, then many that are equal and many that differ in their last bit alone. */
function singles(): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(7);
  const corners = [0, 1, 2, 0x7fffff, 0x800000, 0x3cffffff, 0x3d000000, 0x3d000001, 0x7f7fffff, 0x7f800000, 0x7fc00000];
  return new Uint32Array(2 ** 14).map((_, index) => {
    const bits = random.nextUint32();
    return index % 2 === 0 ? bits : (corners[bits % corners.length] ?? 0) + (bits & 0x80000000);
  });
}

/** The two ends of the magnitudes, and places between: zero, a subnormal, usual ones, the largest, infinity, NaN. */
function thresholds(element: FloatName): readonly number[] {
  const { toBits, infinity, nan, sizeBytes } = FLOAT_FORMATS[element];
  return [0, 1, toBits(0.03125) - 1, toBits(0.03125), infinity - 1, infinity, nan, 2 ** (8 * sizeBytes - 1) - 1];
}

/** The whole input, and ends at the edges of a word, of an invocation (64 words) and of a workgroup. */
const COUNTS = [2 ** 14, 1, 2, 127, 128, 129, 8193];

export const thresholdCases: readonly KernelCase[] = (["bf16", "f16", "f32"] as const).flatMap((element) => {
  const weights = element === "f32" ? singles() : EVERY_HALF;
  const everything = element === "f32" ? weights.length : 2 * weights.length;
  const shapes = [
    ...thresholds(element).map((limit) => ({ elements: everything, threshold: limit })),
    ...COUNTS.map((elements) => ({ elements, threshold: FLOAT_FORMATS[element].toBits(2 ** -16) })),
  ];
  return shapes.map((shape) => {
    const outputWords = elementWords(shape.elements, element);
    return kernelCase(threshold, {
      name: `threshold ${shape.threshold.toString(16)} on ${shape.elements} ${element} weights`,
      source: { element },
      shape,
      inputs: [weights, new Uint32Array(outputWords).fill(0xdeadbeef)],
      outputWords,
    });
  });
});
