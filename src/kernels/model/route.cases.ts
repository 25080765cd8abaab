import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats } from "./compare-floats.ts";
import { floatWords, SLACK_WORDS, withSlack } from "./model-inputs.ts";
import type { RouteShape } from "./route.oracle.ts";
import { route } from "./route.ts";

const SHAPES: readonly RouteShape[] = [
  { rows: 1, experts: 1, topK: 1 },
  { rows: 5, experts: 4, topK: 2 },
  { rows: 70, experts: 8, topK: 2 },
  { rows: 13, experts: 60, topK: 4 },
  { rows: 9, experts: 6, topK: 6 },
  { rows: 66, experts: 128, topK: 8 },
];

/** Rows of usual logits, of whole ones with many ties, of equal ones, far apart, far from 0, and of one without a chance. */
function logitsOf({ rows, experts }: RouteShape): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(experts);
  const fillings = [
    () => 2 * random.nextNormal(),
    () => random.nextUint32() % 3,
    () => 0.5,
    () => 60 * random.nextNormal(),
    () => 1e4 + random.nextNormal(),
    (expert: number) => (expert % 4 === 3 ? Number.NEGATIVE_INFINITY : -expert),
  ];
  return floatWords(
    Array.from(
      { length: rows * experts },
      (_, i) => fillings[Math.floor(i / experts) % fillings.length]?.(i % experts) ?? 0,
    ),
  );
}

export const routeCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  [true, false].map((isNormalized) => {
    const { rows, experts, topK } = shape;
    const logits = logitsOf(shape);
    return kernelCase(route, {
      name: `${topK} of ${experts} experts, ${rows} rows${isNormalized ? ", normalized" : ""}`,
      source: { isNormalized },
      shape,
      inputs: [logits, withSlack(new Uint32Array(rows * experts).fill(0xdeadbeef))],
      outputWords: rows * experts + SLACK_WORDS,
      // WGSL's e^y loses 3 + 2|y| units of 2⁻²³, y itself one of its own (y counts twice: for the expert and for the sum);
      // a sum 1 for each addition, a quotient 2.5. What must be 0 is 0: no product makes it more. Below 2⁻¹²⁶ is 0 too.
      compare: compareFloats((index, expected) => {
        if (index >= rows * experts || expected === 0) return 2 ** -126 * (index < rows * experts ? 1 : 0);
        const first = index - (index % experts);
        const largest = Math.max(...asFloats(logits).subarray(first, first + experts));
        const distance = Math.min(largest - (asFloats(logits)[index] ?? 0), 90);
        return 2 ** -23 * (12 + experts + 3 * distance) * expected + 2 ** -125;
      }),
    });
  }),
);
