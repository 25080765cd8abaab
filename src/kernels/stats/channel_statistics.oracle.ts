import { asFloats } from "../floats.ts";

/** A register: a row a token, a column a channel. */
export interface ChannelShape {
  readonly rows: number;
  readonly width: number;
}

/** Rows whose sums stand in one place; shader and twin have the same number. */
export const ROWS_PER_BLOCK = 64;

/** Numbers of a column of a block; shader and twin have the same number. */
export const STATISTICS = 8;

/** Blocks of `rows` rows. */
export function statisticsBlocks(rows: number): number {
  return Math.ceil(rows / ROWS_PER_BLOCK);
}

/** Column by column, sums in float64. */
export function channelStatisticsOracle(
  _source: Record<string, never>,
  { rows, width }: ChannelShape,
  [inputs = new Uint32Array(), sums = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [x, found] = [asFloats(inputs), asFloats(sums)];
  for (let block = 0; block < statisticsBlocks(rows); block++) {
    const [first, end] = [block * ROWS_PER_BLOCK, Math.min((block + 1) * ROWS_PER_BLOCK, rows)];
    for (let column = 0; column < width; column++) {
      const values = Array.from({ length: end - first }, (_, row) => x[(first + row) * width + column] ?? 0);
      const sumOf = (term: (value: number) => number) => values.reduce((sum, value) => sum + term(value), 0);
      const statistics = [
        Math.max(...values.map(Math.abs)),
        Math.min(...values),
        Math.max(...values),
        sumOf(Math.abs),
        sumOf((value) => value ** 2),
        sumOf((value) => value),
        sumOf((value) => value ** 3),
        sumOf((value) => value ** 4),
      ];
      for (const [which, value] of statistics.entries()) found[(block * STATISTICS + which) * width + column] = value;
    }
  }
}
