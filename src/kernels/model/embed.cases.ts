import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { compareFloats } from "./compare-floats.ts";
import { embed } from "./embed.ts";
import { normalWords, SLACK_WORDS, streamRows, withSlack } from "./model-inputs.ts";

/** Around the edges of vectors, chunks of columns (32) and pieces (8192 numbers); parts with some, all and none of the tokens. */
const SHAPES = [
  { rows: 1, width: 1, first: 0, count: 1, scale: 1 },
  { rows: 3, width: 5, first: 2, count: 40, scale: 1 },
  { rows: 9, width: 64, first: 0, count: 11, scale: 24 },
  { rows: 70, width: 33, first: 5, count: 3, scale: Math.sqrt(33) },
  { rows: 300, width: 68, first: 0, count: 50, scale: 1 },
  { rows: 5, width: 8200, first: 49, count: 9, scale: 1 },
  { rows: 6, width: 12, first: 100, count: 4, scale: 1 },
];

export const embedCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  [false, true].map((adds) => {
    const { rows, width, first, count, scale } = shape;
    const random = new SeededRandom(rows + width);
    // The edges of the part first.
    const edges = [first, first + count - 1, first + count, first - 1].filter((token) => token >= 0);
    const tokens = new Uint32Array(rows).map((_, i) => edges[i] ?? random.nextUint32() % 60);
    const hidden = streamRows(rows, width, 0);
    return kernelCase(embed, {
      name: `${adds ? "adds" : "writes"} rows ${first} to ${first + count} times ${scale}, [${rows}, ${width}]`,
      source: { adds },
      shape,
      inputs: [tokens, normalWords(count * width, 3), withSlack(hidden)],
      outputWords: rows * width + SLACK_WORDS,
      // WGSL may round the product and the sum either way, and take what is below 2⁻¹²⁶ for 0. Rows of other tokens stay.
      compare: compareFloats((index, value) => {
        const place = (tokens[Math.floor(index / width)] ?? 0) - first;
        if (index >= rows * width || place < 0 || place >= count) return 0;
        const before = adds ? Math.abs(asFloats(hidden)[index] ?? 0) : 0;
        return 2 ** -23 * (2 * Math.abs(value) + before) + 2 ** -125;
      }),
    });
  }),
);
