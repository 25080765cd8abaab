import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { AttentionShape, HeadColumns } from "./attention.oracle.ts";
import { attention } from "./attention.ts";

/** Registers side by side in one buffer or each in its own, and how wide numbers scatter. */
interface Sizes extends Pick<AttentionShape, "heads" | "keyHeads" | "dim" | "window"> {
  /** Rows of each window, one after the other. */
  readonly windows: readonly number[];
  readonly rows?: readonly [first: number, count: number];
  readonly softCap?: number;
  readonly isFused?: boolean;
  readonly spread?: number;
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

export const attentionCases: readonly KernelCase[] = SIZES.map((sizes, seed) => {
  const { windows, heads, keyHeads, dim, window, softCap = 0, isFused = false, spread = 1 } = sizes;
  const random = new SeededRandom(seed);
  const rows = windows.reduce((sum, own) => sum + own, 0);
  const [firstRow, rowCount] = sizes.rows ?? [0, rows];
  const numbers = (width: number) =>
    new Uint32Array(new Float32Array(rows * width).map(() => spread * random.nextNormal()).buffer);
  // As Phi-3 has them, one kind after the other, or as GPT-NeoX, with 4 columns of nobody's before each head.
  const alone = (count: number): HeadColumns => ({ width: count * (dim + 4), start: 4, stride: dim + 4 });
  const width = (heads + 2 * keyHeads) * dim;
  const fused = (before: number): HeadColumns => ({ width, start: before * dim, stride: dim });
  const [query, key, value] = isFused
    ? [fused(0), fused(heads), fused(heads + keyHeads)]
    : [alone(heads), alone(keyHeads), alone(keyHeads)];
  const all = numbers(width);
  const registers = isFused ? [all, all, all] : [query, key, value].map((own) => numbers(own.width));
  const shape = { firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale: dim ** -0.5, window };
  const positions = windows.flatMap((length) => Array.from({ length }, (_, place) => place));
  const outputWords = rows * heads * dim;
  return kernelCase(attention, {
    name: `${heads} heads of ${dim} over ${keyHeads}, windows of ${windows}, rows ${firstRow} to ${firstRow + rowCount}, seeing ${window || "all"}, cap ${softCap}, spread ${spread}`,
    source: { softCap },
    shape,
    inputs: [new Uint32Array(positions), ...(registers as Uint32Array<ArrayBuffer>[]), dirty(outputWords)],
    outputWords,
    compare: compareAttention(shape, spread),
  });
});

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
