import { afterEach, expect, test, vi } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { call } from "../../src/device/kernel.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { planSafetensors } from "../../src/formats/safetensors/writer.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import { copy } from "../../src/kernels/measure/copy.ts";
import { createMemoryOutput } from "../support/memory-output.ts";

afterEach(() => vi.restoreAllMocks());

async function errorOf(promise: Promise<unknown>): Promise<LabError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A checkpoint of `matrices` matrices, [512, 256]. */
function madeFolder(matrices: number) {
  const shape = [512, 256];
  const tensors = Array.from({ length: matrices }, (_, index) => {
    return { name: `layers.${index}.a.weight`, dtype: "BF16" as const, shape, sizeBytes: 2 ** 18 };
  });
  const plan = planSafetensors(tensors);
  const bytes = new Uint8Array(plan.sizeBytes).map((_, index) => (index % 2 === 0 ? index % 251 : 0x3c));
  bytes.set(plan.header);
  const config = new TextEncoder().encode('{"model_type":"odd"}');
  return {
    name: "made",
    files: new Map([
      ["model.safetensors", createBufferSource("model.safetensors", bytes)],
      ["config.json", createBufferSource("config.json", config)],
    ]),
  };
}

/** A kernel whose shader does not compile. */
const BROKEN: typeof copy = { ...copy, name: "measure/broken", wgsl: "fn main( {" };

const REQUEST = {
  schemes: ["W4A16"],
  arithmetic: "eager" as const,
  ignore: [],
  plan: { gpu: "L4 24 GB", contextTokens: 16, sequences: 1 },
  throughput: false,
};

/** Keeps every device that is opened from now on. */
function captureDevices(): GPUDevice[] {
  const devices: GPUDevice[] = [];
  const original = GPUAdapter.prototype.requestDevice;
  vi.spyOn(GPUAdapter.prototype, "requestDevice").mockImplementation(async function (this: GPUAdapter, ...rest) {
    const device = await original.apply(this, rest);
    devices.push(device);
    return device;
  });
  return devices;
}

/** An engine with a model of `matrices` matrices. */
async function engineWith(matrices: number, device: "auto" | "gpu") {
  const engine = createEngine({
    gpu: navigator.gpu,
    wasm: null,
    device,
    now: () => performance.now(),
    store: createMemoryStore(),
  });
  await engine.open(madeFolder(matrices));
  return engine;
}

/** The bytes of an export on a device that nothing happens to. */
async function undisturbed(matrices: number): Promise<string> {
  const engine = createEngine({
    gpu: null,
    wasm: null,
    device: "cpu",
    now: () => performance.now(),
    store: createMemoryStore(),
  });
  await engine.open(madeFolder(matrices));
  const output = createMemoryOutput();
  await engine.quantize(EXPORT, output);
  return fingerprint(output);
}

const EXPORT = { scheme: "W4A16_ASYM", arithmetic: "eager" as const, ignore: [] };

function fingerprint({ files }: ReturnType<typeof createMemoryOutput>): string {
  return [...files].map(([name, bytes]) => `${name} ${bytes.join(",")}`).join("\n");
}

/**
 * Makes a device look lost from outside, as it is after its process died: pending and later reads fail and `lost` says
 * "unknown". The real thing, a crash of the GPU process, is provoked end to end.
 */
function loseFromOutside(device: GPUDevice): void {
  losses.get(device)?.({ reason: "unknown", message: "the process died" } as GPUDeviceLostInfo);
  device.destroy();
}

const losses = new WeakMap<GPUDevice, (info: GPUDeviceLostInfo) => void>();

/** Devices whose loss can be brought about from now on. */
function losableDevices(): GPUDevice[] {
  const devices = captureDevices();
  const lost = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "lost")?.get;
  vi.spyOn(GPUDevice.prototype, "lost", "get").mockImplementation(function (this: GPUDevice) {
    const own = new Promise<GPUDeviceLostInfo>((resolve) => losses.set(this, resolve));
    return Promise.race([own, lost?.call(this) as Promise<GPUDeviceLostInfo>]);
  });
  return devices;
}

