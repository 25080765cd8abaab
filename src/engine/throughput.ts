import { measured, type Unit } from "../base/quantity.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import type { IntShape } from "../kernels/int-params.ts";
import { copy } from "../kernels/measure/copy.ts";
import { intDequantize } from "../kernels/quant/int_dequantize.ts";
import { ERROR_WORDS, intError, segmentsPerGroup } from "../kernels/quant/int_error.ts";
import { codeWords, intQuantize } from "../kernels/quant/int_quantize.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import { type Spread, type TimedKernel, timeKernels } from "../metrics/throughput.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import type { Lane } from "./device-set.ts";
import type { ThroughputResult } from "./result.ts";
import { codeStorage, type Tile, tileShape, tilesOf, WEIGHT_BYTES } from "./tiles.ts";

/** Kernels that are timed; each is reported with the device it ran on. */
const TIMED = [copy, intScale, intQuantize, intDequantize, intError] as const;

/**
 * Times the kernels of a lane's schemes on the largest tile of the model.
 * @param beforeRound throws to stop
 */
export async function throughputOf(
  checkpoint: Checkpoint,
  matrices: readonly PlannedMatrix[],
  lane: Lane,
  arithmetic: Arithmetic,
  now: () => number,
  beforeRound: () => void,
): Promise<{ readonly results: readonly ThroughputResult[]; readonly kernels: readonly (typeof TIMED)[number][] }> {
  const largest = largestTile(matrices, lane.device.tileBytes);
  if (!largest) return { results: [], kernels: [] };
  const { matrix, tile } = largest;
  const source = checkpoint.shards[matrix.tensor.shard]?.source;
  if (!source) throw new Error("a tensor without its shard");
  const { device } = lane;
  const buffers: DeviceBuffer[] = [];
  const make = (bytes: number) => {
    const buffer = device.createBuffer(bytes);
    buffers.push(buffer);
    return buffer;
  };
  try {
    const weights = make(tile.end - tile.start);
    device.write(weights, await source.read(tile.start, tile.end));
    const target = make(tile.end - tile.start);
    const timed = lane.schemes.flatMap((scheme) =>
      timedKernels(scheme, arithmetic, tileShape(matrix, tile, scheme), weights, make),
    );
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

function timedKernels(
  scheme: Scheme,
  arithmetic: Arithmetic,
  shape: IntShape,
  weights: DeviceBuffer,
  make: (bytes: number) => DeviceBuffer,
): readonly TimedKernel[] {
  const { bits } = scheme.weights;
  const storage = codeStorage(scheme);
  const elements = shape.groups * shape.groupSize;
  const [weightBytes, scaleBytes, codeBytes] = [
    elements * WEIGHT_BYTES,
    shape.groups * 2,
    codeWords(elements, bits) * 4,
  ];
  const sumBytes = shape.groups * segmentsPerGroup(shape.groupSize) * ERROR_WORDS * 4;
  const [scales, codes, sums, back] = [make(scaleBytes), make(codeBytes), make(sumBytes), make(weightBytes)];
  const timed = (kernel: string, bytes: number, call: KernelCall<DeviceBuffer>): TimedKernel => ({
    kernel,
    scheme: scheme.name,
    call,
    bytes,
    elements,
  });
  return [
    timed(intScale.name, weightBytes + scaleBytes, call(intScale, { bits }, shape, [weights, scales])),
    timed(
      intQuantize.name,
      weightBytes + scaleBytes + codeBytes,
      call(intQuantize, { bits, arithmetic, storage }, shape, [weights, scales, codes]),
    ),
    timed(
      intDequantize.name,
      codeBytes + scaleBytes + weightBytes,
      call(intDequantize, { bits, storage }, shape, [codes, scales, back]),
    ),
    timed(
      intError.name,
      weightBytes + scaleBytes + sumBytes,
      call(intError, { bits, arithmetic }, shape, [weights, scales, sums]),
    ),
  ];
}

function largestTile(
  matrices: readonly PlannedMatrix[],
  tileBytes: number,
): { matrix: PlannedMatrix; tile: Tile } | undefined {
  let best: { matrix: PlannedMatrix; tile: Tile } | undefined;
  for (const matrix of matrices) {
    for (const tile of tilesOf(matrix, tileBytes).slice(0, 1)) {
      if (!best || tile.end - tile.start > best.tile.end - best.tile.start) best = { matrix, tile };
    }
  }
  return best;
}
