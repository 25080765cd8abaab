import type { DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { widen } from "../../kernels/model/widen.ts";
import { STATISTICS } from "../../kernels/stats/channel_statistics.oracle.ts";
import { channelStatistics, channelStatisticsWords } from "../../kernels/stats/channel_statistics.ts";
import { type ChannelStatistics, StatisticsTap } from "../../models/channel-statistics.ts";
import type { Bench } from "../bench.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import type { LayerWalk } from "./layer-walk.ts";
import { leadersOf } from "./shared-inputs.ts";

/** Statistics of what goes into some linear layers of a layer, over the whole calibration text. */
export async function observeInputs(
  walk: LayerWalk,
  layer: number,
  modules: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ChannelStatistics>> {
  const tap = new StatisticsTap(walk.setup.bench.device, leadersOf(walk.steps(layer), modules));
  await walk.observe(layer, {
    async take(module: string, input: DeviceBuffer, rows: number, width: number) {
      if (modules.has(module)) await tap.take(module, input, rows, width);
    },
  });
  return tap.statistics;
}

/** The largest magnitude in each column of a matrix, float64 [cols]. */
export async function columnMaxima(bench: Bench, matrix: PlannedMatrix): Promise<Float64Array> {
  const { cols, element } = matrix;
  const largest = new Float64Array(cols);
  const rows = { start: 0, end: matrix.rows };
  const walk = { matrix, rowMultiple: 1, rows, mostBytes: Number.POSITIVE_INFINITY };
  await bench.streamTiles(walk, async (tile, bytes) => {
    const { device, scratch } = bench;
    const weights = scratch.filled("weights", bytes);
    const wide = scratch.buffer("widened", tile.rows * cols * 4);
    const shape = { rows: tile.rows, width: cols };
    const words = channelStatisticsWords(shape);
    const sums = scratch.buffer("column statistics", words * 4);
    device.run([
      call(widen, { element, isTransposed: false }, { rows: tile.rows, cols }, [weights, wide]),
      call(channelStatistics, {}, shape, [wide, sums]),
    ]);
    const found = new Float32Array((await device.read(sums, words * 4)).buffer);
    for (let block = 0; block < found.length; block += STATISTICS * cols) {
      for (let column = 0; column < cols; column++) {
        largest[column] = Math.max(largest[column] ?? 0, found[block + column] ?? 0);
      }
    }
  });
  return largest;
}
