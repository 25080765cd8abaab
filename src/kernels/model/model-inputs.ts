import { SeededRandom } from "../../base/random.ts";

/** Words that hold the float32 nearest to each number. */
export function floatWords(values: Iterable<number>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(Float32Array.from(values).buffer);
}

/** `count` normal numbers of a standard deviation, as words of float32. */
export function normalWords(count: number, seed: number, deviation = 1): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(seed);
  return floatWords(Array.from({ length: count }, () => deviation * random.nextNormal()));
}

/** Rows like those of a residual stream: most of usual size, one all zero, one with a huge channel, one large, one small. */
export function streamRows(rows: number, width: number, seed: number): Uint32Array<ArrayBuffer> {
  const random = new SeededRandom(seed);
  const sizes = [1, 0, 1, 1e6, 1e-6];
  return floatWords(
    Array.from({ length: rows * width }, (_, i) => {
      const [row, column] = [Math.floor(i / width), i % width];
      const size = sizes[(row + seed) % sizes.length] ?? 1;
      return size * random.nextNormal() * (row % 3 === 2 && column === 1 ? 1e4 : 1);
    }),
  );
}

/** Words behind those that a kernel may write. */
export const SLACK_WORDS = 5;

/** The same words, and some behind them that must stay as they are. */
export function withSlack(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(words.length + SLACK_WORDS).fill(0xdeadbeef);
  longer.set(words);
  return longer;
}
