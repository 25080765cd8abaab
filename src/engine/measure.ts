import { quote } from "../base/errors.ts";
import { float32Of } from "../base/float-format.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { ErrorScheme } from "../kernels/quant/int_error.oracle.ts";
import { intError, LEVEL_WORDS, MAX_SCHEMES, sumWords } from "../kernels/quant/int_error.ts";
import { CORNER_NAMES } from "../kernels/quant/int_qparams.ts";
import { ReconstructionTotal } from "../metrics/reconstruction.ts";
import { pruningName } from "../schemes/pruning.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CheckpointPlan, PlannedMatrix } from "./checkpoint-plan.ts";
import { decideMask, type PruningMask, pruned } from "./pruner.ts";
import { addCorners, cornersAt, qparamsRun, rangesOf, wholeExtremes } from "./qparams-run.ts";
import type { MatrixRanges } from "./range-search.ts";
import type { Corner } from "./result.ts";
import { type RowSample, readSampled, sampleRows, shapeDivergence } from "./row-sample.ts";
import { rowMultipleOf, rowsOf, type Tile } from "./tiles.ts";

/** What a recipe loses on one matrix. */
export interface MatrixMeasurement {
  readonly total: ReconstructionTotal;
  readonly corners: readonly Corner[];
  readonly histogramDivergence: number | null;
  readonly histogramSamples: number;
}

/** Recipes of the same weights, pruned alike. At most eight schemes, which one run measures. */
interface Family {
  readonly name: string;
  readonly matrix: PlannedMatrix;
  readonly mask: PruningMask | null;
  readonly plans: readonly CheckpointPlan[];
  readonly schemes: readonly (Scheme | null)[];
  /** Of the pruned matrix. */
  readonly ranges: MatrixRanges;
  readonly totals: readonly ReconstructionTotal[];
  readonly levels: Uint32Array;
  readonly corners: Uint32Array;
}

/**
 * Measures several recipes on one matrix in one pass over its weights; before it come passes for what needs a look at all
 * of them: one scale for a matrix, a search for ranges, a share of the weights, rows or columns to prune.
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
    const own = plans.map((plan) => matrices.get(plan) as PlannedMatrix);
    families.push(await newFamily(bench, plans, own));
  }
  const walked = { ...matrix, source: matrix.original };
  const sample = sampleRows(walked);
  await bench.eachTile(walked, rowMultipleOf([]), async (tile, bytes) => {
    sample.take(tile, bytes);
    const weights = bench.scratch.filled("weights", bytes);
    await Promise.all(
      families.map(async (family) => {
        const rows = await familyRows(bench, family, tile, { source: walked.source, weights });
        await measureTile(bench, family, tile, rows, arithmetic);
      }),
    );
    progress(tile.end - matrix.tensor.start);
  });
  const results = new Map<CheckpointPlan, MatrixMeasurement>();
  for (const family of families) {
    const divergences = await bench.attempt(`comparing histograms of ${quote(matrix.module)}`, () =>
      divergencesOf(bench, family, sample, arithmetic),
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
  const families = new Map<string, CheckpointPlan[]>();
  const checkpoints = new Map<Checkpoint, number>();
  for (const plan of plans) {
    if (!checkpoints.has(plan.checkpoint)) checkpoints.set(plan.checkpoint, checkpoints.size);
    const own = `${checkpoints.get(plan.checkpoint)} ${plan.pruning ? pruningName(plan.pruning) : ""}`;
    families.set(own, [...(families.get(own) ?? []), plan]);
  }
  return [...families.values()].flatMap((own) =>
    Array.from({ length: Math.ceil(own.length / MAX_SCHEMES) }, (_, chunk) =>
      own.slice(chunk * MAX_SCHEMES, (chunk + 1) * MAX_SCHEMES),
    ),
  );
}

async function newFamily(
  bench: Bench,
  plans: readonly CheckpointPlan[],
  matrices: readonly PlannedMatrix[],
): Promise<Family> {
  const [matrix] = matrices;
  if (!matrix) throw new Error("a family without a recipe");
  const schemes = matrices.map(({ scheme }) => scheme);
  const pruning = plans[0]?.pruning ?? null;
  const name = plans[0]?.recipe.name ?? "";
  const mask = pruning && (await decideMask(bench, matrix, pruning));
  const ranges = await rangesOf(bench, matrices, mask);
  return {
    name,
    matrix,
    mask,
    plans,
    schemes,
    ranges,
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

/** Some rows of a family's matrix on the device. */
interface FamilyRows {
  /** What errors are measured against. */
  readonly original: DeviceBuffer;
  /** What is pruned and quantized. */
  readonly weights: DeviceBuffer;
  /** Whose scales they have; null: their own. */
  readonly scaled: DeviceBuffer | null;
}

/** @param walked what is on the device already */
async function familyRows(
  { scratch }: Bench,
  { name, matrix: { source, original, scaleSource } }: Family,
  { start, end }: Tile,
  walked: { readonly source: ByteSource; readonly weights: DeviceBuffer },
): Promise<FamilyRows> {
  const uploaded = new Map([[walked.source, walked.weights]]);
  for (const [own, role] of [
    [original, "original"],
    [source, "changed"],
    [scaleSource, "scales"],
  ] as const) {
    if (own === null || uploaded.has(own)) continue;
    uploaded.set(own, scratch.filled(`${role} ${name}`, await own.read(start, end)));
  }
  return {
    original: uploaded.get(original) ?? walked.weights,
    weights: uploaded.get(source) ?? walked.weights,
    scaled: (scaleSource && uploaded.get(scaleSource)) ?? null,
  };
}

async function measureTile(
  bench: Bench,
  family: Family,
  tile: Tile,
  rows: FamilyRows,
  arithmetic: Arithmetic,
): Promise<void> {
  const { device, scratch } = bench;
  const { matrix } = family;
  const { element, cols } = matrix;
  const elements = tile.rows * cols;
  const quantized = quantizedOf(family);
  const target = pruned(bench, matrix, family.mask, rowsOf(tile), rows.weights, family.name);
  const run = qparamsRun(bench, matrix, quantized, tile.rows, rows.scaled ?? target, family.ranges, family.name);
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
    call(intError, { element, arithmetic, isPruned: target !== rows.original }, { elements, schemes }, [
      rows.original,
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
  family: Family,
  sample: RowSample,
  arithmetic: Arithmetic,
): Promise<readonly (number | null)[]> {
  const { rows } = sample;
  const { matrix } = family;
  if (rows.length === 0) return family.schemes.map(() => null);
  const upload = async (source: ByteSource, role: string) => {
    const bytes = source === sample.source ? sample.bytes() : await readSampled(matrix, source, rows);
    return bench.scratch.filled(`sample ${role}`, bytes);
  };
  const { original, source, scaleSource } = matrix;
  const originals = await upload(original, "original");
  const weights = source === original ? originals : await upload(source, "changed");
  const scaled =
    scaleSource === null ? null : scaleSource === original ? originals : await upload(scaleSource, "scales");
  const [positive = 0, negative = 0] = await wholeExtremes(bench, matrix, rows.length, originals, "sample");
  const largest = float32Of(Math.max(positive, negative));
  const target = pruned(bench, matrix, family.mask, rows, weights, "sample");
  const piece = { matrix, rows: rows.length, original: originals, target, scaled, ranges: family.ranges };
  return shapeDivergence(bench, piece, family.schemes, largest, arithmetic);
}
