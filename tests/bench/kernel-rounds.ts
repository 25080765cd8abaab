import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call, type KernelCall } from "../../src/device/kernel.ts";
import { createWasmDevice } from "../../src/device/wasm/wasm-device.ts";
import { UploadRing } from "../../src/device/webgpu/upload-ring.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { browserWasm } from "../../src/engine/browser-threads.ts";
import { wasm as idealSingle } from "./ideal.as.ts?wasm";
import { wasm as idealShared } from "./ideal.as.ts?wasm-shared";
import { IDEAL_GROUP, idealError, idealErrorOracle, idealQuantize } from "./ideal-kernels.ts";
import { EIGHT, KernelBench, ONE, requireRight } from "./kernel-bench.ts";
import { freshSeed, madeWeights } from "./made-weights.ts";
import { type Rounds, type TimedCase, timeRounds } from "./rounds.ts";

/** Times of the cases, and where they ran. */
export interface KernelTimes {
  readonly adapter: string;
  readonly elements: number;
  readonly ms: Rounds;
}

type DeviceName = "webgpu" | "wasm";

function openDevice(name: DeviceName): Promise<Device> {
  return name === "webgpu" ? createWebGpuDevice(navigator.gpu ?? null) : createWasmDevice(browserWasm());
}

function timed(device: Device, name: string, calls: readonly KernelCall<DeviceBuffer>[]): TimedCase {
  return {
    name,
    async run() {
      device.run(calls);
      await device.settle();
    },
  };
}

/**
 * Milliseconds of each kernel on `rows` × 1024 weights, and of those without exactness. What a kernel writes need not be
 * cleared: it writes all of it, and `requireRight` has seen that.
 */
export async function kernelRounds(name: DeviceName, rows: number, rounds: number): Promise<KernelTimes> {
  const device = await openDevice(name);
  const idealDevice = name === "webgpu" ? device : await idealWasm();
  try {
    await requireRight(device);
    await requireLikeness(device, idealDevice, name);
    const bench = new KernelBench(device, rows, freshSeed());
    const ideal = idealDevice === device ? bench : new KernelBench(idealDevice, rows, freshSeed());
    const cases = [
      timed(device, "copy", bench.copy().calls),
      timed(device, "quantize bf16", bench.quantize("bf16").calls),
      timed(device, "quantize f32", bench.quantize("f32").calls),
      timed(device, "dequantize", bench.dequantize().calls),
      timed(device, "error", bench.error([ONE]).calls),
      timed(device, "eight", bench.error(EIGHT).calls),
      ...idealCases(ideal, name).map(({ name: own, calls }) => timed(idealDevice, `ideal ${own}`, calls)),
    ];
    return { adapter: device.adapter, elements: bench.elements, ms: await timeRounds(cases, rounds) };
  } finally {
    device.destroy();
    if (idealDevice !== device) idealDevice.destroy();
  }
}

function idealWasm(): Promise<Device> {
  return createWasmDevice({ ...browserWasm(), kernels: { shared: idealShared, single: idealSingle } });
}

/** The kernels without exactness: on WebAssembly the error alone. */
function idealCases(bench: KernelBench, device: DeviceName) {
  const groups = bench.elements / IDEAL_GROUP;
  const errors = ([[ONE], EIGHT] as const).map((schemes) => {
    const name = schemes.length === 1 ? "error" : "eight";
    const bytes = groups * schemes.length * 4;
    const result = bench.buffer(`ideal ${name}`, bytes);
    return { name, result, bytes, calls: [call(idealError(schemes), {}, { groups }, [bench.weights("bf16"), result])] };
  });
  if (device === "wasm") return errors;
  const quantize = (["bf16", "f32"] as const).map((element) => {
    const name = `quantize ${element}`;
    const bytes = bench.elements / 2;
    const result = bench.buffer(`ideal ${name}`, bytes);
    return {
      name,
      result,
      bytes,
      calls: [call(idealQuantize(element), {}, { groups }, [bench.weights(element), result])],
    };
  });
  return [...quantize, ...errors];
}

/**
 * Codes that may differ from the exact ones, as a share: the largest weight of a group lies on a tie, which falls as it may;
 * those of bf16 lack the roundings of scale and quotient besides.
 */
const DIFFERING = { bf16: 0.05, f32: 1 / IDEAL_GROUP };

/** How far sums may be from the plain version's, as a share: a tie that falls the other way costs the same. */
const ERROR_LIKENESS = 1e-3;

