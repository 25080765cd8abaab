import type { DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import { CORNER_NAMES, intQparams } from "../kernels/quant/int_qparams.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { rangeSearcher, type Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import { type PlannedMatrix, scaledMatrix, weightBytes } from "./checkpoint-plan.ts";
import { type PruningMask, pruned } from "./pruner.ts";
import { decideSearch, type MatrixRanges, type RangeSearch, searchRanges } from "./range-search.ts";
import type { Corner } from "./result.ts";
import { groupSizeOf, rowsOf } from "./tiles.ts";

/** Scales and zero points of several schemes on one piece of a matrix. */
export interface QparamsRun {
  readonly calls: readonly KernelCall<DeviceBuffer>[];
  readonly scales: DeviceBuffer;
  readonly zeroPoints: DeviceBuffer;
  /** Five counters per scheme. */
  readonly corners: DeviceBuffer;
  readonly cornerBytes: number;
  /** Of each scheme: place of its first group, groups, and weights per group. */
  readonly places: readonly { readonly first: number; readonly groups: number; readonly groupSize: number }[];
}

/**
 * Calls that compute scales and zero points of schemes on whole rows of a matrix. Schemes of one group size share a look at
 * the weights. Searches for ranges are on their way when it returns.
 * @param ranges of the whole matrix under these schemes
 * @param name tells its buffers from those of other runs
 */
export function qparamsRun(
  bench: Bench,
  matrix: PlannedMatrix,
  schemes: readonly Scheme[],
  rows: number,
  weights: DeviceBuffer,
  { extremes, searches }: MatrixRanges,
  name: string,
): QparamsRun {
  const { device, scratch } = bench;
  const { element, cols } = matrix;
  const elements = rows * cols;
  let next = 0;
  const places = schemes.map((scheme) => {
    const groupSize = groupSizeOf(scheme, cols, elements);
    const groups = Math.ceil(elements / groupSize);
    const first = next;
    next += Math.ceil(groups / 4) * 4;
    return { first, groups, groupSize };
  });
  const scales = scratch.buffer(`scales ${name}`, next * weightBytes(matrix));
  const zeroPoints = scratch.buffer(`zero points ${name}`, next);
  const cornerBytes = schemes.length * CORNER_NAMES.length * 4;
  const corners = scratch.zeroed(`corners ${name}`, cornerBytes);
  const looks = new Map<number, DeviceBuffer>();
  const calls: KernelCall<DeviceBuffer>[] = [];
  const extremesOf = (scheme: Scheme, groups: number, groupSize: number): DeviceBuffer => {
    if (scheme.weights.granularity.strategy === "tensor") {
      if (!extremes) throw new Error("one scale for a matrix needs a look at all of it");
      return scratch.filled(`extremes ${name} whole`, new Uint8Array(extremes.buffer));
    }
    const known = looks.get(groupSize);
    if (known) return known;
    const made = scratch.buffer(`extremes ${name} ${looks.size}`, groups * 8);
    looks.set(groupSize, made);
    calls.push(call(minMax, { element }, { elements, groupSize }, [weights, made]));
    return made;
  };
  const rangesFor = (scheme: Scheme, slot: number, from: DeviceBuffer): DeviceBuffer => {
    if (!rangeSearcher(scheme.weights)) return from;
    const search = searches.get(scheme.name);
    if (!search) throw new Error(`${scheme.name} needs a look at all of a matrix for how long it searches`);
    // It begins with those.
    device.run(calls.splice(0));
    return searchRanges(bench, matrix, scheme, search, rows, weights, from, `${name} ${slot}`).best;
  };
  for (const [slot, scheme] of schemes.entries()) {
    const { first, groups, groupSize } = places[slot] as (typeof places)[number];
    const { bits, symmetric } = scheme.weights;
    const from = rangesFor(scheme, slot, extremesOf(scheme, groups, groupSize));
    calls.push(
      call(intQparams, { element, bits, symmetric }, { groups, first, slot }, [from, scales, zeroPoints, corners]),
    );
  }
  return { calls, scales, zeroPoints, corners, cornerBytes, places };
}

/** Adds the counters of a run to those of earlier tiles, scheme by scheme. */
export function addCorners(counts: Uint32Array, found: Uint32Array, schemes: readonly Scheme[]): void {
  for (const [index, count] of found.entries()) {
    const scheme = schemes[Math.floor(index / CORNER_NAMES.length)];
    const isWhole = scheme?.weights.granularity.strategy === "tensor";
    // The one scale of a matrix is met in every tile, and still one.
    counts[index] = isWhole ? Math.max(counts[index] ?? 0, count) : (counts[index] ?? 0) + count;
  }
}

/** The corners that occurred, of the scheme in place `slot`. Groups that pruning made zero are meant to be. */
export function cornersAt(counts: Uint32Array, slot: number, isPruned: boolean): readonly Corner[] {
  return CORNER_NAMES.map((corner, index) => ({
    corner,
    groups: counts[slot * CORNER_NAMES.length + index] ?? 0,
  })).filter(({ corner, groups }) => groups > 0 && !(isPruned && corner === "allZero"));
}

/**
 * What scales take from looks at all of a matrix as a mask leaves it, in passes of their own where there is anything.
 * @param matrices one matrix as some recipes plan it, pruned alike
 */
export async function rangesOf(
  bench: Bench,
  matrices: readonly PlannedMatrix[],
  mask: PruningMask | null,
): Promise<MatrixRanges> {
  const whole = matrices.find(({ scheme }) => scheme?.weights.granularity.strategy === "tensor");
  const extremes = whole ? await extremesOf(bench, scaledMatrix(whole), mask) : null;
  const searches = new Map<string, RangeSearch>();
  for (const matrix of matrices) {
    const { scheme } = matrix;
    if (!scheme || searches.has(scheme.name)) continue;
    const search = await decideSearch(bench, scaledMatrix(matrix), scheme, mask);
    if (search) searches.set(scheme.name, search);
  }
  return { extremes, searches };
}

/** Largest magnitudes of a whole matrix as a mask leaves it, in a pass of its own. */
async function extremesOf(
  bench: Bench,
  matrix: PlannedMatrix,
  mask: PruningMask | null,
): Promise<Uint32Array<ArrayBuffer>> {
  const whole = new Uint32Array(2);
  await bench.eachTile(matrix, 1, async (tile, bytes) => {
    const weights = bench.scratch.filled("weights", bytes);
    const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "whole");
    addExtremes(whole, await wholeExtremes(bench, matrix, tile.rows, target, "whole"));
  });
  return whole;
}

/** Largest magnitudes on either side of zero over all rows that were looked at. */
export async function wholeExtremes(
  bench: Bench,
  matrix: PlannedMatrix,
  rows: number,
  weights: DeviceBuffer,
  name: string,
): Promise<Uint32Array<ArrayBuffer>> {
  const { element, cols } = matrix;
  const { device, scratch } = bench;
  const extremes = scratch.buffer(`extremes ${name} rows`, rows * 8);
  device.run([call(minMax, { element }, { elements: rows * cols, groupSize: cols }, [weights, extremes])]);
  const found = new Uint32Array((await device.read(extremes, rows * 8)).buffer);
  const whole = new Uint32Array(2);
  addExtremes(whole, found);
  return whole;
}

/** Magnitudes order like their bits, infinity and NaN above all. */
function addExtremes(whole: Uint32Array, found: Uint32Array): void {
  for (const [index, bits] of found.entries()) whole[index % 2] = Math.max(whole[index % 2] ?? 0, bits);
}
