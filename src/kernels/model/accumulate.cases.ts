import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { accumulate } from "./accumulate.ts";
import { compareFloats } from "./compare-floats.ts";
import { floatWords, normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";

/** Around the edges of vectors, chunks of columns (32) and pieces (8192 numbers). */
const SHAPES = [
  { rows: 1, width: 4, experts: 1, expert: 0 },
  { rows: 5, width: 33, experts: 4, expert: 3 },
  { rows: 66, width: 64, experts: 8, expert: 5 },
  { rows: 300, width: 68, experts: 3, expert: 0 },
  { rows: 9, width: 1027, experts: 60, expert: 59 },
];

export const accumulateCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  [true, false].map((isFirst) => {
    const { rows, width, experts, expert } = shape;
    const weights = floatWords(
      Array.from({ length: rows * experts }, (_, i) => (Math.floor(i / experts) % 3 === 1 ? 0 : (i % 7) / 7)),
    );
    const source = normalWords(rows * width, rows);
    // What a token's weight of 0 leaves out, so that even an infinity must not be seen.
    const isOut = (row: number) => asFloats(weights)[row * experts + expert] === 0;
    for (let i = 0; i < source.length; i++) if (isOut(Math.floor(i / width))) source[i] = 0x7f800000;
    const total = streamRows(rows, width, 3);
    return kernelCase(accumulate, {
      name: `${isFirst ? "writes" : "adds"} expert ${expert} of ${experts}, [${rows}, ${width}]`,
      source: { isFirst },
      shape,
      inputs: [weights, source, withSlack(total)],
      outputWords: rows * width + SLACK_WORDS,
      // WGSL may round the product and the sum either way; numbers below 2⁻¹²⁶ may count as 0.
      compare: compareFloats((index, sum) => {
        const before = isFirst ? 0 : Math.abs(asFloats(total)[index] ?? 0);
        return index < rows * width ? 2 ** -23 * (2 * Math.abs(sum) + before) + 2 ** -125 : 0;
      }),
    });
  }),
);
