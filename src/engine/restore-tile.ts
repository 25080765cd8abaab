import type { FloatName } from "../base/float-format.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { type AnyKernel, call } from "../device/kernel.ts";
import { elementWords } from "../kernels/elements.ts";
import { codeWords } from "../kernels/int-params.ts";
import { add } from "../kernels/model/add.ts";
import { widen } from "../kernels/model/widen.ts";
import { intDequantize } from "../kernels/quant/int_dequantize.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { rangeSearch } from "../kernels/quant/range_search.ts";
import { scaleLines } from "../kernels/smoothing/scale_lines.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { type Arithmetic, rangeSearcher, type Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CheckpointPlan, PlannedMatrix } from "./checkpoint-plan.ts";
import { elementValues } from "./element-values.ts";
import { decideMask, type PruningMask, pruned, pruningKernels } from "./pruner.ts";
import { type QparamsRun, qparamsRun, rangesOf } from "./qparams-run.ts";
import { type MatrixRanges, NO_RANGES } from "./range-search.ts";
import { groupSizeOf, rowsOf, type Tile } from "./tiles.ts";

/** A recipe on one matrix, with what it takes from a look at all of it. Plain data: it outlives a device. */
export interface MatrixRecipe {
  readonly matrix: PlannedMatrix;
  readonly arithmetic: Arithmetic;
  readonly mask: PruningMask | null;
  /** Of the pruned matrix. */
  readonly ranges: MatrixRanges;
  /**
   * float32, one for each column: the weights are multiplied with them, quantized, and divided by them again. Null: all 1.
   */
  readonly columnFactors: Float32Array<ArrayBuffer> | null;
  /**
   * float32 [cols], 1 for a column that is loaded back as it was before all of this, 0 for the others; absent: all 0. Neither is
   * rounded: 1·x + 0·y is x, but for the sign of a zero, and for a NaN where y is not finite.
   */
  readonly keptColumns?: Float32Array<ArrayBuffer>;
}

