import { SeededRandom } from "../../base/random.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { BlockShape } from "./block.ts";
import { compareShares, factorOf, shuffledOrder, wordsOf } from "./block-inputs.ts";
import { scores } from "./scores.ts";

/** Around the edges of invocations (16 scores) and pieces (16 rows), and blocks at either end of a matrix. */
const SHAPES: readonly BlockShape[] = [
  { rows: 1, cols: 4, first: 0, count: 4 },
  { rows: 3, cols: 21, first: 16, count: 5 },
  { rows: 17, cols: 300, first: 128, count: 128 },
  { rows: 33, cols: 129, first: 0, count: 128 },
];

/** Two products and a quotient are 2.5 units in the last place off at most, and the products half a unit each, one twice. */
const RELATIVE = 4 * 2 ** -23;

export const scoresCases: readonly KernelCase[] = SHAPES.map((shape) => {
  const { rows, cols, count } = shape;
  const random = new SeededRandom(rows + cols);
  const outputWords = rows * count;
  return kernelCase(scores, {
    name: `${count} columns from ${shape.first} on of [${rows}, ${cols}]`,
    source: {},
    shape,
    inputs: [
      wordsOf(new Float32Array(rows * cols).map(() => (random.nextUniform() < 0.1 ? 0 : random.nextNormal()))),
      shuffledOrder(cols, rows),
      wordsOf(factorOf(shape, (row, column) => (row === column ? 0.25 + random.nextUniform() : Number.NaN))),
      dirty(outputWords),
    ],
    outputWords,
    compare: compareShares(RELATIVE),
  });
});
