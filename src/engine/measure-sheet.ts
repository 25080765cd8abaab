import { FLOAT_FORMATS } from "../base/float-format.ts";
import { call } from "../device/kernel.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram, sumCopies } from "../kernels/stats/level_histogram.ts";
import { ErrorSums } from "../metrics/matrix-maps.ts";
import { ScaleSums } from "../metrics/scale-maps.ts";
import { codeRange, type Scheme, scaleGrid } from "../schemes/scheme.ts";
import type { JobHooks, QuantizeRequest } from "./api.ts";
import { Bench, MOST_TOGETHER } from "./bench.ts";
import {
  type CheckpointPlan,
  type PlannedMatrix,
  plannedMatrix,
  scaledMatrix,
  weightBytes,
} from "./checkpoint-plan.ts";
import { codesOf } from "./codes.ts";
import { type DeviceSet, kernelReport } from "./device-set.ts";
import { elementBits, elementValues } from "./element-values.ts";
import {
  type MatrixRecipe,
  originalRows,
  prepareMatrix,
  type RestoredTile,
  restoreTile,
  restoringKernels,
  scaleTile,
} from "./restore-tile.ts";
import { ERROR_MAP_LIMITS, type LevelHistogram, type MatrixSheet, SCALE_MAP_LIMITS } from "./sheet.ts";
import { groupSizeOf, rowBytesOf, type Tile } from "./tiles.ts";

/** Bins of a histogram of weights, at most: of wide codes each level is a bin of its own. */
const MAX_BINS = 512;

/**
 * What a recipe does to one matrix, place by place, in one pass over its weights; before it come passes for what needs a
 * look at all of them, after it one over the scales of an f32 matrix, whose median 16 bits do not tell.
 * @throws LabError `scheme/…` for a module that the recipe does not change or cannot take, `device/…`, `source/…`,
 *   `run/cancelled`, `run/row-too-long`
 */
export async function sheetOf(
  plan: CheckpointPlan,
  module: string,
  { arithmetic }: Pick<QuantizeRequest, "arithmetic">,
  devices: DeviceSet,
  { signal }: JobHooks,
): Promise<MatrixSheet> {
  const matrix = plannedMatrix(plan, module);
  const { rows, cols, scheme } = matrix;
  const [lane] = await devices.lanes([plan], (item) => codesOf(item, arithmetic), "measuring");
  if (!lane) throw new Error("a recipe without a lane");
  const bench = new Bench(devices, lane, signal, "measuring", MOST_TOGETHER);
  try {
    const recipe = await prepareMatrix(bench, plan, matrix, arithmetic);
    const errors = new ErrorSums(rows, cols, ERROR_MAP_LIMITS);
    const coding = scheme && new CodingSums(matrix, scheme);
    await bench.eachTile(matrix, 1, async (tile, bytes) => {
      const originals = originalRows(matrix, tile, bytes);
      const restored = await restoreTile(bench, recipe, tile, bytes);
      const [restoredBytes, coded] = await Promise.all([
        bench.device.read(restored.restored, tile.rows * rowBytesOf(matrix)),
        coding?.read(bench, tile, restored),
      ]);
      // Nothing of a tile is added before all of it came back: it may have to be done again.
      errors.addRows(tile.row, await originals, elementValues(restoredBytes, matrix.element));
      if (coded) coding?.add(tile, coded);
    });
    if (scheme && coding?.scales.needsSecondLook) await lookAgain(bench, recipe, scheme, coding.scales);
    const kernels = [...restoringKernels(plan, matrix), ...(scheme ? [levelHistogram] : [])];
    const used = bench.used.length > 0 ? bench.used : [lane];
    return {
      module,
      recipe: plan.recipe.name,
      scheme: scheme?.name ?? null,
      rows,
      cols,
      levels: coding?.levels() ?? null,
      scales: coding?.scales.map() ?? null,
      error: errors.map(),
      channels: errors.channels(),
      samples: errors.samples,
      kernels: used.flatMap((pick) => kernels.map((kernel) => kernelReport(pick, kernel))),
    };
  } finally {
    await bench.close();
  }
}

/** What came back of the codes of a tile. */
interface CodedTile {
  readonly codes: Uint8Array<ArrayBuffer>;
  readonly scales: Uint8Array<ArrayBuffer>;
  readonly counts: Uint8Array<ArrayBuffer>;
  readonly groupSize: number;
}

