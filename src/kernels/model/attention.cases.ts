import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { AttentionShape, HeadColumns } from "./attention.oracle.ts";
import { attention } from "./attention.ts";

/** Registers side by side in one buffer or each in its own, and how wide numbers scatter. */
interface Heads extends Pick<AttentionShape, "heads" | "keyHeads" | "dim" | "window"> {
  readonly rows?: readonly [first: number, count: number];
  readonly softCap?: number;
  readonly isFused?: boolean;
  readonly spread?: number;
}

interface Sizes extends Heads {
  /** Rows of each window, one after the other. */
  readonly windows: readonly number[];
}

interface CachedSizes extends Heads {
  readonly capacity: number;
  /** Of each prompt: rows of its cache before its own. */
  readonly positions: readonly number[];
}

/** Around the edges of tiles (4 and 16 rows), blocks of keys (32 and 128) and vectors; windows that meet within a tile. */
const SIZES: readonly Sizes[] = [
  { windows: [1], heads: 1, keyHeads: 1, dim: 4, window: 0 },
  { windows: [1, 1, 1, 1, 1], heads: 3, keyHeads: 1, dim: 8, window: 0 },
  { windows: [7], heads: 2, keyHeads: 2, dim: 24, window: 0 },
  { windows: [33, 3, 2, 18], heads: 4, keyHeads: 2, dim: 20, window: 0 },
  { windows: [70], heads: 9, keyHeads: 3, dim: 64, window: 0 },
  { windows: [40, 41], heads: 2, keyHeads: 1, dim: 80, window: 0, isFused: true },
  { windows: [131], heads: 2, keyHeads: 1, dim: 16, window: 0 },
  { windows: [300], heads: 1, keyHeads: 1, dim: 12, window: 0 },
  { windows: [150, 9], heads: 2, keyHeads: 2, dim: 16, window: 5 },
  { windows: [90], heads: 2, keyHeads: 1, dim: 16, window: 1 },
  { windows: [290], heads: 1, keyHeads: 1, dim: 8, window: 131 },
  { windows: [50, 50], heads: 2, keyHeads: 1, dim: 256, window: 33, softCap: 50 },
  { windows: [45], heads: 4, keyHeads: 2, dim: 32, window: 0, softCap: 0.5, spread: 4 },
  { windows: [60, 21], heads: 2, keyHeads: 1, dim: 16, window: 0, rows: [17, 50] },
  { windows: [200], heads: 2, keyHeads: 1, dim: 16, window: 40, rows: [158, 41], isFused: true },
  { windows: [64], heads: 2, keyHeads: 2, dim: 64, window: 0, spread: 12 },
];

/** Caches full and all but empty, of one row and of many, one prompt's beside another's of any length; tiles of 4 heads. */
const CACHED_SIZES: readonly CachedSizes[] = [
  { capacity: 1, positions: [0, 0, 0], heads: 2, keyHeads: 1, dim: 8, window: 0 },
  { capacity: 5, positions: [4, 0, 2, 3, 1], heads: 3, keyHeads: 3, dim: 12, window: 0 },
  { capacity: 40, positions: [0, 39, 7, 31, 32, 33], heads: 9, keyHeads: 3, dim: 64, window: 0 },
  { capacity: 300, positions: [299, 127, 128, 129], heads: 4, keyHeads: 2, dim: 16, window: 0, isFused: true },
  { capacity: 70, positions: [3, 69, 16, 5, 50], heads: 2, keyHeads: 1, dim: 20, window: 6, isFused: true },
  { capacity: 33, positions: [32, 1], heads: 2, keyHeads: 2, dim: 8, window: 1 },
  { capacity: 200, positions: [180, 131, 130, 199], heads: 2, keyHeads: 1, dim: 24, window: 131, softCap: 30 },
  { capacity: 20, positions: [9, 19, 4, 12, 7, 0, 18, 3], heads: 4, keyHeads: 1, dim: 32, window: 0, rows: [2, 5] },
  { capacity: 36, positions: [35, 0, 20], heads: 14, keyHeads: 2, dim: 12, window: 9, isFused: true },
  { capacity: 3, positions: Array.from({ length: 37 }, (_, row) => row % 3), heads: 2, keyHeads: 2, dim: 4, window: 2 },
];

