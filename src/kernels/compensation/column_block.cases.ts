import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { elementWords, setElement } from "../elements.ts";
import { dirty } from "../int-inputs.ts";
import { setByte } from "../int-params.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { BLOCK_COLUMNS } from "./block.ts";
import { compareShares, factorOf, shuffledOrder, wordsOf } from "./block-inputs.ts";
import type { ColumnBlockShape, ColumnBlockSource } from "./column_block.oracle.ts";
import { columnBlock } from "./column_block.ts";
import { scoreOf } from "./scores.oracle.ts";

// Weights and errors are compared bit for bit. WGSL may fuse a product and a sum, and its divisions may be 2.5 ulp off, so that
// the numbers here leave nothing to round, or one step of which there is only one result: divisors are powers of two, and no
// quotient lies near a tie, no score near another or near the threshold, unless they are the same. `column_block.test.ts`
// sees to all of that.

/** Numbers of a case. */
interface Filling {
  readonly name: string;
  weight(random: SeededRandom): number;
  /** Positive, of few enough digits that products with levels are exact. */
  scale(random: SeededRandom, element: FloatName): number;
  diagonal(random: SeededRandom): number;
  /** What a row of the block's factor has beyond its diagonal. */
  factor(diagonal: number, random: SeededRandom): number;
}

const powerOfTwo = (random: SeededRandom, lowest: number, highest: number) =>
  2 ** (lowest + (random.nextUint32() % (highest - lowest + 1)));

/**
 * A weight is an odd number of units of 2⁻¹⁴, and stays one: it takes twice the difference of another to its code. Half a scale is
 * an even number of them, so that no quotient comes to a tie. Columns that change others are few enough that weights stay below
 * 2¹⁰: 24 digits hold them.
 */
const ODD: Filling = {
  name: "odd numbers",
  weight: (random) => (2 * (random.nextUint32() % 24_576) - 24_575) * 2 ** -14,
  scale: (random) => powerOfTwo(random, -3, -1),
  diagonal: (random) => powerOfTwo(random, -2, 0),
  factor: (diagonal, random) =>
    (random.nextUniform() < 1 / 32 ? 2 : 0) * (random.nextUniform() < 0.5 ? -1 : 1) * diagonal,
};

/** Any weights and scales, but nothing to make up for errors: what is left are codes, masks and errors. */
const ALONE: Filling = {
  name: "columns on their own",
  weight: (random) => random.nextNormal() * 0.02 * (random.nextUniform() < 0.02 ? 8 : 1),
  // 8 digits and a level have 17 at most.
  scale: (random) => FLOAT_FORMATS.bf16.round(0.002 * (0.25 + random.nextUniform())),
  diagonal: (random) => powerOfTwo(random, -2, 2),
  factor: () => 0,
};

/** Scales that make subnormal weights of f16. */
const SMALL: Filling = {
  ...ALONE,
  name: "weights near the smallest of f16",
  weight: (random) => random.nextNormal() * 2 ** -15,
  scale: (random) => ((random.nextUint32() % 200) + 1) * 2 ** -24,
};

/** Two magnitudes alone, and equal divisors: most scores are equal. */
const EQUALS: Filling = {
  ...ODD,
  name: "equal scores",
  weight: (random) => [-15 / 32, 15 / 32, 7 / 32][random.nextUint32() % 3] ?? 0,
  diagonal: () => 1,
  factor: () => 0,
};

type Sizes = Omit<ColumnBlockShape, "threshold">;

/** Around the edges of pieces (4 rows), vectors and groups; a whole block, one that is the last and short, one scale for all. */
const SIZES: readonly Sizes[] = [
  { rows: 1, cols: 8, first: 0, count: 8, groupsPerRow: 2, groupSize: 4 },
  { rows: 5, cols: 20, first: 4, count: 13, groupsPerRow: 1, groupSize: 20 },
  { rows: 6, cols: 136, first: 128, count: 7, groupsPerRow: 5, groupSize: 32 },
  { rows: 67, cols: 140, first: 0, count: 128, groupsPerRow: 0, groupSize: 140 },
  { rows: 7, cols: 288, first: 128, count: 128, groupsPerRow: 9, groupSize: 32 },
];

const SCHEMES: readonly Pick<ColumnBlockSource, "element" | "codes">[] = [
  { element: "bf16", codes: { bits: 4, symmetric: true } },
  { element: "bf16", codes: { bits: 4, symmetric: false } },
  { element: "f16", codes: { bits: 8, symmetric: false } },
  { element: "f32", codes: { bits: 3, symmetric: true } },
  { element: "f32", codes: { bits: 8, symmetric: false } },
];

