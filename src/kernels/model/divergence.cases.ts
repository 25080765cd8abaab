import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { blocksOf, type DivergenceShape, WORDS } from "./divergence.oracle.ts";
import { divergence, divergenceWords } from "./divergence.ts";

/** Around the edges of vectors (4) and parts (32), blocks that end with rows and before; rows apart; ids far up. */
const SHAPES: readonly DivergenceShape[] = [
  { rows: 1, columns: 1, stride: 1, first: 0, blockColumns: 1024 },
  { rows: 3, columns: 5, stride: 5, first: 0, blockColumns: 2 },
  { rows: 5, columns: 70, stride: 75, first: 100_000, blockColumns: 33 },
  { rows: 4, columns: 96, stride: 97, first: 7, blockColumns: 32 },
  { rows: 2, columns: 2500, stride: 2500, first: 2500, blockColumns: 1024 },
  { rows: 70, columns: 12, stride: 12, first: 1, blockColumns: 4 },
];

type Fill = (random: SeededRandom, row: number, column: number) => readonly [base: number, other: number];

const logit = (random: SeededRandom) => 4 * random.nextNormal();
const near = (random: SeededRandom, value: number) => value + 0.05 * random.nextNormal();
const pairs = (random: SeededRandom): [number, number] => {
  const value = logit(random);
  return [value, near(random, value)];
};

const FILLINGS: Readonly<Record<string, Fill>> = {
  "a variant": pairs,
  "the original itself": (random) => {
    const value = logit(random);
    return [value, value];
  },
  "nothing in common": (random) => [logit(random), logit(random)],
  "ties for the largest": (random) => [random.nextUint32() % 2, random.nextUint32() % 3],
  "large logits": (random) => {
    const value = 30 * logit(random);
    return [value + 1000, near(random, value) - 1000];
  },
  "some at -infinity in both": (random, _row, column) =>
    column % 3 === 1 ? [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY] : pairs(random),
  "some at -infinity in base alone": (random, row, column) =>
    (column + row) % 5 === 0 ? [Number.NEGATIVE_INFINITY, logit(random)] : pairs(random),
  "some at -infinity in other alone": (random, row, column) =>
    (column + row) % 31 === 4 ? [logit(random), Number.NEGATIVE_INFINITY] : pairs(random),
  "rows all at -infinity": (random, row) =>
    row % 2 === 0 ? [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY] : pairs(random),
  "NaN in one or the other": (random, row, column) => {
    if (column % 40 !== 3 || row % 3 === 2) return pairs(random);
    return row % 3 === 0 ? [Number.NaN, logit(random)] : [logit(random), Number.NaN];
  },
  "infinity in one or the other": (random, row, column) => {
    if (column % 40 !== 3 || row % 3 === 2) return pairs(random);
    return row % 3 === 0 ? [Number.POSITIVE_INFINITY, logit(random)] : [logit(random), Number.POSITIVE_INFINITY];
  },
};

export const divergenceCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  Object.entries(FILLINGS).map(([filling, fill], seed) => {
    const { rows, columns, stride, first, blockColumns } = shape;
    const random = new SeededRandom(seed + columns);
    const [base, other] = [new Float32Array(rows * stride), new Float32Array(rows * stride)];
    for (let at = 0; at < base.length; at++) {
      const [row, column] = [Math.floor(at / stride), at % stride];
      // What lies between rows is larger than all, so that it is seen where it is read.
      const drawn = column < columns ? fill(random, row, column) : [1e6, 1e6];
      [base[at], other[at]] = [drawn[0] ?? 0, drawn[1] ?? 0];
    }
    // Inside of the columns, at their ends, and on either side of them.
    const targets = Uint32Array.from({ length: rows }, (_, row) =>
      Math.max(0, first + ([0, columns - 1, -1, columns, Math.floor(columns / 2)][row % 5] ?? 0)),
    );
    const outputWords = divergenceWords(shape);
    return kernelCase(divergence, {
      name: `${filling}, ${rows} rows of ${columns} from ${first}, blocks of ${blockColumns}`,
      source: {},
      shape,
      inputs: [new Uint32Array(base.buffer), new Uint32Array(other.buffer), targets, dirty(outputWords)],
      outputWords,
      compare: compareDivergence(shape, base, other),
    });
  }),
);

