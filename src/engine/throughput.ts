import { measured, type Unit } from "../base/quantity.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import { codeWords, elementsOf } from "../kernels/int-params.ts";
import { copy } from "../kernels/measure/copy.ts";
import { intDequantize } from "../kernels/quant/int_dequantize.ts";
import { intError, LEVEL_WORDS, MAX_SCHEMES, sumWords } from "../kernels/quant/int_error.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { type Spread, type TimedKernel, timeKernels } from "../metrics/throughput.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import { type CheckpointPlan, type PlannedMatrix, weightBytes } from "./checkpoint-plan.ts";
import type { CompareJob } from "./compare-rows.ts";
import type { ThroughputResult } from "./result.ts";
import { codeShape, codeStorage, groupSizeOf, type Tile, tileAt } from "./tiles.ts";

/** Kernels that are timed; each is reported with the device it ran on. */
const TIMED = [copy, minMax, intQparams, intQuantize, intDequantize, intError] as const;

/**
 * Times the kernels of some recipes' schemes on the largest tile of the model; pruning is left out.
 * @param beforeRound throws to stop
 */
export async function throughputOf(
  { checkpoint, request }: CompareJob,
  plans: readonly CheckpointPlan[],
  bench: Bench,
  now: () => number,
  beforeRound: () => void,
): Promise<{ readonly results: readonly ThroughputResult[]; readonly kernels: readonly (typeof TIMED)[number][] }> {
  const { device } = bench;
  const largest = largestTile(plans, device.tileBytes);
  if (!largest) return { results: [], kernels: [] };
  const { matrix, tile } = largest;
  const source = checkpoint.shards[matrix.tensor.shard]?.source;
  if (!source) throw new Error("a tensor without its shard");
  const buffers: DeviceBuffer[] = [];
  const make = (bytes: number) => {
    const buffer = device.createBuffer(Math.max(bytes, 16));
    buffers.push(buffer);
    return buffer;
  };
  try {
    const weights = make(tile.end - tile.start);
    device.write(weights, await source.read(tile.start, tile.end));
    const target = make(tile.end - tile.start);
    const timed = timedKernels(schemesOn(plans, matrix), request.arithmetic, matrix, tile, weights, make, device);
    const copyBytes = Math.floor(Math.min(weights.sizeBytes, target.sizeBytes) / 16) * 16;
    const speeds = await timeKernels(device, timed, [weights, target], copyBytes, now, beforeRound);
    const results = speeds.map((speed): ThroughputResult => {
      const quantity = (spread: Spread, unit: Unit) =>
        measured(spread.median, unit, speed.rounds, { min: spread.min, max: spread.max });
      return {
        kernel: speed.kernel,
        scheme: speed.scheme,
        device: device.kind,
        bytesPerSecond: quantity(speed.bytesPerSecond, "bytes/s"),
        elementsPerSecond: quantity(speed.elementsPerSecond, "elements/s"),
        shareOfCopyRoof: quantity(speed.shareOfCopyRoof, "ratio"),
      };
    });
    return { results, kernels: TIMED };
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** The different schemes that plans have for a tensor. */
function schemesOn(plans: readonly CheckpointPlan[], { tensor }: PlannedMatrix): readonly Scheme[] {
  const schemes = plans.map((plan) => plan.matrices.find((matrix) => matrix.tensor === tensor)?.scheme ?? null);
  return [...new Map(schemes.filter((scheme) => scheme !== null).map((scheme) => [scheme.name, scheme])).values()];
}

/** Each kernel under each scheme, and the error of all of them in one pass, as a comparison runs it. */
function timedKernels(
  schemes: readonly Scheme[],
  arithmetic: Arithmetic,
  matrix: PlannedMatrix,
  tile: Tile,
  weights: DeviceBuffer,
  make: (bytes: number) => DeviceBuffer,
  device: Device,
): readonly TimedKernel[] {
  const { element, cols } = matrix;
  const elements = tile.rows * cols;
  const bytesOf = weightBytes(matrix);
  const placed = schemes.slice(0, MAX_SCHEMES).map((scheme) => {
    const groupSize = groupSizeOf(scheme, cols, elements);
    return { scheme, groupSize, groups: Math.ceil(elements / groupSize) };
  });
  let places = 0;
  const firsts = placed.map(({ groups }) => {
    const first = places;
    places += Math.ceil(groups / 4) * 4;
    return first;
  });
  const [allScales, allPoints] = [make(places * bytesOf), make(places)];
  const corners = make(placed.length * 32);
  const timed: TimedKernel[] = [];
  const add = (kernel: string, scheme: string, bytes: number, made: KernelCall<DeviceBuffer>) =>
    timed.push({ kernel, scheme, call: made, bytes, elements });
  for (const [slot, { scheme, groupSize, groups }] of placed.entries()) {
    const { bits, symmetric } = scheme.weights;
    const storage = codeStorage(scheme);
    const shape = codeShape(scheme, tile.rows, cols);
    const [extremes, scales, points] = [make(groups * 8), make(groups * bytesOf + 8), make(groups + 4)];
    const [codes, back] = [make(codeWords(shape, storage.storedBits) * 4), make(elementsOf(shape) * bytesOf)];
    const paramBytes = groups * (bytesOf + (symmetric ? 0 : 1));
    const [weightSize, codeSize] = [elements * bytesOf, codeWords(shape, storage.storedBits) * 4];
    const source = { element, bits, symmetric };
    const qparams = (first: number, own: number, into: readonly DeviceBuffer[]) =>
      call(intQparams, source, { groups, first, slot: own }, [extremes, ...into, corners]);
    const look = call(minMax, { element }, { elements, groupSize }, [weights, extremes]);
    // Once outside of any timing, so that the error pass has all its scales.
    device.run([look, qparams(firsts[slot] ?? 0, slot, [allScales, allPoints])]);
    add(minMax.name, scheme.name, weightSize + groups * 8, look);
    add(intQparams.name, scheme.name, groups * 8 + paramBytes, qparams(0, slot, [scales, points]));
    add(
      intQuantize.name,
      scheme.name,
      weightSize + paramBytes + codeSize,
      call(intQuantize, { ...source, arithmetic, ...storage }, shape, [weights, scales, points, codes]),
    );
    add(
      intDequantize.name,
      scheme.name,
      codeSize + paramBytes + weightSize,
      call(intDequantize, { element, symmetric, ...storage }, shape, [codes, scales, points, back]),
    );
  }
  if (placed.length === 0) return timed;
  const sumBytes = sumWords(elements, placed.length) * 4;
  const measuredSchemes = placed.map(({ scheme, groupSize }, slot) => ({
    bits: scheme.weights.bits,
    symmetric: scheme.weights.symmetric,
    groupSize,
    first: firsts[slot] ?? 0,
  }));
  const paramBytes = places * (bytesOf + 1);
  add(
    intError.name,
    placed.map(({ scheme }) => scheme.name).join(", "),
    elements * bytesOf + paramBytes + sumBytes,
    call(intError, { element, arithmetic, isPruned: false }, { elements, schemes: measuredSchemes }, [
      weights,
      weights,
      allScales,
      allPoints,
      make(placed.length * LEVEL_WORDS * 4),
      make(sumBytes),
    ]),
  );
  return timed;
}

function largestTile(
  plans: readonly CheckpointPlan[],
  tileBytes: number,
): { readonly matrix: PlannedMatrix; readonly tile: Tile } | undefined {
  let best: { readonly matrix: PlannedMatrix; readonly tile: Tile } | undefined;
  for (const matrix of plans.flatMap((plan) => plan.matrices)) {
    if (!matrix.scheme || matrix.rows === 0) continue;
    const tile = tileAt(matrix, 0, tileBytes, 1);
    if (!best || tile.end - tile.start > best.tile.end - best.tile.start) best = { matrix, tile };
  }
  return best;
}
