import { quote } from "../base/errors.ts";
import { float32Of } from "../base/float-format.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { elementWords } from "../kernels/elements.ts";
import type { ErrorScheme } from "../kernels/quant/int_error.oracle.ts";
import { intError, LEVEL_WORDS, MAX_SCHEMES, sumWords } from "../kernels/quant/int_error.ts";
import { CORNER_NAMES } from "../kernels/quant/int_qparams.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import { pruningName } from "../schemes/pruning.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CheckpointPlan, PlannedMatrix } from "./checkpoint-plan.ts";
import { decideMask, type PruningMask, pruned } from "./pruner.ts";
import { addCorners, cornersAt, extremesOf, qparamsRun, wholeExtremes } from "./qparams-run.ts";
import type { Corner } from "./result.ts";
import { type RowSample, sampleRows, shapeDivergence } from "./row-sample.ts";
import { rowMultipleOf, rowsOf, type Tile } from "./tiles.ts";

/** What a recipe loses on one matrix. */
export interface MatrixMeasurement {
  readonly total: ReconstructionTotal;
  readonly corners: readonly Corner[];
  readonly histogramDivergence: number | null;
  readonly histogramSamples: number;
}

/** Recipes that prune alike, and so share the pruned weights. At most eight schemes, which one run measures. */
interface Family {
  readonly name: string;
  readonly mask: PruningMask | null;
  readonly plans: readonly CheckpointPlan[];
  readonly schemes: readonly (Scheme | null)[];
  /** Of the pruned matrix; null where no scheme has one scale for all of it. */
  readonly extremes: Uint32Array<ArrayBuffer> | null;
  readonly totals: readonly ReconstructionTotal[];
  readonly levels: Uint32Array;
  readonly corners: Uint32Array;
}

/**
 * Measures several recipes on one matrix in one pass over its weights; before it come passes for what needs a look at all
 * of them: one scale for a matrix, a share of the weights, rows or columns to prune.
 * @param matrices the recipes that change this matrix, with what each plans for it
 * @param progress told how many bytes of the matrix are done
 */
export async function measureMatrix(
  bench: Bench,
  matrices: ReadonlyMap<CheckpointPlan, PlannedMatrix>,
  arithmetic: Arithmetic,
  progress: (bytes: number) => void,
): Promise<ReadonlyMap<CheckpointPlan, MatrixMeasurement>> {
  const [matrix] = matrices.values();
  if (!matrix) return new Map();
  const families: Family[] = [];
  for (const plans of familiesOf([...matrices.keys()])) {
    const schemes = plans.map((plan) => matrices.get(plan)?.scheme ?? null);
    families.push(await newFamily(bench, matrix, plans, schemes));
  }
  const sample = sampleRows(matrix);
  await bench.eachTile(matrix, rowMultipleOf([]), async (tile, bytes) => {
    sample.take(tile, bytes);
    const weights = bench.scratch.filled("weights", bytes);
    await Promise.all(families.map((family) => measureTile(bench, matrix, family, tile, weights, arithmetic)));
    progress(tile.end - matrix.tensor.start);
  });
  const results = new Map<CheckpointPlan, MatrixMeasurement>();
  for (const family of families) {
    const divergences = await bench.attempt(`comparing histograms of ${quote(matrix.module)}`, () =>
      divergencesOf(bench, matrix, family, sample, arithmetic),
    );
    for (const [index, plan] of family.plans.entries()) {
      const total = family.totals[index] as ReconstructionTotal;
      const scheme = family.schemes[index] ?? null;
      if (scheme) total.addLevels(family.levels.subarray(index * LEVEL_WORDS), scheme.weights.bits);
      results.set(plan, {
        total,
        corners: scheme ? cornersAt(family.corners, slotOf(family, index), family.mask !== null) : [],
        histogramDivergence: divergences[index] ?? null,
        histogramSamples: sample.rows.length * matrix.cols,
      });
    }
  }
  return results;
}

function familiesOf(plans: readonly CheckpointPlan[]): readonly (readonly CheckpointPlan[])[] {
  const byPruning = new Map<string, CheckpointPlan[]>();
  for (const plan of plans) {
    const name = plan.recipe.pruning ? pruningName(plan.recipe.pruning) : "";
    byPruning.set(name, [...(byPruning.get(name) ?? []), plan]);
  }
  return [...byPruning.values()].flatMap((own) =>
    Array.from({ length: Math.ceil(own.length / MAX_SCHEMES) }, (_, chunk) =>
      own.slice(chunk * MAX_SCHEMES, (chunk + 1) * MAX_SCHEMES),
    ),
  );
}

