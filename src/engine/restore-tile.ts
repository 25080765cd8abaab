import type { DeviceBuffer } from "../device/device.ts";
import { type AnyKernel, call } from "../device/kernel.ts";
import { elementWords } from "../kernels/elements.ts";
import { codeWords } from "../kernels/int-params.ts";
import { intDequantize } from "../kernels/quant/int_dequantize.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CheckpointPlan, PlannedMatrix } from "./checkpoint-plan.ts";
import { decideMask, type PruningMask, pruned, pruningKernels } from "./pruner.ts";
import { extremesOf, type QparamsRun, qparamsRun } from "./qparams-run.ts";
import { groupSizeOf, rowsOf, type Tile } from "./tiles.ts";

/** A recipe on one matrix, with what it takes from a look at all of it. Plain data: it outlives a device. */
export interface MatrixRecipe {
  readonly matrix: PlannedMatrix;
  readonly arithmetic: Arithmetic;
  readonly mask: PruningMask | null;
  /** Of the pruned matrix, as `wholeExtremes` gives them; null where no scale is shared by all of it. */
  readonly extremes: Uint32Array<ArrayBuffer> | null;
}

/** Some rows on a device, before and after a recipe. */
export interface RestoredTile {
  /** What is quantized: the original weights, or pruned ones. */
  readonly target: DeviceBuffer;
  /** What is loaded back in their place, in the weights' type. */
  readonly restored: DeviceBuffer;
  /** Null where the matrix is only pruned. */
  readonly coded: {
    readonly run: QparamsRun;
    /** A byte each, counted from the lowest level. */
    readonly codes: DeviceBuffer;
    /** Weights of a group, as far as they lie in these rows. */
    readonly groupSize: number;
    readonly groups: number;
  } | null;
}

/** Decides what a recipe does to a matrix; takes a pass over it where one scale or a share of all its weights asks for it. */
export async function prepareMatrix(
  bench: Bench,
  { recipe }: CheckpointPlan,
  matrix: PlannedMatrix,
  arithmetic: Arithmetic,
): Promise<MatrixRecipe> {
  const mask = recipe.pruning && (await decideMask(bench, matrix, recipe.pruning));
  const isWhole = matrix.scheme?.weights.granularity.strategy === "tensor";
  return { matrix, arithmetic, mask, extremes: isWhole ? await extremesOf(bench, matrix, mask) : null };
}

/** Has the device work out the scales of a tile alone. `bytes` may be reused as soon as the call returns. */
export function scaleTile(
  bench: Bench,
  recipe: MatrixRecipe,
  scheme: Scheme,
  tile: Tile,
  bytes: Uint8Array,
): QparamsRun {
  const { matrix, mask, extremes } = recipe;
  const target = pruned(bench, matrix, mask, rowsOf(tile), bench.scratch.filled("weights", bytes), "sheet");
  const run = qparamsRun(bench, matrix, [scheme], tile.rows, target, extremes, "sheet");
  bench.device.run(run.calls);
  return run;
}

/** Has the device work out what is loaded back in place of a tile. `bytes` may be reused as soon as the call returns. */
export function restoreTile(bench: Bench, recipe: MatrixRecipe, tile: Tile, bytes: Uint8Array): RestoredTile {
  return restoreUploaded(bench, recipe, tile, bench.scratch.filled("weights", bytes));
}

/** The same for a tile that is on the device. */
export function restoreUploaded(bench: Bench, recipe: MatrixRecipe, tile: Tile, weights: DeviceBuffer): RestoredTile {
  const { device, scratch } = bench;
  const { matrix, arithmetic, mask, extremes } = recipe;
  const { element, cols, scheme } = matrix;
  const elements = tile.rows * cols;
  const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "sheet");
  if (!scheme) return { target, restored: target, coded: null };
  const run = qparamsRun(bench, matrix, [scheme], tile.rows, target, extremes, "sheet");
  const { bits, symmetric } = scheme.weights;
  const groupSize = groupSizeOf(scheme, cols, elements);
  const storage = { storedBits: 8, offset: 2 ** (bits - 1) };
  const shape = { streams: 1, streamLength: elements, groupSize };
  const codes = scratch.buffer("codes", codeWords(shape, storage.storedBits) * 4);
  const restored = scratch.buffer("restored", elementWords(elements, element) * 4);
  const points = [run.scales, run.zeroPoints];
  device.run([
    ...run.calls,
    call(intQuantize, { element, bits, symmetric, arithmetic, ...storage }, shape, [target, ...points, codes]),
    call(intDequantize, { element, symmetric, ...storage }, shape, [codes, ...points, restored]),
  ]);
  return { target, restored, coded: { run, codes, groupSize, groups: run.places[0]?.groups ?? 0 } };
}

/** The kernels that restoring takes, for a report. */
export function restoringKernels({ recipe }: CheckpointPlan, { scheme }: PlannedMatrix): readonly AnyKernel[] {
  const pruning = recipe.pruning ? pruningKernels(recipe.pruning) : [];
  return scheme ? [...pruning, minMax, intQparams, intQuantize, intDequantize] : pruning;
}