/** One unit in the last place, relatively. */
const UNIT = 2 ** -23;

/** Additions that a number goes through in a block of at most 1024: 8 in a part, 32 parts, 2 for the lanes. */
const ADDITIONS = 8 + 32 + 2;

/**
 * Largest logits, ids, shifts and targets are exact. An exponential may be off by 3 + 2 |x| units in WGSL and its argument by
 * half of one of a logit, a difference by half of one each time, and an addition by one of what is added; all below 2⁻¹²⁶ may be 0.
 * Sums of equal logits are equal to the bit.
 */
function compareDivergence(shape: DivergenceShape, base: Float32Array, other: Float32Array) {
  const blocks = blocksOf(shape);
  return (actual: Uint32Array, expected: Uint32Array): string | null => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (let block = 0; block < shape.rows * blocks; block++) {
      const start = (block % blocks) * shape.blockColumns;
      const from = Math.floor(block / blocks) * shape.stride + start;
      const end = from + Math.min(shape.blockColumns, shape.columns - start);
      const at = block * WORDS;
      const one = sumLimit(base.subarray(from, end), wanted[at] ?? 0);
      const two = sumLimit(other.subarray(from, end), wanted[at + 3] ?? 0);
      const limits = [
        ...[0, one, 0, 0, two, 0],
        crossLimit(base.subarray(from, end), other.subarray(from, end), wanted[at] ?? 0, wanted[at + 7] ?? 0),
        ...[0, 0, 0],
      ];
      const isOpen = [wanted[at + 1], wanted[at + 4]].map(Number.isNaN);
      for (const [word, limit] of limits.entries()) {
        // A side without sums has no largest either, and no shift.
        if ((isOpen[0] && [0, 2, 7].includes(word)) || (isOpen[1] && [3, 5, 7].includes(word))) continue;
        const isId = word === 2 || word === 5;
        const [own, right] = [isId ? actual : found, isId ? expected : wanted].map((words) => words[at + word]) as [
          number,
          number,
        ];
        if (!(Object.is(own, right) || Math.abs(own - right) <= limit)) {
          return `block ${block}, word ${word}: ${own}, expected ${right} ± ${limit}`;
        }
      }
      const isSame = base.subarray(from, end).every((value, index) => value === other[from + index]);
      if (isSame && (actual[at + 1] !== actual[at + 4] || found[at + 6] !== 0 || found[at + 7] !== 0)) {
        return `block ${block}: unlike itself`;
      }
    }
    return null;
  };
}

function sumLimit(logits: Float32Array, largest: number): number {
  const terms = [...logits].filter((value) => value > Number.NEGATIVE_INFINITY);
  return terms.reduce((sum, value) => sum + termLimit(value, largest), 2 ** -110);
}

/** How far a term may be off at the end of all additions. */
function termLimit(value: number, largest: number): number {
  const x = largest - value;
  return Math.exp(-x) * UNIT * (3 + 2 * x + x / 2 + ADDITIONS);
}

function crossLimit(base: Float32Array, other: Float32Array, largest: number, shift: number): number {
  let limit = 2 ** -110;
  for (const [column, value] of base.entries()) {
    const difference = value - (other[column] ?? 0);
    if (value === Number.NEGATIVE_INFINITY || !Number.isFinite(difference)) continue;
    const weight = Math.exp(value - largest);
    limit += Math.abs(difference - shift) * termLimit(value, largest) * 1.1 + weight * UNIT * 2 * Math.abs(difference);
  }
  return limit;
}
