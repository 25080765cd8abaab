import { LabError, quote } from "../base/errors.ts";
import type { Device } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import { HISTOGRAM_COPIES, histogramBins, levelHistogram } from "../kernels/stats/level_histogram.ts";
import { codeRange } from "../schemes/scheme.ts";
import type { HistogramResult, JobHooks, QuantizeRequest } from "./api.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { DeviceSet } from "./device-set.ts";
import { stopIfAborted } from "./job.ts";
import { codeStorage, ReusedReader, tileShape, tilesOf } from "./tiles.ts";

/** Bins between two int4 levels; of int8's 256 levels each is a bin of its own. */
const INT4_BINS_PER_LEVEL = 16;

/**
 * How the weights of one matrix fall on the levels of a scheme, and how often each code is used.
 * @throws LabError `scheme/unknown-module`, `device/…`, `source/…`, `run/cancelled`
 */
export async function histogramOf(
  checkpoint: Checkpoint,
  plan: CheckpointPlan,
  module: string,
  request: QuantizeRequest,
  devices: DeviceSet,
  hooks: JobHooks,
): Promise<HistogramResult> {
  const { scheme } = plan;
  const matrix = plan.matrices.find((candidate) => candidate.module === module);
  const source = matrix && checkpoint.shards[matrix.tensor.shard]?.source;
  if (!matrix || !source) {
    throw new LabError({
      code: "scheme/unknown-module",
      doing: `counting the levels of "${quote(module)}"`,
      found: `no such matrix among those that ${scheme.name} quantizes`,
      allowed: "a module of the comparison",
      advice: "choose one from the map",
    });
  }
  const [lane] = await devices.lanes([scheme], request.arithmetic);
  if (!lane) throw new Error("a scheme without a lane");
  const { bits } = scheme.weights;
  const binsPerLevel = bits === 4 ? INT4_BINS_PER_LEVEL : 1;
  const bins = histogramBins({ bits, binsPerLevel });
  const weightCounts = new Array<number>(bins).fill(0);
  const codeCounts = new Array<number>(2 ** bits).fill(0);
  const storage = codeStorage(scheme);
  const reader = new ReusedReader();
  for (const tile of tilesOf(matrix, lane.device.tileBytes)) {
    stopIfAborted(hooks.signal);
    const bytes = await reader.read(source, tile.start, tile.end);
    const shape = tileShape(matrix, tile, scheme);
    const elements = shape.groups * shape.groupSize;
    await withBuffers(
      lane.device,
      [bytes.byteLength, shape.groups * 2, elements * (bits / 8), bins * HISTOGRAM_COPIES * 4],
      async ([weights, scales, codes, counts]) => {
        if (!weights || !scales || !codes || !counts) throw new Error("four buffers were asked for");
        lane.device.write(weights, bytes);
        lane.device.run([
          call(intScale, { bits }, shape, [weights, scales]),
          call(intQuantize, { bits, arithmetic: request.arithmetic, storage }, shape, [weights, scales, codes]),
          call(levelHistogram, { bits, binsPerLevel }, shape, [weights, scales, counts]),
        ]);
        const [codeBytes, countBytes] = await Promise.all([
          lane.device.read(codes, elements * (bits / 8)),
          lane.device.read(counts, bins * HISTOGRAM_COPIES * 4),
        ]);
        new Uint32Array(countBytes.buffer).forEach((count, index) => {
          weightCounts[index % bins] = (weightCounts[index % bins] ?? 0) + count;
        });
        countCodes(codeBytes, bits, storage === "offset" ? 0 : 2 ** (bits - 1), codeCounts);
      },
    );
  }
  return {
    module,
    scheme: scheme.name,
    weights: weightCounts,
    binsPerLevel,
    firstLevel: codeRange(bits).min,
    codes: codeCounts,
  };
}

/** Counts stored codes by level; `shift` turns two's complement into an offset from the lowest level. */
function countCodes(bytes: Uint8Array, bits: 4 | 8, shift: number, counts: number[]): void {
  const add = (field: number) => {
    const level = (field + shift) % 2 ** bits;
    counts[level] = (counts[level] ?? 0) + 1;
  };
  for (const byte of bytes) {
    if (bits === 8) {
      add(byte);
    } else {
      add(byte & 0xf);
      add(byte >>> 4);
    }
  }
}

async function withBuffers(
  device: Device,
  sizes: readonly number[],
  use: (buffers: readonly ReturnType<Device["createBuffer"]>[]) => Promise<void>,
): Promise<void> {
  const buffers = sizes.map((size) => device.createBuffer(size));
  try {
    await use(buffers);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
