import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { groupsOf } from "../kernels/int-params.ts";
import { bestRangeWords, rangeSearch } from "../kernels/quant/range_search.ts";
import { type RangeSteps, rangeSteps, stepsAhead } from "../kernels/quant/range-steps.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { rangeSearcher, type Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import { type PruningMask, pruned } from "./pruner.ts";
import { groupSizeOf, type RowRange, rowsOf } from "./tiles.ts";

/** Weights that are looked at first for how long a search goes on: with so many groups it nearly always takes all steps. */
const FIRST_LOOK_WEIGHTS = 2 ** 16;

/** A search for the ranges of a matrix. Plain data: it outlives a device. */
export interface RangeSearch {
  /** How many steps of its observer are taken: patience is over all groups of a matrix. */
  readonly steps: number;
  /** float32, a factor for each column; null: all count alike. */
  readonly importance: Float32Array<ArrayBuffer> | null;
}

/** What scales take from a look at all of a matrix. Plain data: it outlives a device. */
export interface MatrixRanges {
  /** Largest magnitudes on either side of zero; null where no scheme has one scale for all of it. */
  readonly extremes: Uint32Array<ArrayBuffer> | null;
  /** Of schemes whose observers search, by their names. */
  readonly searches: ReadonlyMap<string, RangeSearch>;
}

/** Of schemes that need no look at all of a matrix. */
export const NO_RANGES: MatrixRanges = { extremes: null, searches: new Map() };

/**
 * Decides how a scheme's search goes, in passes over as much of a matrix as it takes to know: where every stretch of steps as
 * long as the observer's patience improves some group, it goes on to the end.
 * @param matrix with the weights whose scales are searched for
 * @returns null where the scheme's observer does not search
 */
export async function decideSearch(
  bench: Bench,
  matrix: PlannedMatrix,
  scheme: Scheme,
  mask: PruningMask | null,
): Promise<RangeSearch | null> {
  const steps = stepsOf(scheme);
  if (!steps) return null;
  const { importance, rows, cols, element } = matrix;
  const all = { steps: steps.shrinks.length, importance };
  const improved = steps.shrinks.map(() => false);
  const taken = () => stepsTaken(steps, improved);
  const look = async (part: RowRange) => {
    await bench.eachTile(
      matrix,
      1,
      async (tile, bytes) => {
        const { device, scratch } = bench;
        const weights = scratch.filled("weights", bytes);
        const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "search");
        const elements = tile.rows * cols;
        const groupSize = groupSizeOf(scheme, cols, elements);
        const extremes = scratch.buffer("extremes search", Math.ceil(elements / groupSize) * 8);
        device.run([call(minMax, { element }, { elements, groupSize }, [target, extremes])]);
        const found = searchRanges(bench, matrix, scheme, all, tile.rows, target, extremes, "search");
        const words = new Uint32Array((await device.read(found.improved, improved.length * 4)).buffer);
        for (const [step, word] of words.entries()) improved[step] ||= word === 1;
      },
      part,
    );
  };
  const first = Math.min(rows, Math.ceil(FIRST_LOOK_WEIGHTS / Math.max(1, cols)));
  await look({ start: 0, end: first });
  if (taken() < all.steps && first < rows) await look({ start: first, end: rows });
  return { steps: taken(), importance };
}

/** How many steps a search takes whose steps improve these; nothing is known of steps after its end. */
export function stepsTaken(steps: RangeSteps, improved: readonly boolean[]): number {
  let taken = 0;
  while (stepsAhead(steps, improved.slice(0, taken)) > 0) taken++;
  return taken;
}

function stepsOf({ weights }: Scheme): RangeSteps | null {
  const observer = rangeSearcher(weights);
  return observer && rangeSteps({ observer });
}

/** What a search leaves on the device. */
export interface FoundRanges {
  /** Begins with the best extremes of each group, as `stats/min_max` writes them. */
  readonly best: DeviceBuffer;
  /** A word for each step: 1 where it improved any group. */
  readonly improved: DeviceBuffer;
}

/**
 * Has the device search for the ranges of whole rows, each step submitted by itself: all of them together would hold up
 * whatever else it is to do.
 * @param extremes of each group, as `stats/min_max` writes them
 * @param name tells its buffers from those of other searches
 */
export function searchRanges(
  { device, scratch }: Bench,
  { element, cols }: PlannedMatrix,
  scheme: Scheme,
  { steps, importance }: RangeSearch,
  rows: number,
  weights: DeviceBuffer,
  extremes: DeviceBuffer,
  name: string,
): FoundRanges {
  const own = stepsOf(scheme);
  if (!own) throw new Error(`${scheme.name} searches for no ranges`);
  const { bits, symmetric } = scheme.weights;
  const { norm, precision } = own;
  const shape = { streams: rows, streamLength: cols, groupSize: groupSizeOf(scheme, cols, rows * cols) };
  const best = scratch.buffer(`best ranges ${name}`, bestRangeWords(groupsOf(shape)) * 4);
  const improved = scratch.zeroed(`improved ${name}`, own.shrinks.length * 4);
  const factors = precision === "own" ? new Float32Array(4) : (importance ?? new Float32Array(cols).fill(1));
  const operands = [weights, extremes, scratch.filled(`importance ${name}`, bytesOf(factors)), improved, best];
  const source = { element, bits, symmetric, precision };
  for (const [slot, shrink] of own.shrinks.slice(0, steps).entries()) {
    device.run([call(rangeSearch, source, { ...shape, shrink, norm, isFirst: slot === 0, slot }, operands)]);
  }
  return { best, improved };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