async function newFamily(
  bench: Bench,
  matrix: PlannedMatrix,
  plans: readonly CheckpointPlan[],
  schemes: readonly (Scheme | null)[],
): Promise<Family> {
  const pruning = plans[0]?.recipe.pruning ?? null;
  const name = plans[0]?.recipe.name ?? "";
  const mask = pruning && (await decideMask(bench, matrix, pruning));
  const needsWhole = schemes.some((scheme) => scheme?.weights.granularity.strategy === "tensor");
  const extremes = needsWhole ? await extremesOf(bench, matrix, mask) : null;
  return {
    name,
    mask,
    plans,
    schemes,
    extremes,
    totals: plans.map(() => new ReconstructionTotal()),
    levels: new Uint32Array(plans.length * LEVEL_WORDS),
    corners: new Uint32Array(plans.length * CORNER_NAMES.length),
  };
}

function quantizedOf({ schemes }: Family): readonly Scheme[] {
  return schemes.filter((scheme) => scheme !== null);
}

/** Place of a recipe's scheme among those of its family that quantize. */
function slotOf({ schemes }: Family, index: number): number {
  return schemes.slice(0, index).filter((scheme) => scheme !== null).length;
}

async function measureTile(
  bench: Bench,
  matrix: PlannedMatrix,
  family: Family,
  tile: Tile,
  weights: DeviceBuffer,
  arithmetic: Arithmetic,
): Promise<void> {
  const { device, scratch } = bench;
  const { element, cols } = matrix;
  const elements = tile.rows * cols;
  const quantized = quantizedOf(family);
  const target = pruned(bench, matrix, family.mask, rowsOf(tile), weights, family.name);
  const run = qparamsRun(bench, matrix, quantized, tile.rows, target, family.extremes, family.name);
  const schemes = family.schemes.map((scheme, index): ErrorScheme => {
    const place = scheme && run.places[slotOf(family, index)];
    if (!place) return { bits: 0, symmetric: true, groupSize: 1, first: 0 };
    const { bits, symmetric } = scheme.weights;
    return { bits, symmetric, groupSize: place.groupSize, first: place.first };
  });
  const levelBytes = family.levels.byteLength;
  const levels = scratch.zeroed(`levels ${family.name}`, levelBytes);
  const sumBytes = sumWords(elements, schemes.length) * 4;
  const sums = scratch.buffer(`sums ${family.name}`, sumBytes);
  device.run([
    ...run.calls,
    call(intError, { element, arithmetic, isPruned: family.mask !== null }, { elements, schemes }, [
      weights,
      target,
      run.scales,
      run.zeroPoints,
      levels,
      sums,
    ]),
  ]);
  const [sumWordsFound, levelsFound, cornersFound] = await Promise.all([
    words(device.read(sums, sumBytes)),
    words(device.read(levels, levelBytes)),
    run.cornerBytes > 0 ? words(device.read(run.corners, run.cornerBytes)) : new Uint32Array(),
  ]);
  // Nothing of a tile is added before all of it came back: it may have to be done again.
  for (const [index, total] of family.totals.entries()) {
    total.addBlocks(sumWordsFound, index, schemes.length, elements, family.schemes[index] !== null);
  }
  for (const [index, word] of levelsFound.entries()) family.levels[index] = (family.levels[index] ?? 0) | word;
  addCorners(family.corners, cornersFound, quantized);
}

async function words(bytes: Promise<Uint8Array<ArrayBuffer>>): Promise<Uint32Array<ArrayBuffer>> {
  return new Uint32Array((await bytes).buffer);
}

/** The weight-histogram divergence of each recipe of a family, on the sampled rows. */
async function divergencesOf(
  bench: Bench,
  matrix: PlannedMatrix,
  family: Family,
  sample: RowSample,
  arithmetic: Arithmetic,
): Promise<readonly (number | null)[]> {
  const { rows } = sample;
  if (rows.length === 0) return family.schemes.map(() => null);
  const bytes = elementWords(rows.length * matrix.cols, matrix.element) * 4;
  const weights = bench.scratch.buffer("sample", bytes);
  bench.device.write(weights, sample.bytes());
  const [positive = 0, negative = 0] = await wholeExtremes(bench, matrix, rows.length, weights, "sample");
  const largest = float32Of(Math.max(positive, negative));
  const target = pruned(bench, matrix, family.mask, rows, weights, "sample");
  const piece = { matrix, rows: rows.length, original: weights, target, extremes: family.extremes };
  return shapeDivergence(bench, piece, family.schemes, largest, arithmetic);
}