test("F01: a device destroyed in the middle ends the run as cancelled, nothing is written, the next run works", async () => {
  const devices = captureDevices();
  const engine = await engineWith(12, "gpu");
  let seen = 0;
  const output = createMemoryOutput();
  const onProgress = () => {
    if (++seen === 6) devices[0]?.destroy();
  };
  expect((await errorOf(engine.quantize(EXPORT, output, { onProgress }))).code).toBe("run/cancelled");
  expect(output.files.size).toBe(0);
  const result = await engine.compare(REQUEST);
  expect([result.outcome, result.kernels[0]?.device, devices.length]).toEqual(["done", "webgpu", 2]);
  engine.close();
});

test.each([1, 2, 3])(
  "F02: a device lost from outside %i times is opened anew, and the export is the same",
  async (times) => {
    const devices = losableDevices();
    const engine = await engineWith(12, "gpu");
    const output = createMemoryOutput();
    let seen = 0;
    const onProgress = () => {
      const last = devices.at(-1);
      if (++seen % 7 === 0 && devices.length <= times && last) loseFromOutside(last);
    };
    const { kernels } = await engine.quantize(EXPORT, output, { onProgress });
    expect(devices).toHaveLength(times + 1);
    expect(kernels.every(({ device }) => device === "webgpu")).toBe(true);
    expect(fingerprint(output) === (await undisturbed(12))).toBe(true);
    engine.close();
  },
);

test("F03: lost again and again, auto goes on elsewhere and says so; gpu gives up with a message", async () => {
  const devices = losableDevices();
  const losing = () => {
    const last = devices.at(-1);
    if (last) loseFromOutside(last);
  };
  const engine = await engineWith(6, "auto");
  const output = createMemoryOutput();
  const { kernels } = await engine.quantize(EXPORT, output, { onProgress: losing });
  expect(kernels.at(-1)).toMatchObject({ device: "reference", fallback: expect.stringContaining("the process died") });
  expect(fingerprint(output) === (await undisturbed(6))).toBe(true);
  expect(devices).toHaveLength(4);
  const stubborn = await engineWith(6, "gpu");
  const refused = createMemoryOutput();
  expect((await errorOf(stubborn.quantize(EXPORT, refused, { onProgress: losing }))).code).toBe("device/lost");
  expect(refused.files.size).toBe(0);
});

test.each(["compare", "quantize"] as const)(
  "F11: memory refused at any buffer halves the tiles, %s still ends right",
  async (verb) => {
    const expected = await undisturbed(2);
    const { createBuffer } = GPUDevice.prototype;
    for (const refusedAt of [1, 4, 9, 14, 20, 25]) {
      let made = 0;
      let isNext = false;
      vi.spyOn(GPUDevice.prototype, "createBuffer").mockImplementation(function (this: GPUDevice, descriptor) {
        if (descriptor.size >= 2 ** 15 && ++made === refusedAt) isNext = true;
        return createBuffer.call(this, descriptor);
      });
      const { popErrorScope } = GPUDevice.prototype;
      vi.spyOn(GPUDevice.prototype, "popErrorScope").mockImplementation(async function (this: GPUDevice) {
        const found = await popErrorScope.call(this);
        if (!isNext) return found;
        isNext = false;
        return new GPUOutOfMemoryError("none left");
      });
      const engine = await engineWith(2, "gpu");
      if (verb === "compare") {
        const result = await engine.compare(REQUEST);
        expect([result.outcome, result.schemes[0]?.layers.length]).toEqual(["done", 2]);
      } else {
        const output = createMemoryOutput();
        await engine.quantize(EXPORT, output);
        expect(fingerprint(output) === expected).toBe(true);
      }
      engine.close();
      vi.restoreAllMocks();
    }
  },
);

test("F11: memory that is always refused is an error that names the matrix and the bytes", async () => {
  const { popErrorScope } = GPUDevice.prototype;
  let isFull = false;
  vi.spyOn(GPUDevice.prototype, "popErrorScope").mockImplementation(async function (this: GPUDevice) {
    const found = await popErrorScope.call(this);
    return isFull ? new GPUOutOfMemoryError("none left") : found;
  });
  const engine = await engineWith(1, "gpu");
  // The start-up test passes; the work does not.
  const onProgress = () => {
    isFull = true;
  };
  const output = createMemoryOutput();
  const error = await errorOf(engine.quantize(EXPORT, output, { onProgress }));
  expect(error.code).toBe("device/out-of-memory");
  expect(error.doing).toMatch(/^computing layers\.0\.a, making a buffer of \d+ bytes/);
  expect(output.files.size).toBe(0);
});