/** Refuses to time an ideal kernel that does other work than it should. */
async function requireLikeness(device: Device, idealDevice: Device, name: DeviceName): Promise<void> {
  const [seed, rows] = [freshSeed(), 64];
  const [exact, ideal] = [new KernelBench(device, rows, seed), new KernelBench(idealDevice, rows, seed)];
  const halves = new Uint16Array(madeWeights(exact.elements, "bf16", seed).buffer);
  const weights = new Float32Array(new Uint32Array(halves).map((half) => half << 16).buffer);
  for (const { name: job, calls, result, bytes } of idealCases(ideal, name)) {
    idealDevice.run(calls);
    const found = await idealDevice.read(result, bytes);
    if (job.startsWith("quantize")) {
      const element = job.endsWith("bf16") ? "bf16" : "f32";
      const own = exact.quantize(element);
      device.run(own.calls);
      const wanted = await device.read(own.result, own.bytes);
      const share = differingHalves(found, wanted) / exact.elements;
      if (share > DIFFERING[element]) throw new Error(`${share} of the codes of ideal ${job} are others`);
      continue;
    }
    const schemes = job === "error" ? [ONE] : EIGHT;
    const sums = new Float32Array(found.buffer);
    for (const [index, scheme] of schemes.entries()) {
      let sum = 0;
      for (let at = index; at < sums.length; at += schemes.length) sum += sums[at] ?? 0;
      const factor = sum / idealErrorOracle(weights, scheme);
      if (!(Math.abs(factor - 1) < ERROR_LIKENESS)) throw new Error(`ideal ${job} ${index} is ${factor} of what it is`);
    }
  }
  exact.destroy();
  ideal.destroy();
}

function differingHalves(one: Uint8Array, other: Uint8Array): number {
  let count = 0;
  for (const [index, byte] of one.entries()) {
    const difference = byte ^ (other[index] ?? 0);
    count += ((difference & 15) === 0 ? 0 : 1) + (difference >> 4 === 0 ? 0 : 1);
  }
  return count;
}

/** Schemes above two halve the tiles, as `src/engine/bench.ts` does: what one submit of eight schemes measures. */
const TILES_OF_EIGHT = 4;
const LEAST_TILE_BYTES = 2 ** 20;

/** Milliseconds of single submits of eight schemes on a tile as large as the engine takes; the longest of eight a round. */
export async function submitRounds(
  rounds: number,
): Promise<{ readonly ms: readonly number[]; readonly tileBytes: number }> {
  const device = await openDevice("webgpu");
  try {
    const tileBytes = Math.max(LEAST_TILE_BYTES, device.tileBytes / TILES_OF_EIGHT);
    const bench = new KernelBench(device, tileBytes / 2 / 1024, freshSeed());
    const { run } = timed(device, "eight", bench.error(EIGHT).calls);
    const longest: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      let most = 0;
      for (let submit = 0; submit < 8; submit++) {
        const started = performance.now();
        await run();
        most = Math.max(most, performance.now() - started);
      }
      if (round > 0) longest.push(most);
    }
    return { ms: longest, tileBytes };
  } finally {
    device.destroy();
  }
}

/** 256 MiB, the most that a buffer holds by default, to the GPU through the ring, tile by tile, by one `writeBuffer`, and by one for each tile. */
export async function uploadRounds(rounds: number): Promise<Rounds> {
  const adapter = await navigator.gpu.requestAdapter();
  const device = await adapter?.requestDevice();
  if (!device) throw new Error("no adapter");
  const [part, parts] = [4 * 2 ** 20, 64];
  const bytes = madeWeights((part * parts) / 4, "f32", freshSeed());
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const target = device.createBuffer({ size: part * parts, usage });
  const ring = new UploadRing(device, part);
  const tile = device.createBuffer({ size: part, usage });
  const turn = taskTurns();
  const times = await timeRounds(
    [
      {
        name: "ring",
        async run() {
          for (let at = 0; at < bytes.byteLength; at += part) {
            while (!ring.write(tile, bytes.subarray(at, at + part))) await turn();
          }
          await device.queue.onSubmittedWorkDone();
        },
      },
      {
        name: "writeBuffer",
        async run() {
          device.queue.writeBuffer(target, 0, bytes);
          await device.queue.onSubmittedWorkDone();
        },
      },
      {
        name: "writeBuffer by tiles",
        async run() {
          for (let at = 0; at < bytes.byteLength; at += part) device.queue.writeBuffer(tile, 0, bytes, at, part);
          await device.queue.onSubmittedWorkDone();
        },
      },
    ],
    rounds,
  );
  device.destroy();
  return times;
}

/** Lets other tasks run, and goes on at once: a timer would wait for milliseconds. */
function taskTurns(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}
