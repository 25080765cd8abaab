import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { BLOCK_COLUMNS, type BlockShape } from "./block.ts";
import { factorOf, shuffledOrder, wordsOf } from "./block-inputs.ts";
import { trailingUpdate } from "./trailing_update.ts";

/** Around the edges of tiles (4 × 4, 4 × 8), bands of them (32 rows) and pieces (16 columns); short blocks, and the last but one. */
const SHAPES: readonly BlockShape[] = [
  { rows: 1, cols: 8, first: 0, count: 4 },
  { rows: 4, cols: 40, first: 12, count: 8 },
  { rows: 7, cols: 196, first: 0, count: 128 },
  { rows: 6, cols: 260, first: 128, count: 128 },
  { rows: 37, cols: 420, first: 128, count: 128 },
];

/** Sums of whole numbers below 2²⁴ are exact in any order. */
const whole = (random: SeededRandom) => (random.nextUint32() % 17) - 8;
const normal = (random: SeededRandom) => random.nextNormal();

export const trailingUpdateCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  Object.entries({ whole, normal }).map(([filling, draw]) => {
    const { rows, cols, first, count } = shape;
    const random = new SeededRandom(rows + cols);
    // Beyond the columns of the block are what an earlier one left.
    const errors = new Float32Array(rows * BLOCK_COLUMNS).map((_, at) =>
      at % BLOCK_COLUMNS < count ? draw(random) : Number.NaN,
    );
    const order = shuffledOrder(cols, rows);
    const factor = factorOf(shape, (_, column) => (column < first + count ? Number.NaN : draw(random)));
    const weights = wordsOf(new Float32Array(rows * cols).map(() => draw(random)));
    return kernelCase(trailingUpdate, {
      name: `${filling} numbers, ${cols - first - count} columns of [${rows}, ${cols}] after ${count}`,
      source: {},
      shape,
      inputs: [wordsOf(errors), order, wordsOf(factor), weights],
      outputWords: rows * cols,
      ...(draw === whole ? {} : { compare: compareWeights(shape, errors, order, factor, weights) }),
    });
  }),
);

/**
 * The first weight that is further from the expected one than its additions explain, or null. A product and each addition may
 * round either way in WGSL, so that they lose at most 2⁻²³ of all magnitudes together. Columns up to the end of the block stay.
 */
function compareWeights(
  { cols, first, count }: BlockShape,
  errors: Float32Array,
  order: Uint32Array,
  factor: Float32Array,
  weights: Uint32Array,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  const before = asFloats(weights);
  const placeOf = new Map(Array.from(order, (column, place) => [column, place]));
  return (actual, expected) => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (const [at, right] of wanted.entries()) {
      const [row, place] = [Math.floor(at / cols), placeOf.get(at % cols) ?? 0];
      let limit = 0;
      if (place >= first + count) {
        let magnitudes = Math.abs(before[at] ?? 0);
        for (let k = 0; k < count; k++) {
          magnitudes += Math.abs((errors[row * BLOCK_COLUMNS + k] ?? 0) * (factor[(first + k) * cols + place] ?? 0));
        }
        limit = (count + 2) * 2 ** -23 * magnitudes;
      }
      // A NaN is no distance, and is never within the limit.
      if (Math.abs((found[at] ?? Number.NaN) - right) <= limit) continue;
      return `${row}, place ${place}: ${found[at]}, expected ${right} ± ${limit}`;
    }
    return null;
  };
}