test("F11: an error goes to who asks after it, not to a read that was already under way", async () => {
  const device = await createWebGpuDevice(navigator.gpu);
  const buffer = device.createBuffer(1024);
  const before = device.read(buffer, 1024);
  const { popErrorScope } = GPUDevice.prototype;
  vi.spyOn(GPUDevice.prototype, "popErrorScope").mockImplementation(async function (this: GPUDevice) {
    await popErrorScope.call(this);
    return new GPUOutOfMemoryError("none left");
  });
  device.createBuffer(1024);
  expect((await before).byteLength).toBe(1024);
  expect((await errorOf(device.settle())).code).toBe("device/out-of-memory");
  device.destroy();
});

test("F14: a pipeline that fails once is made again; one that always fails ends elsewhere under auto", async () => {
  const { createComputePipeline } = GPUDevice.prototype;
  let failures = 0;
  const failing = (limit: number) =>
    vi.spyOn(GPUDevice.prototype, "createComputePipeline").mockImplementation(function (this: GPUDevice, descriptor) {
      if (descriptor.label === "quant/int_error" && failures++ < limit) {
        return createComputePipeline.call(this, {
          ...descriptor,
          compute: { ...descriptor.compute, entryPoint: "none" },
        });
      }
      return createComputePipeline.call(this, descriptor);
    });
  failing(1);
  const once = await (await engineWith(2, "gpu")).compare(REQUEST);
  expect([once.outcome, once.kernels[0]?.device]).toEqual(["done", "webgpu"]);
  vi.restoreAllMocks();
  failures = 0;
  failing(Number.POSITIVE_INFINITY);
  const result = await (await engineWith(2, "auto")).compare(REQUEST);
  expect(result.outcome).toBe("done");
  expect(result.kernels.at(-1)).toMatchObject({
    device: "reference",
    fallback: expect.stringContaining("quant/int_error"),
  });
  const refused = await errorOf((await engineWith(2, "gpu")).compare(REQUEST));
  expect([refused.code, refused.message.includes("quant/int_error")]).toEqual(["kernel/failed", true]);
});

test("F06: an adapter that was used up is not asked again", async () => {
  const asked = vi.spyOn(GPU.prototype, "requestAdapter");
  const first = await createWebGpuDevice(navigator.gpu);
  const second = await createWebGpuDevice(navigator.gpu);
  expect(asked).toHaveBeenCalledTimes(2);
  first.destroy();
  second.destroy();
});

test("F08, F09, F10: without any feature and with WebGPU's lowest limits the export is the same", async () => {
  vi.spyOn(GPUAdapter.prototype, "features", "get").mockReturnValue(new Set() as unknown as GPUSupportedFeatures);
  const { requestDevice } = GPUAdapter.prototype;
  vi.spyOn(GPUAdapter.prototype, "requestDevice").mockImplementation(function (this: GPUAdapter) {
    return requestDevice.call(this);
  });
  const engine = await engineWith(3, "gpu");
  const output = createMemoryOutput();
  await engine.quantize(EXPORT, output);
  expect(fingerprint(output) === (await undisturbed(3))).toBe(true);
  engine.close();
});

test("F12, F15: nothing is mapped beyond 64 MiB, and a dispatch too wide for a device is an error, not silence", async () => {
  const { mapAsync } = GPUBuffer.prototype;
  const sizes: number[] = [];
  vi.spyOn(GPUBuffer.prototype, "mapAsync").mockImplementation(function (this: GPUBuffer, mode, offset, size) {
    sizes.push(this.size);
    return mapAsync.call(this, mode, offset, size);
  });
  const engine = await engineWith(3, "gpu");
  await engine.quantize(EXPORT, createMemoryOutput());
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 26);
  engine.close();
  const device = await createWebGpuDevice(navigator.gpu);
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  vi.spyOn(GPUComputePassEncoder.prototype, "dispatchWorkgroups").mockImplementation(function (
    this: GPUComputePassEncoder,
  ) {
    dispatchWorkgroups.call(this, 65_536);
  });
  const [a, b] = [device.createBuffer(16), device.createBuffer(16)];
  device.run([call(copy, {}, { vectors: 1 }, [a, b])]);
  expect((await errorOf(device.read(b, 16))).code).toBe("kernel/failed");
  device.destroy();
});