const NONE = { kind: "none" } as const;
const nOfM = (n: number, m: number) => ({ kind: "n-of-m", n, m }) as const;
const THRESHOLD = { kind: "threshold" } as const;
const MASKS = [nOfM(2, 4), nOfM(1, 2), nOfM(3, 5), nOfM(16, 32), nOfM(0, 4), THRESHOLD];

/** One case. Half of the scores are at or below the threshold, which lies between two or, of equal ones, is one. */
function blockCase(source: ColumnBlockSource, sizes: Sizes, filling: Filling): KernelCase {
  const { element, codes, mask } = source;
  const { rows, cols, first, count, groupsPerRow } = sizes;
  const random = new SeededRandom(rows * cols + count);
  const weights = new Float32Array(rows * cols).map(() => filling.weight(random));
  const order = shuffledOrder(cols, count);
  const diagonal = new Float32Array(cols).map(() => filling.diagonal(random));
  const factor = factorOf(sizes, (row, column) => {
    const own = diagonal[row] ?? 0;
    if (row === column) return own;
    return column < first + count ? filling.factor(own, random) : Number.NaN;
  });
  const groups = groupsPerRow === 0 ? 1 : rows * groupsPerRow;
  const scales = dirty(elementWords(groups, element));
  const zeroPoints = dirty(Math.ceil(groups / 4));
  const widest = 2 ** ((codes?.bits ?? 2) - 2);
  for (let group = 0; group < groups; group++) {
    setElement(scales, group, FLOAT_FORMATS[element].toBits(filling.scale(random, element)), element);
    setByte(zeroPoints, group, (random.nextUint32() % (2 * widest + 1)) - widest);
  }
  const threshold = mask.kind === "threshold" ? middleScore(sizes, weights, order, factor) : Number.NaN;
  return kernelCase(columnBlock, {
    name: `${nameOf(source)}, ${filling.name}, ${count} columns from ${first} on of [${rows}, ${cols}]`,
    source,
    shape: { ...sizes, threshold },
    inputs: [
      wordsOf(weights),
      order,
      wordsOf(factor),
      scales,
      zeroPoints,
      dirty(rows * BLOCK_COLUMNS),
      wordsOf(new Float32Array(rows).map(() => random.nextUniform())),
    ],
    outputWords: rows,
    // Only magnitudes are added up. A square, its half and each addition may round either way in WGSL.
    compare: compareShares((count + 2) * 2 ** -23),
  });
}

function nameOf({ element, codes, mask }: ColumnBlockSource): string {
  const rounding =
    codes === null ? "as they are" : `${element} int${codes.bits}${codes.symmetric ? "" : " asymmetric"}`;
  return mask.kind === "n-of-m" ? `${rounding}, ${mask.n} of ${mask.m}` : `${rounding}, ${mask.kind}`;
}

function middleScore(
  { rows, cols, first, count }: Sizes,
  w: Float32Array,
  order: Uint32Array,
  u: Float32Array,
): number {
  const scores = Float32Array.from({ length: rows * count }, (_, at) => {
    const place = first + (at % count);
    const column = order[place] ?? 0;
    return scoreOf(w[Math.floor(at / count) * cols + column] ?? 0, u[place * (cols + 1)] ?? 0);
  }).sort();
  const middle = Math.floor(scores.length / 2);
  return Math.fround(((scores[middle] ?? 0) + (scores[middle + 1] ?? 0)) / 2);
}

export const columnBlockCases: readonly KernelCase[] = [
  blockCase({ element: "bf16", codes: null, mask: nOfM(4, 4) }, SIZES[4] as Sizes, ALONE),
  ...SIZES.flatMap((sizes) => SCHEMES.map((scheme) => blockCase({ ...scheme, mask: NONE }, sizes, ODD))),
  ...SIZES.flatMap((sizes) => SCHEMES.map((scheme) => blockCase({ ...scheme, mask: NONE }, sizes, ALONE))),
  ...SCHEMES.slice(1, 3).map((scheme) => blockCase({ ...scheme, mask: NONE }, SIZES[4] as Sizes, SMALL)),
  ...MASKS.flatMap((mask, at) =>
    [ODD, ALONE, EQUALS].flatMap((filling, other) => {
      const sizes = SIZES[(at + other) % SIZES.length] as Sizes;
      const scheme = SCHEMES[(at + 2 * other) % SCHEMES.length] as (typeof SCHEMES)[number];
      return [
        blockCase({ element: "bf16", codes: null, mask }, sizes, filling),
        blockCase({ ...scheme, mask }, sizes, filling),
      ];
    }),
  ),
];