export const attentionCases: readonly KernelCase[] = [
  ...SIZES.map((sizes, seed) => {
    const { windows } = sizes;
    const positions = windows.flatMap((length) => Array.from({ length }, (_, place) => place));
    return attentionCase(sizes, seed, `windows of ${windows}`, positions, 0);
  }),
  ...CACHED_SIZES.map((sizes, index) => {
    const { capacity, positions } = sizes;
    const what = `caches of ${capacity}, ${positions.map((place) => place + 1)} rows full`;
    return attentionCase(sizes, SIZES.length + index, what, positions, capacity);
  }),
];

function attentionCase(
  { heads, keyHeads, dim, window, softCap = 0, isFused = false, spread = 1, rows: some }: Heads,
  seed: number,
  what: string,
  positions: readonly number[],
  capacity: number,
): KernelCase {
  const random = new SeededRandom(seed);
  const rows = positions.length;
  const [firstRow, rowCount] = some ?? [0, rows];
  const numbers = (width: number, count = rows) =>
    new Uint32Array(new Float32Array(count * width).map(() => spread * random.nextNormal()).buffer);
  // As Phi-3 has them, one kind after the other, or as GPT-NeoX, with 4 columns of nobody's before each head.
  const alone = (count: number): HeadColumns => ({ width: count * (dim + 4), start: 4, stride: dim + 4 });
  const width = (heads + 2 * keyHeads) * dim;
  const fused = (before: number): HeadColumns => ({ width, start: before * dim, stride: dim });
  const [query, key, value] = isFused
    ? [fused(0), fused(heads), fused(heads + keyHeads)]
    : [alone(heads), alone(keyHeads), alone(keyHeads)];
  const all = numbers(width);
  const cache = (columns: number) =>
    withoutUnseen(numbers(columns, rows * capacity), columns, positions, capacity, window);
  const registersOf = (): readonly Uint32Array[] => {
    if (!isFused) return [query, key, value].map((own, at) => (at > 0 && capacity > 0 ? cache : numbers)(own.width));
    const pairs = capacity > 0 ? cache(width) : all;
    return [all, pairs, pairs];
  };
  const registers = registersOf();
  const shape = { firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale: dim ** -0.5, window, capacity };
  const outputWords = rows * heads * dim;
  return kernelCase(attention, {
    name: `${heads} heads of ${dim} over ${keyHeads}, ${what}, rows ${firstRow} to ${firstRow + rowCount}, seeing ${window || "all"}, cap ${softCap}, spread ${spread}`,
    source: { softCap },
    shape,
    inputs: [new Uint32Array(positions), ...(registers as Uint32Array<ArrayBuffer>[]), dirty(outputWords)],
    outputWords,
    compare: compareAttention(shape, spread),
  });
}

/** A cache in which only what the rows see is a number: a kernel that lets anything else count is found out. */
function withoutUnseen(
  cache: Uint32Array<ArrayBuffer>,
  width: number,
  positions: readonly number[],
  capacity: number,
  window: number,
): Uint32Array<ArrayBuffer> {
  for (const [row, place] of positions.entries()) {
    const [first, end] = [row * capacity * width, (row + 1) * capacity * width];
    cache.fill(0x7fc00000, first + (place + 1) * width, end);
    if (window > 0) cache.fill(0x7fc00000, first, first + Math.max(place + 1 - window, 0) * width);
  }
  return cache;
}

/**
 * Scores of normal numbers are sums of about spread² that stay below 4 spread², over which dim roundings lose about
 * √dim 2⁻²³ of that, since as many go up as down. e^(score − maximum) loses that much, relatively, and 3 + 2 |score − maximum|
 * units in the last place more in WGSL; sums of weights, over at most 300 rows, √300 units. Values stay below 5 · spread, in
 * the numerator and in the mean. Rows that are not computed keep their bits.
 */
function compareAttention({ firstRow, rowCount, heads, dim }: AttentionShape, spread: number) {
  const largestScore = 4 * spread ** 2;
  const weightError = 2 ** -23 * (Math.sqrt(dim) * largestScore + 3 + 2 * 2 * largestScore + Math.sqrt(300));
  const limit = 2 * 5 * spread * weightError;
  return (actual: Uint32Array, expected: Uint32Array): string | null => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (const [at, bits] of expected.entries()) {
      const row = Math.floor(at / (heads * dim));
      if (row < firstRow || row >= firstRow + rowCount) {
        if (actual[at] !== bits) return `word ${at} is of no row that is computed, and was written`;
      } else if (!(Math.abs((found[at] ?? Number.NaN) - (wanted[at] ?? Number.NaN)) <= limit)) {
        return `row ${row}, column ${at % (heads * dim)}: ${found[at]}, expected ${wanted[at]} ± ${limit}`;
      }
    }
    return null;
  };
}
