import { roundHalfEven } from "../../base/float-format.ts";
import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import type { HeadColumns } from "./attention.oracle.ts";
import { type AttentionRoundedShape, type AttentionRoundedSource, attendRounded } from "./attention_rounded.oracle.ts";
import { attentionRounded } from "./attention_rounded.ts";

interface Sizes extends Pick<AttentionRoundedShape, "heads" | "keyHeads" | "dim" | "window"> {
  /** Rows of each window, one after the other. */
  readonly windows: readonly number[];
  readonly rows?: readonly [first: number, count: number];
  readonly softCap?: number;
  /** Registers side by side in one buffer; else each in its own. */
  readonly isFused?: boolean;
}

/** Around the edges of tiles (4 and 16 rows), blocks of keys (32 and 128) and vectors; windows that meet within a tile. */
const SIZES: readonly Sizes[] = [
  { windows: [1], heads: 1, keyHeads: 1, dim: 4, window: 0 },
  { windows: [1, 1, 1, 1, 1], heads: 3, keyHeads: 1, dim: 8, window: 0 },
  { windows: [33, 3, 2, 18], heads: 4, keyHeads: 2, dim: 20, window: 0 },
  { windows: [40, 41], heads: 2, keyHeads: 1, dim: 80, window: 0, isFused: true },
  { windows: [131], heads: 2, keyHeads: 1, dim: 16, window: 0 },
  { windows: [300], heads: 1, keyHeads: 1, dim: 12, window: 0 },
  { windows: [150, 9], heads: 2, keyHeads: 2, dim: 16, window: 5 },
  { windows: [30], heads: 2, keyHeads: 1, dim: 16, window: 1 },
  { windows: [290], heads: 1, keyHeads: 1, dim: 8, window: 131 },
  { windows: [50, 50], heads: 2, keyHeads: 1, dim: 64, window: 33, softCap: 50 },
  { windows: [45], heads: 4, keyHeads: 2, dim: 32, window: 0, softCap: 0.5 },
  { windows: [60, 21], heads: 2, keyHeads: 1, dim: 16, window: 0, rows: [17, 50] },
  { windows: [200], heads: 2, keyHeads: 1, dim: 16, window: 40, rows: [158, 41], isFused: true },
];

export const attentionRoundedCases: readonly KernelCase[] = (["bf16", "f16"] as const).flatMap((rounding) =>
  SIZES.map((sizes, seed) => attentionRoundedCase(sizes, rounding, seed)),
);

function attentionRoundedCase(
  { windows, heads, keyHeads, dim, window, softCap = 0, isFused = false, rows: some }: Sizes,
  rounding: "bf16" | "f16",
  seed: number,
): KernelCase {
  const random = new SeededRandom(seed);
  const positions = windows.flatMap((length) => Array.from({ length }, (_, place) => place));
  const rows = positions.length;
  const [firstRow, rowCount] = some ?? [0, rows];
  // Multiples of 1/8, so that products of queries and keys add up without loss in any order: what they are rounded to is sure.
  // Under a cap multiples of 1/2: of so few scores, none has a tangent within 1e-6 of where rounding goes the other way.
  const parts = softCap === 0 ? 8 : 2;
  const numbers = (width: number) =>
    new Uint32Array(
      new Float32Array(rows * width).map(() => roundHalfEven(parts * random.nextNormal()) / parts).buffer,
    );
  // One kind after the other, or with 4 columns of nobody's before each head.
  const alone = (count: number): HeadColumns => ({ width: count * (dim + 4), start: 4, stride: dim + 4 });
  const fused = (before: number): HeadColumns => ({
    width: (heads + 2 * keyHeads) * dim,
    start: before * dim,
    stride: dim,
  });
  const [query, key, value] = isFused
    ? [fused(0), fused(heads), fused(heads + keyHeads)]
    : [alone(heads), alone(keyHeads), alone(keyHeads)];
  const all = numbers(query.width);
  const registers = isFused ? [all, all, all] : [query, key, value].map(({ width }) => numbers(width));
  const source = { softCap, rounding };
  const shape = { firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale: dim ** -0.5, window };
  const inputs = [new Uint32Array(positions), ...registers, dirty(rows * heads * dim)];
  return kernelCase(attentionRounded, {
    name: `in ${rounding}, ${heads} heads of ${dim} over ${keyHeads}, windows of ${windows}, rows ${firstRow} to ${firstRow + rowCount}, seeing ${window || "all"}, cap ${softCap}`,
    source,
    shape,
    inputs,
    outputWords: rows * heads * dim,
    compare: compareAttention(source, shape, inputs),
  });
}

/**
 * Scores are sure, so that probabilities are off by exponentials of at most 3 + 2 |score − maximum| units in the last place
 * (below 60 for scores of these numbers), and by sums of at most 300: 1e-5 relatively, which may bring one to the next number of
 * the format. Sums of at most 300 products with values, which stay below 5, lose about √300 · 2⁻²³ of that, since as many
 * roundings go up as down. Rows that are not computed keep their bits.
 */
function compareAttention(
  source: AttentionRoundedSource,
  shape: AttentionRoundedShape,
  inputs: readonly Uint32Array[],
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  const { firstRow, rowCount, heads, dim } = shape;
  const outputs = inputs.at(-1) ?? new Uint32Array();
  const [positions, query, key, value] = inputs as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const sizes = new Uint32Array(asFloats(value).map(Math.abs).buffer);
  /** Sums of the sizes of values, all probabilities off by a factor. */
  const sums = (factor: number) => {
    const found = new Uint32Array(outputs.length);
    attendRounded(source, shape, [positions, query, key, sizes, found], factor);
    return asFloats(found);
  };
  return (actual, expected) => {
    const [found, wanted, low, high] = [asFloats(actual), asFloats(expected), sums(1 - 1e-5), sums(1 + 1e-5)];
    for (const [at, bits] of expected.entries()) {
      const row = Math.floor(at / (heads * dim));
      if (row < firstRow || row >= firstRow + rowCount) {
        if (actual[at] !== bits) return `word ${at} is of no row that is computed, and was written`;
        continue;
      }
      const limit = (high[at] ?? 0) - (low[at] ?? 0) + Math.sqrt(300) * 2 ** -23 * 5;
      if (!(Math.abs((found[at] ?? Number.NaN) - (wanted[at] ?? Number.NaN)) <= limit)) {
        return `row ${row}, column ${at % (heads * dim)}: ${found[at]}, expected ${wanted[at]} ± ${limit}`;
      }
    }
    return null;
  };
}
