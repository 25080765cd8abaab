import type { DeviceBuffer } from "../device/device.ts";
import { type AnyKernel, call } from "../device/kernel.ts";
import { nOfM } from "../kernels/prune/n_of_m.ts";
import { doomedWords, structured } from "../kernels/prune/structured.ts";
import { threshold } from "../kernels/prune/threshold.ts";
import { energies } from "../kernels/stats/energies.ts";
import type { MagnitudeHistogramSource } from "../kernels/stats/magnitude_histogram.oracle.ts";
import { kthBin, magnitudeBins, magnitudeHistogram } from "../kernels/stats/magnitude_histogram.ts";
import type { Pruning, WeightPruning } from "../schemes/pruning.ts";
import type { Bench } from "./bench.ts";
import { type PlannedMatrix, weightBytes } from "./checkpoint-plan.ts";

/** Which weights of one matrix become zero, decided over all of it. Plain data: it outlives a device. */
export type PruningMask =
  | { readonly structure: "n-of-m"; readonly n: number; readonly m: number }
  /** Magnitudes up to these bits of the weights' own format; null: none. */
  | { readonly structure: "threshold"; readonly bits: number | null }
  | { readonly structure: "lines"; readonly axis: "rows" | "columns"; readonly doomed: ReadonlySet<number> };

/** Decides a mask. All but n-of-m look at the whole matrix first, tile by tile; f32 weights twice for a share of them. */
export async function decideMask(bench: Bench, matrix: PlannedMatrix, pruning: WeightPruning): Promise<PruningMask> {
  switch (pruning.structure) {
    case "n-of-m":
      return pruning;
    case "unstructured":
      return { structure: "threshold", bits: await kthMagnitude(bench, matrix, pruning.share) };
    case "rows":
    case "columns":
      return { structure: "lines", axis: pruning.structure, doomed: await weakestLines(bench, matrix, pruning) };
  }
}

/** The kernels that a pruning takes, for a report. */
export function pruningKernels({ structure }: Pruning): readonly AnyKernel[] {
  switch (structure) {
    case "n-of-m":
      return [nOfM];
    case "unstructured":
      return [magnitudeHistogram, threshold];
    case "rows":
    case "columns":
      return [energies, structured];
    case "channels":
    case "heads":
    case "layers":
      return [];
  }
}

/** Bits of the k-th smallest magnitude, k = floor(share · weights); null where that is none. */
async function kthMagnitude(bench: Bench, matrix: PlannedMatrix, share: number): Promise<number | null> {
  const k = Math.floor(share * matrix.rows * matrix.cols);
  if (k === 0) return null;
  const { element } = matrix;
  const high = kthBin(await magnitudes(bench, matrix, { element, digit: "high" }, 0), k);
  if (element !== "f32") return high.bin;
  const low = kthBin(await magnitudes(bench, matrix, { element, digit: "low" }, high.bin), k - high.below);
  return high.bin * 2 ** 16 + low.bin;
}

async function magnitudes(
  bench: Bench,
  matrix: PlannedMatrix,
  source: MagnitudeHistogramSource,
  prefix: number,
): Promise<Float64Array> {
  const bins = magnitudeBins(source);
  const total = new Float64Array(bins);
  await bench.eachTile(matrix, 1, async (tile, bytes) => {
    const { device, scratch } = bench;
    const weights = scratch.filled("weights", bytes);
    const counts = scratch.zeroed("magnitudes", bins * 4);
    const elements = tile.rows * matrix.cols;
    device.run([call(magnitudeHistogram, source, { elements, prefix }, [weights, counts])]);
    const found = new Uint32Array((await device.read(counts, bins * 4)).buffer);
    for (const [bin, count] of found.entries()) total[bin] = (total[bin] ?? 0) + count;
  });
  return total;
}

/** Units of 2^e in which sums of squares are formed: one of them holds any line of any format without loss. */
const UNIT_EXPONENTS = [-96, 0, 96] as const;

