import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import {
  type ChannelShape,
  channelStatisticsOracle,
  STATISTICS,
  statisticsBlocks,
} from "./channel_statistics.oracle.ts";

/** Columns that an invocation looks at, and a thread at once; `channel_statistics.as.ts` has the latter too. */
const COLUMNS_PER_INVOCATION = 4;
const COLUMNS_PER_PIECE = 256;

/** Words of `sums`. */
export function channelStatisticsWords({ rows, width }: ChannelShape): number {
  return statisticsBlocks(rows) * STATISTICS * width;
}

/**
 * Extremes and sums of each column of `inputs` [rows, width], float32: `sums` [blocks, 8, width], float32, of each block of
 * 64 rows, the last of which may be shorter, in this order: the largest magnitude, the smallest number, the largest one, Σ |x|,
 * Σ x², Σ x, Σ x³ and Σ x⁴. What blocks add up to is the caller's, in float64. Where a column holds a NaN, its sums are NaN, and
 * its extremes are open; where a power leaves float32, for the fourth at magnitudes of 4 · 10⁹, that sum is infinite.
 */
export const channelStatistics: Kernel<Record<string, never>, ChannelShape> = {
  name: "stats/channel_statistics",
  wgsl: shaderSource("stats/channel_statistics"),
  bindings: [
    { name: "inputs", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, width }) => [rows, width],
  invocations: (_source, { rows, width }) => statisticsBlocks(rows) * Math.ceil(width / COLUMNS_PER_INVOCATION),
  wasm: (_source, { rows, width }) => [
    { name: "channel_statistics", pieces: statisticsBlocks(rows) * Math.ceil(width / COLUMNS_PER_PIECE) },
  ],
  oracle: channelStatisticsOracle,
};