/** Gathers levels and scales of a matrix tile by tile. */
class CodingSums {
  readonly scales: ScaleSums;
  readonly #matrix: PlannedMatrix;
  readonly #scheme: Scheme;
  readonly #groupsPerRow: number;
  readonly #binsPerLevel: number;
  readonly #weightCounts: number[];
  readonly #codeCounts: number[];

  constructor(matrix: PlannedMatrix, scheme: Scheme) {
    const { rows, cols, element } = matrix;
    const { bits, granularity } = scheme.weights;
    this.#matrix = matrix;
    this.#scheme = scheme;
    const [gridRows, columns] = scaleGrid(granularity, rows, cols);
    // One scale for a matrix has no place among its rows: it is group 0 of every tile.
    this.#groupsPerRow = granularity.strategy === "tensor" ? 0 : columns;
    // A matrix without rows has no tile and no group.
    const shape = { rows: Math.min(gridRows, rows), columns, groupSize: groupSizeOf(scheme, cols, rows * cols) };
    this.scales = new ScaleSums({ ...shape, bits, format: FLOAT_FORMATS[element] }, SCALE_MAP_LIMITS);
    let binsPerLevel = 1;
    // Two and more bins to a level are a power of two, as the kernel has them.
    while (histogramBins({ bits, binsPerLevel: 2 * binsPerLevel }) <= MAX_BINS) binsPerLevel *= 2;
    this.#binsPerLevel = binsPerLevel;
    this.#weightCounts = new Array<number>(histogramBins({ bits, binsPerLevel })).fill(0);
    this.#codeCounts = new Array<number>(2 ** bits).fill(0);
  }

  /** Counts levels on the device and brings everything back; adds nothing. */
  async read({ device, scratch }: Bench, tile: Tile, { target, coded }: RestoredTile): Promise<CodedTile> {
    if (!coded) throw new Error("codes of a matrix that is only pruned");
    const { element, cols } = this.#matrix;
    const { bits, symmetric } = this.#scheme.weights;
    const { run, codes, groupSize, groups } = coded;
    const elements = tile.rows * cols;
    const countBytes = this.#weightCounts.length * HISTOGRAM_COPIES * 4;
    const counts = scratch.zeroed("counts", countBytes);
    const source = { element, bits, symmetric, binsPerLevel: this.#binsPerLevel };
    const operands = [target, run.scales, run.zeroPoints, counts];
    device.run([call(levelHistogram, source, { elements, groupSize }, operands)]);
    const [codesFound, scalesFound, countsFound] = await Promise.all([
      device.read(codes, elements),
      device.read(run.scales, groups * weightBytes(this.#matrix)),
      device.read(counts, countBytes),
    ]);
    return { codes: codesFound, scales: scalesFound, counts: countsFound, groupSize };
  }

  add(tile: Tile, { codes, scales, counts, groupSize }: CodedTile): void {
    const bins = this.#weightCounts.length;
    for (const [bin, count] of sumCopies(new Uint32Array(counts.buffer), bins).entries()) {
      this.#weightCounts[bin] = (this.#weightCounts[bin] ?? 0) + count;
    }
    for (const level of codes) this.#codeCounts[level] = (this.#codeCounts[level] ?? 0) + 1;
    const bits = elementBits(scales, this.#matrix.element);
    this.scales.add(tile.row * this.#groupsPerRow, bits, codes, groupSize);
  }

  levels(): LevelHistogram {
    return {
      weights: this.#weightCounts,
      binsPerLevel: this.#binsPerLevel,
      firstLevel: codeRange(this.#scheme.weights.bits).min,
      codes: this.#codeCounts,
    };
  }
}

/** Walks a matrix for its scales alone. */
async function lookAgain(bench: Bench, recipe: MatrixRecipe, scheme: Scheme, scales: ScaleSums): Promise<void> {
  const { matrix } = recipe;
  await bench.eachTile(scaledMatrix(matrix), 1, async (tile, bytes) => {
    const run = scaleTile(bench, recipe, scheme, tile, bytes);
    const groups = run.places[0]?.groups ?? 0;
    const found = await bench.device.read(run.scales, groups * weightBytes(matrix));
    scales.lookAgain(elementBits(found, matrix.element));
  });
}
