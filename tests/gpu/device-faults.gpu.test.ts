import { afterEach, expect, test, vi } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { call } from "../../src/device/kernel.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { planSafetensors } from "../../src/formats/safetensors/writer.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { copy } from "../../src/kernels/measure/copy.ts";

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

/** A checkpoint of `matrices` matrices of ones, [1024, 1024]. */
function madeFolder(matrices: number) {
  const shape = [1024, 1024];
  const tensors = Array.from({ length: matrices }, (_, index) => {
    return { name: `layers.${index}.a.weight`, dtype: "BF16" as const, shape, sizeBytes: 2 ** 21 };
  });
  const plan = planSafetensors(tensors);
  const bytes = new Uint8Array(plan.sizeBytes).fill(0x3c);
  bytes.set(plan.header);
  return { name: "made", files: new Map([["model.safetensors", createBufferSource("model.safetensors", bytes)]]) };
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

test("a device lost in the middle is a typed error, and the next run opens another", async () => {
  const devices = captureDevices();
  const engine = createEngine({ gpu: navigator.gpu, device: "gpu", now: () => performance.now() });
  await engine.open(madeFolder(12));
  let seen = 0;
  const losing = engine.compare(REQUEST, {
    onProgress: () => {
      if (++seen === 6) devices[0]?.destroy();
    },
  });
  expect((await errorOf(losing)).code).toBe("device/lost");
  const result = await engine.compare(REQUEST);
  expect(result.outcome).toBe("done");
  expect(result.kernels[0]?.device).toBe("webgpu");
  expect(devices).toHaveLength(2);
  engine.close();
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
    if ("DROPPED_BITS" in constants) constants.DROPPED_BITS = 12;
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
    const engine = createEngine({ gpu: navigator.gpu, device, now: () => performance.now() });
    await engine.open(madeFolder(1));
    return engine;
  };
  const { kernels } = await (await engineOf("auto")).compare(REQUEST);
  expect(kernels.map(({ device }) => device)).toEqual(["reference", "reference"]);
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
