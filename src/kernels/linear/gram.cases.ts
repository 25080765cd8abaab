import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { type GramShape, gramWords } from "./gram.oracle.ts";
import { gram } from "./gram.ts";

/** Around the edges of tiles (4 columns), panels (32) and sums that are taken as they are (64 rows); odd and even rows of tiles. */
const SHAPES: readonly GramShape[] = [
  { rows: 1, width: 4, firstRow: 0 },
  { rows: 3, width: 8, firstRow: 2 },
  { rows: 64, width: 12, firstRow: 0 },
  { rows: 65, width: 32, firstRow: 1 },
  { rows: 63, width: 36, firstRow: 0 },
  { rows: 200, width: 68, firstRow: 7 },
  { rows: 130, width: 132, firstRow: 0 },
];

/** Totals that nothing was added to yet; what lies beyond the diagonal is not zero, and stays. */
function emptyTotals(width: number): Uint32Array<ArrayBuffer> {
  return new Uint32Array(gramWords({ width })).map((_, at) => (isBeyond(at, width) ? 0xdeadbeef : 0));
}

function isBeyond(at: number, width: number): boolean {
  return at % width > Math.floor(at / width) % width;
}

/** Sums of whole numbers below 2²⁴ are exact in any order. */
const whole = (random: SeededRandom) => (random.nextUint32() % 17) - 8;

const FILLINGS: Readonly<Record<string, (random: SeededRandom, column: number) => number>> = {
  "whole numbers": whole,
  "normal numbers": (random) => random.nextNormal(),
  "channels of unequal size": (random, column) => random.nextNormal() * 2 ** ((column % 24) - 12),
};

const FILLED_CASES = SHAPES.flatMap((shape) =>
  Object.entries(FILLINGS).map(([filling, draw]) => {
    const { rows, width, firstRow } = shape;
    const random = new SeededRandom(rows + width);
    const inputs = new Float32Array((firstRow + rows + 1) * width).map((_, at) => draw(random, at % width));
    return kernelCase(gram, {
      name: `${filling} [${rows}, ${width}] from row ${firstRow} on`,
      source: {},
      shape,
      inputs: [new Uint32Array(inputs.buffer), emptyTotals(width)],
      outputWords: gramWords(shape),
      compare: compareTotals(shape, inputs, () => 0, draw === whole ? 0 : lossPerMagnitude(rows)),
    });
  }),
);

/**
 * What a sum may lose of the magnitudes of its products: a product and each of at most 64 additions may round either way in WGSL,
 * so that each loses 2⁻²³. The compensated additions lose 2⁻⁴⁵ at most.
 */
function lossPerMagnitude(rows: number): number {
  return (Math.min(rows, 64) + 1) * 2 ** -23 + 2 ** -45;
}

/** Totals so large that float32 does not tell one more product: each of 256 products of a call is less than half a unit of them. */
const LARGE = 2 ** 26;

const LOW_PART_CASES = [64, 256].map((rows) => {
  const shape = { rows, width: 8, firstRow: 0 };
  const inputs = new Float32Array(rows * shape.width).fill(0.125);
  const totals = emptyTotals(shape.width);
  const parts = asFloats(totals);
  const places = shape.width ** 2;
  for (let at = 0; at < places; at++) {
    if (!isBeyond(at, shape.width)) [parts[at], parts[places + at]] = [LARGE, -1.5];
  }
  return kernelCase(gram, {
    name: `${rows} products of 2⁻⁶ are not lost beside 2²⁶ − 1.5`,
    source: {},
    shape,
    inputs: [new Uint32Array(inputs.buffer), totals],
    outputWords: gramWords(shape),
    // Of 2⁻⁶ as of all sums here every digit fits: the result is exact.
    compare: compareTotals(shape, inputs, () => LARGE - 1.5, 0),
  });
});

export const gramCases: readonly KernelCase[] = [...FILLED_CASES, ...LOW_PART_CASES];

/**
 * Totals as the sum of their parts against sums in float64. The low part must be less than a unit of the high one (half a unit,
 * and WGSL may round the other way), and what lies beyond the diagonal as it was.
 * @param before the total at a place before the call
 * @param loss of the magnitudes of the products of a sum
 */
function compareTotals(
  { rows, width, firstRow }: GramShape,
  x: Float32Array,
  before: (at: number) => number,
  loss: number,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  return (actual, expected) => {
    const parts = asFloats(actual);
    const places = width * width;
    for (let at = 0; at < places; at++) {
      const [row, column] = [Math.floor(at / width), at % width];
      if (column > row) {
        if (actual[at] === expected[at] && actual[places + at] === expected[places + at]) continue;
        return `${row}, ${column} is beyond the diagonal, and was written`;
      }
      let [sum, magnitudes] = [before(at), 0];
      for (let token = firstRow; token < firstRow + rows; token++) {
        const product = (x[token * width + row] ?? 0) * (x[token * width + column] ?? 0);
        sum += product;
        magnitudes += Math.abs(product);
      }
      const [high, low] = [parts[at] ?? Number.NaN, parts[places + at] ?? Number.NaN];
      const limit = loss * magnitudes;
      if (!(Math.abs(high + low - sum) <= limit))
        return `${row}, ${column}: ${high} + ${low}, expected ${sum} ± ${limit}`;
      if (!(Math.abs(low) <= 2 ** -23 * Math.abs(high))) return `${row}, ${column}: ${low} is no low part of ${high}`;
    }
    return null;
  };
}