test("limits that are refused are asked for no more", async () => {
  const original = GPUAdapter.prototype.requestDevice;
  const asked: (GPUDeviceDescriptor | undefined)[] = [];
  vi.spyOn(GPUAdapter.prototype, "requestDevice").mockImplementation(function (this: GPUAdapter, descriptor) {
    asked.push(descriptor);
    if (descriptor?.requiredLimits) return Promise.reject(new DOMException("too much", "OperationError"));
    return original.call(this);
  });
  const device = await createWebGpuDevice(navigator.gpu);
  expect(device.maxBufferBytes).toBe(134_217_728);
  expect(asked).toHaveLength(2);
  device.destroy();
});

test("a shader that does not compile is an error that names its kernel, at the next read", async () => {
  const device = await createWebGpuDevice(navigator.gpu);
  const [a, b] = [device.createBuffer(16), device.createBuffer(16)];
  device.run([call(BROKEN, {}, { vectors: 1 }, [a, b])]);
  const error = await errorOf(device.read(b, 16));
  expect([error.code, error.message.includes("measure/broken")]).toEqual(["kernel/failed", true]);
  device.run([call(copy, {}, { vectors: 1 }, [a, b])]);
  expect(await device.read(b, 16)).toEqual(new Uint8Array(16));
  device.destroy();
});

test("a buffer beyond the limits is an error at the next read, not silence", async () => {
  const device = await createWebGpuDevice(navigator.gpu);
  device.createBuffer(2 ** 40);
  expect((await errorOf(device.settle())).code).toMatch(/^(device\/out-of-memory|kernel\/failed)$/);
  device.destroy();
});

test("reading two buffers at once, again and again, makes no new memory after the first time", async () => {
  const device = await createWebGpuDevice(navigator.gpu);
  const buffers = [device.createBuffer(1000), device.createBuffer(1000)];
  const readBoth = () => Promise.all(buffers.map((buffer) => device.read(buffer, 1000)));
  await readBoth();
  const made = vi.spyOn(GPUDevice.prototype, "createBuffer");
  for (let round = 0; round < 5; round++) await readBoth();
  expect(made).not.toHaveBeenCalled();
  device.destroy();
});

test("an adapter that rounds otherwise is found out: auto computes elsewhere and says so, gpu refuses", async () => {
  const askedOtherwise = (descriptor: GPUComputePipelineDescriptor): GPUComputePipelineDescriptor => {
    const { compute } = descriptor;
    const constants = { ...compute.constants };
    if ("PRECISION" in constants) constants.PRECISION = 12;
    return { ...descriptor, compute: { ...compute, constants } };
  };
  const { createComputePipeline, createComputePipelineAsync } = GPUDevice.prototype;
  vi.spyOn(GPUDevice.prototype, "createComputePipeline").mockImplementation(function (this: GPUDevice, descriptor) {
    return createComputePipeline.call(this, askedOtherwise(descriptor));
  });
  vi.spyOn(GPUDevice.prototype, "createComputePipelineAsync").mockImplementation(function (
    this: GPUDevice,
    descriptor,
  ) {
    return createComputePipelineAsync.call(this, askedOtherwise(descriptor));
  });
  const engineOf = async (device: "auto" | "gpu") => {
    const engine = createEngine({
      gpu: navigator.gpu,
      wasm: null,
      device,
      now: () => performance.now(),
      store: createMemoryStore(),
    });
    await engine.open(madeFolder(1));
    return engine;
  };
  const { kernels } = await (await engineOf("auto")).compare(REQUEST);
  expect(kernels.map(({ device }) => device)).toEqual(["reference", "reference", "reference"]);
  expect(kernels[0]?.fallback).toMatch(/^the self-test failed on .*: golden codes are/);
  expect((await errorOf((await engineOf("gpu")).compare(REQUEST))).code).toBe("device/not-exact");
});

test("a program that cannot be compiled ahead says why when it is run", async () => {
  const device = await createWebGpuDevice(navigator.gpu);
  const [a, b] = [device.createBuffer(16), device.createBuffer(16)];
  const calls = [call(BROKEN, {}, { vectors: 1 }, [a, b])];
  await device.prepare(calls);
  device.run(calls);
  expect((await errorOf(device.read(b, 16))).message).toContain("measure/broken");
  device.destroy();
});
