import { LabError, quote } from "../base/errors.ts";
import { call } from "../device/kernel.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { codeWords } from "../kernels/int-params.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram, sumCopies } from "../kernels/stats/level_histogram.ts";
import { codeRange } from "../schemes/scheme.ts";
import type { HistogramResult, JobHooks, QuantizeRequest } from "./api.ts";
import { Bench } from "./bench.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import type { DeviceSet } from "./device-set.ts";
import { decideMask, pruned } from "./pruner.ts";
import { extremesOf, qparamsRun } from "./qparams-run.ts";
import { groupSizeOf, rowsOf } from "./tiles.ts";

/** Bins of a histogram of weights, at most: of wide codes each level is a bin of its own. */
const MAX_BINS = 512;

/**
 * How the weights of one matrix fall on the levels of a scheme, and how often each code is used.
 * @throws LabError `scheme/unknown-module`, `scheme/no-levels`, `device/…`, `source/…`, `run/cancelled`
 */
export async function histogramOf(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  module: string,
  request: QuantizeRequest,
  devices: DeviceSet,
  hooks: JobHooks,
): Promise<HistogramResult> {
  const matrix = plan.matrices.find((candidate) => candidate.module === module);
  const refuse = (code: string, found: string) =>
    new LabError({
      code: `scheme/${code}`,
      doing: `counting the levels of "${quote(module)}"`,
      found,
      allowed: "a module that the recipe quantizes",
      advice: "choose one from the map",
    });
  if (!matrix) throw refuse("unknown-module", `no such matrix among those that ${plan.recipe.name} changes`);
  const { scheme, element, cols } = matrix;
  if (!scheme) throw refuse("no-levels", "it is pruned only and keeps its type");
  const [lane] = await devices.lanes([plan], (item) => codesOf(item, request.arithmetic));
  if (!lane) throw new Error("a recipe without a lane");
  const { bits, symmetric } = scheme.weights;
  // Two and more bins to a level are a power of two, as the kernel has them.
  let binsPerLevel = 1;
  while (histogramBins({ bits, binsPerLevel: 2 * binsPerLevel }) <= MAX_BINS) binsPerLevel *= 2;
  const bins = histogramBins({ bits, binsPerLevel });
  const countBytes = bins * HISTOGRAM_COPIES * 4;
  const weightCounts = new Array<number>(bins).fill(0);
  const codeCounts = new Array<number>(2 ** bits).fill(0);
  const bench = new Bench(checkpoint, devices, lane, hooks.signal);
  try {
    const mask = plan.recipe.pruning && (await decideMask(bench, matrix, plan.recipe.pruning));
    const isWhole = scheme.weights.granularity.strategy === "tensor";
    const extremes = isWhole ? await extremesOf(bench, matrix, mask) : null;
    await bench.eachTile(matrix, 1, async (tile, bytes) => {
      const { device, scratch } = bench;
      const elements = tile.rows * cols;
      const target = pruned(bench, matrix, mask, rowsOf(tile), scratch.filled("weights", bytes), "histogram");
      const run = qparamsRun(bench, matrix, [scheme], tile.rows, target, extremes, "histogram");
      const groupSize = groupSizeOf(scheme, cols, elements);
      // A byte a code, counted from the lowest level.
      const storage = { storedBits: 8, offset: 2 ** (bits - 1) };
      const shape = { streams: 1, streamLength: elements, groupSize };
      const codes = scratch.buffer("codes", codeWords(shape, storage.storedBits) * 4);
      const counts = scratch.zeroed("counts", countBytes);
      const operands = [target, run.scales, run.zeroPoints];
      device.run([
        ...run.calls,
        call(intQuantize, { element, bits, symmetric, arithmetic: request.arithmetic, ...storage }, shape, [
          ...operands,
          codes,
        ]),
        call(levelHistogram, { element, bits, symmetric, binsPerLevel }, { elements, groupSize }, [
          ...operands,
          counts,
        ]),
      ]);
      const [codeBytes, foundCounts] = await Promise.all([
        device.read(codes, elements),
        device.read(counts, countBytes),
      ]);
      for (const [bin, count] of sumCopies(new Uint32Array(foundCounts.buffer), bins).entries()) {
        weightCounts[bin] = (weightCounts[bin] ?? 0) + count;
      }
      for (const level of codeBytes) codeCounts[level] = (codeCounts[level] ?? 0) + 1;
    });
  } finally {
    bench.destroy();
  }
  return {
    module,
    scheme: scheme.name,
    weights: weightCounts,
    binsPerLevel,
    firstLevel: codeRange(bits).min,
    codes: codeCounts,
  };
}
