import { asLabError } from "../base/errors.ts";
import { formatNumber } from "../base/format.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { call, type KernelCall } from "../device/kernel.ts";
import { codeWords } from "../kernels/int-params.ts";
import { linear } from "../kernels/linear/linear.ts";
import { intError, LEVEL_WORDS, sumWords } from "../kernels/quant/int_error.ts";
import { intQparams } from "../kernels/quant/int_qparams.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { minMax } from "../kernels/stats/min_max.ts";
import { DEVICE_NAMES } from "./device-names.ts";

/**
 * Kinds of work that differ in which device is quicker: `measuring` brings back sums alone, `writing` all codes, `multiplying`
 * is what running a model is.
 */
export type Work = "measuring" | "writing" | "multiplying";

/** What a probe found. */
export interface Probe {
  readonly device: Device;
  /** What it measured on each device. */
  readonly words: string;
  /** Why the first device is out of the question, or null. */
  readonly failure: string | null;
}

/** A tile that is large enough for a GPU to show what it can: 1 Mi weights in bf16. */
const ROWS = 1024;
const COLS = 1024;
const GROUP_SIZE = 128;
const CODES = { element: "bf16", bits: 4, symmetric: true, arithmetic: "eager" } as const;

/** Rows of the product that stands for running a model, those of a look at it, and features in and out. */
const PRODUCT_ROWS = 128;
const LOOK_ROWS = 16;
const FEATURES = 512;

/** Kernels of a run, at most. */
const ALL = 3;

/** Runs on each device: the first ones fill caches and compile. */
const RUNS = 4;

/**
 * Uploads, computes and reads back one tile on two devices, and says which was quicker. What decides is the best run of each,
 * since whoever else uses the machine only makes a run longer. Where the wanted device takes longer for the first of the
 * kernels than the other for all of them, the rest is not even compiled there.
 * @param devices the wanted one first; where it fails, the other is taken
 * @param now monotonic milliseconds
 */
export async function probeDevices(work: Work, devices: readonly [Device, Device], now: () => number): Promise<Probe> {
  const [wanted, other] = devices;
  const limit = await bestTime(work, other, now, ALL);
  try {
    const look = await bestTime(work, wanted, now, 1);
    const isHopeless = look > limit;
    const time = isHopeless ? look : await bestTime(work, wanted, now, ALL);
    const words = [
      `for ${WORK_WORDS[work]} ${DEVICE_NAMES[other.kind]} took ${formatNumber(limit)} ms`,
      `${DEVICE_NAMES[wanted.kind]} ${formatNumber(time)} ms${isHopeless ? " for a look at them alone" : ""}`,
    ].join(", ");
    const device = time <= limit ? wanted : other;
    return { device, words: `${words}, the best of ${RUNS} runs each`, failure: null };
  } catch (thrown) {
    const { found } = asLabError(thrown, `probing ${wanted.adapter}`);
    return { device: other, words: "", failure: `${DEVICE_NAMES[wanted.kind]} failed its probe: ${found}` };
  }
}

const WORK_WORDS: Readonly<Record<Work, string>> = {
  measuring: "measuring 1 Mi weights",
  writing: "writing 1 Mi weights",
  multiplying: `multiplying ${PRODUCT_ROWS} rows with ${FEATURES} × ${FEATURES} weights`,
};

/** Milliseconds of the quickest run of the first `kernels` kernels. */
async function bestTime(work: Work, device: Device, now: () => number, kernels: number): Promise<number> {
  const bench = work === "multiplying" ? makeProduct(device) : makeBench(work, device);
  const calls = bench.calls.slice(0, kernels);
  const [result, resultBytes] =
    kernels < ALL ? [bench.extremes, bench.extremeBytes] : [bench.result, bench.resultBytes];
  try {
    await device.prepare(calls);
    let best = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS; run++) {
      const started = now();
      device.write(bench.weights, bench.bytes);
      device.run(calls);
      await device.read(result, resultBytes);
      best = Math.min(best, now() - started);
    }
    return best;
  } finally {
    for (const buffer of bench.buffers) buffer.destroy();
  }
}

/** The calls and buffers of a run. */
interface ProbeBench {
  readonly bytes: Uint8Array;
  readonly weights: DeviceBuffer;
  /** What the first call alone leaves. */
  readonly extremes: DeviceBuffer;
  readonly extremeBytes: number;
  readonly calls: readonly KernelCall<DeviceBuffer>[];
  readonly result: DeviceBuffer;
  readonly resultBytes: number;
  readonly buffers: readonly DeviceBuffer[];
}

function makeBench(work: Exclude<Work, "multiplying">, device: Device): ProbeBench {
  const elements = ROWS * COLS;
  const groups = elements / GROUP_SIZE;
  const shape = { streams: ROWS, streamLength: COLS, groupSize: GROUP_SIZE };
  const resultBytes = 4 * (work === "measuring" ? sumWords(elements, 1) : codeWords(shape, CODES.bits));
  const buffers = [elements * 2, groups * 8, groups * 2, groups, 32, LEVEL_WORDS * 4, resultBytes].map((size) =>
    device.createBuffer(size),
  );
  const [weights, extremes, scales, points, corners, levels, result] = buffers as [
    DeviceBuffer,
    DeviceBuffer,
    DeviceBuffer,
    DeviceBuffer,
    DeviceBuffer,
    DeviceBuffer,
    DeviceBuffer,
  ];
  const look = call(minMax, CODES, { elements, groupSize: GROUP_SIZE }, [weights, extremes]);
  const params = call(intQparams, CODES, { groups, first: 0, slot: 0 }, [extremes, scales, points, corners]);
  const schemes = [{ bits: CODES.bits, symmetric: true, groupSize: GROUP_SIZE, first: 0 }];
  const last =
    work === "measuring"
      ? call(intError, { ...CODES, isPruned: false }, { elements, schemes }, [
          weights,
          weights,
          scales,
          points,
          levels,
          result,
        ])
      : call(intQuantize, { ...CODES, storedBits: CODES.bits, offset: 8 }, shape, [weights, scales, points, result]);
  const bytes = madeWeights(elements);
  return {
    bytes,
    weights,
    extremes,
    extremeBytes: groups * 8,
    calls: [look, params, last],
    result,
    resultBytes,
    buffers,
  };
}

/** A few rows of a product, then all of it. */
function makeProduct(device: Device): ProbeBench {
  const bytes = new Uint8Array(new Float32Array(FEATURES * FEATURES).fill(0.5).buffer);
  const [inputs, weights, outputs] = [PRODUCT_ROWS, FEATURES, PRODUCT_ROWS].map((rows) =>
    device.createBuffer(rows * FEATURES * 4),
  ) as [DeviceBuffer, DeviceBuffer, DeviceBuffer];
  const sizes = { n: FEATURES, k: FEATURES, firstRow: 0, outputStride: FEATURES, outputStart: 0 };
  const product = (m: number) => call(linear, {}, { ...sizes, m }, [inputs, weights, outputs]);
  return {
    bytes,
    weights,
    extremes: outputs,
    extremeBytes: 4,
    calls: [product(LOOK_ROWS), product(PRODUCT_ROWS)],
    result: outputs,
    resultBytes: 4,
    buffers: [inputs, weights, outputs],
  };
}

/** bf16 weights between 2^-7 and 2^-5 of either sign: how long they take does not depend on what they are. */
export function madeWeights(elements: number): Uint8Array {
  const bits = new Uint16Array(elements).map((_, index) => 0x3c00 + ((index * 40_503) % 256) + (index % 2) * 0x8000);
  return new Uint8Array(bits.buffer);
}
