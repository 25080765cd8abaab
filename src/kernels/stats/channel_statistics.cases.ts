import { SeededRandom } from "../../base/random.ts";
import { asFloats } from "../floats.ts";
import { dirty } from "../int-inputs.ts";
import { type KernelCase, kernelCase } from "../test-case.ts";
import { type ChannelShape, ROWS_PER_BLOCK, STATISTICS } from "./channel_statistics.oracle.ts";
import { channelStatistics, channelStatisticsWords } from "./channel_statistics.ts";

/** Around the edges of vectors (4), pieces (256 columns) and blocks (64 rows). */
const SHAPES: readonly ChannelShape[] = [
  { rows: 1, width: 1 },
  { rows: 3, width: 4 },
  { rows: 64, width: 6 },
  { rows: 65, width: 259 },
  { rows: 200, width: 513 },
];

const FILLINGS: Readonly<Record<string, (random: SeededRandom, column: number) => number>> = {
  "normal numbers": (random) => random.nextNormal(),
  "channels of unequal size": (random, column) => random.nextNormal() * 2 ** ((column % 40) - 30),
  "all negative": (random) => -1 - random.nextUniform(),
  "whole numbers": (random) => (random.nextUint32() % 2001) - 1000,
  "a NaN here and there": (random, column) =>
    column % 3 === 0 && random.nextUniform() < 0.1 ? Number.NaN : random.nextNormal(),
};

export const channelStatisticsCases: readonly KernelCase[] = SHAPES.flatMap((shape) =>
  Object.entries(FILLINGS).map(([filling, draw], seed) => {
    const random = new SeededRandom(seed);
    const inputs = new Float32Array(shape.rows * shape.width).map((_, at) => draw(random, at % shape.width));
    const outputWords = channelStatisticsWords(shape);
    return kernelCase(channelStatistics, {
      name: `${filling} [${shape.rows}, ${shape.width}]`,
      source: {},
      shape,
      inputs: [new Uint32Array(inputs.buffer), dirty(outputWords)],
      outputWords,
      compare: (actual, expected) => compareStatistics(shape, asFloats(actual), asFloats(expected)),
    });
  }),
);

/** Roundings that a term of each sum has behind it before it is added: of x² one, of x²·x two, of x²·x² three, as x² counts twice. */
const ROUNDINGS = [0, 1, 0, 2, 3];

/**
 * Extremes are exact. A term of a sum loses one unit in the last place of itself in WGSL per rounding, and each of the additions
 * as much of what is added up so far, which is at most the sum of magnitudes: of x² and x⁴ the sum itself, of x that of |x|; that
 * of |x|³ is at most √(Σ x² Σ x⁴) (Cauchy and Schwarz). What is below 2⁻¹²⁶ may count as 0. Of a column with a NaN only the sums
 * are held to anything.
 */
function compareStatistics({ width }: ChannelShape, found: Float32Array, wanted: Float32Array): string | null {
  for (const [at, right] of wanted.entries()) {
    const [own, which] = [found[at] ?? Number.NaN, Math.floor(at / width) % STATISTICS];
    const isSum = which >= 3;
    const other = (statistic: number) => wanted[at + (statistic - which) * width] ?? Number.NaN;
    const magnitudes = which === 5 ? other(3) : which === 6 ? Math.sqrt(other(4) * other(7)) : right;
    const relative = (ROWS_PER_BLOCK + (ROUNDINGS[which - 3] ?? 0)) * 2 ** -23;
    const isRight = isSum ? Math.abs(own - right) <= relative * magnitudes + ROWS_PER_BLOCK * 2 ** -126 : own === right;
    if (!(isRight || (Number.isNaN(right) && (!isSum || Number.isNaN(own))))) {
      return `${at % width}, number ${which}: ${own}, expected ${right}`;
    }
  }
  return null;
}