/** The rows or columns with the smallest sum of squares: floor(share · count); of equals the later. */
async function weakestLines(
  bench: Bench,
  matrix: PlannedMatrix,
  { structure, share }: WeightPruning & { readonly structure: "rows" | "columns" | "unstructured" },
): Promise<ReadonlySet<number>> {
  const { rows, cols, element } = matrix;
  const isRows = structure === "rows";
  const total = new Float64Array(isRows ? rows : cols);
  await bench.eachTile(matrix, 1, async (tile, bytes) => {
    const { device, scratch } = bench;
    const weights = scratch.filled("weights", bytes);
    const outputs = isRows ? tile.rows : cols;
    const lines = isRows
      ? { outputs, length: cols, outputStride: cols, innerStride: 1 }
      : { outputs, length: tile.rows, outputStride: 1, innerStride: cols };
    const runs = UNIT_EXPONENTS.map((exponent) => {
      const sums = scratch.buffer(`energies ${exponent}`, outputs * 4);
      return { exponent, sums, call: call(energies, { element }, { ...lines, exponent }, [weights, sums]) };
    });
    device.run(runs.map((run) => run.call));
    const found = await Promise.all(
      runs.map(async ({ exponent, sums }) => {
        const energy = new Float32Array((await device.read(sums, outputs * 4)).buffer);
        return { unit: 2 ** (2 * exponent), energy };
      }),
    );
    const first = isRows ? tile.row : 0;
    for (let line = 0; line < outputs; line++) {
      // In the smallest units that hold it nothing that counts is lost.
      const best = found.find(({ energy }) => Number.isFinite(energy[line]));
      const own = best ? (best.energy[line] ?? 0) * best.unit : Number.POSITIVE_INFINITY;
      total[first + line] = (total[first + line] ?? 0) + own;
    }
  });
  const order = [...total.keys()].sort((a, b) => compareNumbers(total[a] ?? 0, total[b] ?? 0) || b - a);
  return new Set(order.slice(0, Math.floor(share * order.length)));
}

/** Order of two numbers, of which both may be infinite. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/**
 * Whole rows of a matrix as a mask leaves them: pruned into a buffer of their own, or as they are.
 * @param rows their numbers in the matrix
 * @param name tells its buffers from those of another pruning
 */
export function pruned(
  { device, scratch }: Bench,
  matrix: PlannedMatrix,
  mask: PruningMask | null,
  rows: readonly number[],
  weights: DeviceBuffer,
  name: string,
): DeviceBuffer {
  if (!mask || (mask.structure === "threshold" && mask.bits === null)) return weights;
  const { element, cols } = matrix;
  const elements = rows.length * cols;
  const target = scratch.buffer(`pruned ${name}`, elements * weightBytes(matrix));
  switch (mask.structure) {
    case "n-of-m":
      device.run([call(nOfM, { element, n: mask.n, m: mask.m }, { elements }, [weights, target])]);
      break;
    case "threshold":
      device.run([call(threshold, { element }, { elements, threshold: mask.bits ?? 0 }, [weights, target])]);
      break;
    case "lines": {
      const doomed = scratch.filled(`doomed ${name}`, doomedBits(mask, rows, cols));
      const source = { element, axis: mask.axis };
      device.run([call(structured, source, { elements, cols }, [weights, doomed, target])]);
      break;
    }
  }
  return target;
}

/** A bit for each of these rows, or for each column, set where it is to become zero. */
function doomedBits(
  { axis, doomed }: Extract<PruningMask, { structure: "lines" }>,
  rows: readonly number[],
  cols: number,
): Uint8Array {
  const lines = axis === "rows" ? rows : Array.from({ length: cols }, (_, column) => column);
  const bits = new Uint32Array(doomedWords(lines.length));
  for (const [place, line] of lines.entries()) {
    if (doomed.has(line)) bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
  }
  return new Uint8Array(bits.buffer);
}