/** Some rows on a device, before and after a recipe. */
export interface RestoredTile {
  /** What is quantized: the original weights, or pruned ones. */
  readonly target: DeviceBuffer;
  /** What is loaded back in their place. */
  readonly restored: DeviceBuffer;
  /** Its type: the weights', float32 where columns are kept. */
  readonly element: FloatName;
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

/**
 * Decides what a recipe does to a matrix; takes passes over it where one scale, a share of all its weights or a search for
 * ranges asks for them.
 */
export async function prepareMatrix(
  bench: Bench,
  { pruning }: CheckpointPlan,
  matrix: PlannedMatrix,
  arithmetic: Arithmetic,
): Promise<MatrixRecipe> {
  const mask = pruning && (await decideMask(bench, matrix, pruning));
  return { matrix, arithmetic, mask, ranges: await rangesOf(bench, [matrix], mask), columnFactors: null };
}

/** A matrix that a recipe leaves as it was. */
export function leftMatrix(matrix: PlannedMatrix, arithmetic: Arithmetic): MatrixRecipe {
  const left = { ...matrix, source: matrix.original, scaleSource: null, scheme: null };
  return { matrix: left, arithmetic, mask: null, ranges: NO_RANGES, columnFactors: null };
}

/** Has the device work out the scales of a tile alone. `bytes` may be reused as soon as the call returns. */
export function scaleTile(
  bench: Bench,
  recipe: MatrixRecipe,
  scheme: Scheme,
  tile: Tile,
  bytes: Uint8Array,
): QparamsRun {
  const { matrix, mask, ranges } = recipe;
  const target = pruned(bench, matrix, mask, rowsOf(tile), bench.scratch.filled("weights", bytes), "sheet");
  const run = qparamsRun(bench, matrix, [scheme], tile.rows, target, ranges, "sheet");
  bench.device.run(run.calls);
  return run;
}

/** Has the device work out what is loaded back in place of a tile. `bytes` may be reused as soon as the call returns. */
export async function restoreTile(
  bench: Bench,
  recipe: MatrixRecipe,
  tile: Tile,
  bytes: Uint8Array,
): Promise<RestoredTile> {
  const weights = bench.scratch.filled("weights", bytes);
  return restoreUploaded(bench, recipe, tile, weights, await scaledRows(bench, recipe.matrix, tile));
}

/** The rows whose scales a matrix has, on the device; null where they are its own. */
export async function scaledRows(
  { scratch }: Bench,
  { scaleSource }: PlannedMatrix,
  { start, end }: Tile,
): Promise<DeviceBuffer | null> {
  return scaleSource && scratch.filled("weights of the scales", await scaleSource.read(start, end));
}

/**
 * Values of the rows that a tile's errors are measured against. `bytes` of the tile may be reused as soon as the call returns.
 */
export async function originalRows(
  { original, source, element }: PlannedMatrix,
  { start, end }: Tile,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  return elementValues(original === source ? bytes : await original.read(start, end), element);
}

/**
 * The same for a tile that is on the device.
 * @param scaled the weights whose scales it has, where they are others: `scaleSource` of the matrix
 */
export function restoreUploaded(
  bench: Bench,
  recipe: MatrixRecipe,
  tile: Tile,
  weights: DeviceBuffer,
  scaled: DeviceBuffer | null = null,
): RestoredTile {
  const { device, scratch } = bench;
  const { matrix, arithmetic, mask, ranges, columnFactors } = recipe;
  const { element, cols, scheme } = matrix;
  const elements = tile.rows * cols;
  const factors = columnFactors && scratch.filled("column factors", new Uint8Array(columnFactors.buffer));
  const lines = { rows: tile.rows, cols };
  let target = pruned(bench, matrix, mask, rowsOf(tile), weights, "sheet");
  if (factors) {
    const times = scratch.buffer("times factors", elementWords(elements, element) * 4);
    device.run([call(scaleLines, { element, axis: "columns", operation: "times" }, lines, [target, factors, times])]);
    target = times;
  }
  const loaded = (restored: DeviceBuffer) => keepColumns(bench, recipe, tile, weights, restored);
  if (!scheme) return { target, ...loaded(target), coded: null };
  const run = qparamsRun(bench, matrix, [scheme], tile.rows, scaled ?? target, ranges, "sheet");
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
  const coded = { run, codes, groupSize, groups: run.places[0]?.groups ?? 0 };
  if (!factors) return { target, ...loaded(restored), coded };
  const over = scratch.buffer("over factors", elementWords(elements, element) * 4);
  device.run([call(scaleLines, { element, axis: "columns", operation: "over" }, lines, [restored, factors, over])]);
  return { target, ...loaded(over), coded };
}

/** What is restored, with the columns that are kept in their places. */
function keepColumns(
  { device, scratch }: Bench,
  { matrix: { element, cols }, keptColumns }: MatrixRecipe,
  { rows }: Tile,
  weights: DeviceBuffer,
  restored: DeviceBuffer,
): Pick<RestoredTile, "restored" | "element"> {
  if (!keptColumns) return { restored, element };
  const elements = rows * cols;
  const side = (name: string, values: DeviceBuffer, factors: Float32Array<ArrayBuffer>) => {
    const lines = scratch.filled(`columns of ${name}`, new Uint8Array(factors.buffer));
    const wide = scratch.buffer(`widened ${name}`, elements * 4);
    const part = scratch.buffer(`part of ${name}`, elements * 4);
    device.run([
      call(widen, { element, isTransposed: false }, { rows, cols }, [values, wide]),
      call(scaleLines, { element: "f32", axis: "columns", operation: "times" }, { rows, cols }, [wide, lines, part]),
    ]);
    return part;
  };
  const others = side(
    "what is rounded",
    restored,
    keptColumns.map((kept) => 1 - kept),
  );
  const kept = side("what is kept", weights, keptColumns);
  device.run([call(add, {}, { elements }, [kept, others])]);
  return { restored: others, element: "f32" };
}

/** The kernels that keeping columns takes besides those of restoring and of running a model. */
export const KEEPING_KERNELS: readonly AnyKernel[] = [scaleLines, add] as readonly unknown[] as readonly AnyKernel[];

/** The kernels that restoring takes, for a report. */
export function restoringKernels({ recipe }: CheckpointPlan, { scheme }: PlannedMatrix): readonly AnyKernel[] {
  const pruning = recipe.pruning ? pruningKernels(recipe.pruning) : [];
  return scheme ? [...pruning, ...scalingKernels([scheme]), intQuantize, intDequantize] : pruning;
}

/** The kernels that make scales of weights, for a report. */
export function scalingKernels(schemes: readonly Scheme[]): readonly AnyKernel[] {
  const searches = schemes.some(({ weights }) => rangeSearcher(weights) !== null);
  return searches ? [minMax, rangeSearch, intQparams] : [minMax, intQparams];
}
