import type { DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { widen } from "../../kernels/model/widen.ts";
import { type ChannelStatistics, StatisticsTap } from "../../models/channel-statistics.ts";
import type { Bench } from "../bench.ts";
import type { PlannedMatrix } from "../checkpoint-plan.ts";
import type { LayerWalk } from "./layer-walk.ts";
import { leadersOf } from "./shared-inputs.ts";
import { type PlannedInput, plannedInputs, type StageSetup } from "./stage.ts";

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

/** What goes into matrices of the plan, over the whole calibration text. */
export async function observePlanned(
  setup: StageSetup,
  layer: number,
): Promise<readonly (PlannedInput & { readonly statistics: ChannelStatistics })[]> {
  const inputs = plannedInputs(setup, layer);
  const found = await observeInputs(setup.walk, layer, new Set(inputs.map(({ leader }) => leader)));
  return inputs.map((input) => {
    const statistics = found.get(input.leader);
    if (!statistics) throw new Error(`no statistics of ${input.leader}`);
    return { ...input, statistics };
  });
}

/** Statistics of each column of a matrix, over its rows. */
export async function columnStatistics(bench: Bench, matrix: PlannedMatrix): Promise<ChannelStatistics> {
  const { module, cols, element } = matrix;
  const tap = new StatisticsTap(bench.device);
  await bench.streamTiles({ matrix }, async (tile, bytes) => {
    const { device, scratch } = bench;
    const weights = scratch.filled("weights", bytes);
    const wide = scratch.buffer("widened", tile.rows * cols * 4);
    device.run([call(widen, { element, isTransposed: false }, { rows: tile.rows, cols }, [weights, wide])]);
    await tap.take(module, wide, tile.rows, cols);
  });
  const statistics = tap.statistics.get(module);
  if (!statistics) throw new Error(`${module} has no rows`);
  return statistics;
}
