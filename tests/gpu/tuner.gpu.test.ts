import { afterEach, expect, test, vi } from "vitest";
import type { Device, VariantTable } from "../../src/device/device.ts";
import type { AnyKernel } from "../../src/device/kernel.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { DeviceSet, kernelReport } from "../../src/engine/device-set.ts";
import { Tuner } from "../../src/engine/tuner.ts";
import { TUNINGS } from "../../src/engine/tuning-trials.ts";
import { createMemoryStore } from "../../src/formats/stores/memory-store.ts";
import { minMax } from "../../src/kernels/stats/min_max.ts";

afterEach(() => vi.restoreAllMocks());

const CODES = { element: "bf16", bits: 4, symmetric: true, arithmetic: "eager" } as const;
const MIN_MAX = minMax as unknown as AnyKernel;
const now = () => performance.now();

function devicesOn(store = createMemoryStore()): DeviceSet {
  return new DeviceSet({ gpu: navigator.gpu, wasm: null, device: "gpu", now, store });
}

/** Labels of the shaders that are compiled from now on. */
function compiledShaders(): string[] {
  const labels: string[] = [];
  const original = GPUDevice.prototype.createShaderModule;
  vi.spyOn(GPUDevice.prototype, "createShaderModule").mockImplementation(function (this: GPUDevice, descriptor) {
    labels.push(descriptor.label ?? "");
    return original.call(this, descriptor);
  });
  return labels;
}

/** The device as if it were a GPU. */
function asHardware(device: Device): Device {
  const own = device.variants;
  if (!own) throw new Error("WebGPU has variants");
  const variants: VariantTable = {
    adapterKey: own.adapterKey,
    isSoftware: false,
    runnable: (kernel) => own.runnable(kernel),
    use: (kernel, choice) => own.use(kernel, choice),
    choiceOf: (kernel) => own.choiceOf(kernel),
    reset: (why) => own.reset(why),
  };
  return { ...device, variants };
}

test("this software adapter keeps the defaults, and no other form is even compiled", async () => {
  const labels = compiledShaders();
  const devices = devicesOn();
  const [lane] = await devices.lanes(["a"], () => [CODES], "measuring");
  if (!lane) throw new Error("no lane");
  expect(labels).toContain("stats/min_max");
  expect(labels.filter((label) => label.includes("."))).toEqual([]);
  expect(kernelReport(lane, minMax)).toMatchObject({
    variant: "default",
    variantChoice: expect.stringContaining("a software adapter keeps the default"),
  });
  devices.close();
});

test.each(TUNINGS)(
  "taken for a GPU it has the forms of $kernel.name timed, and the next visit knows",
  async (tuning) => {
    const store = createMemoryStore();
    // Alone, since barriers take this adapter longer than tuning may take.
    const tunedDevice = async () => {
      const device = asHardware(await createWebGpuDevice(navigator.gpu));
      await new Tuner(store, now, [tuning]).tune(device);
      device.destroy();
      return device.variants?.choiceOf(tuning.kernel);
    };
    const found = await tunedDevice();
    expect(found?.why).toMatch(/^default took \S+ ms(, \w+ took \S+ ms)+$/);
    const labels = compiledShaders();
    expect(await tunedDevice()).toEqual(found);
    expect(labels).toEqual([]);
    console.info(`${tuning.kernel.name}: ${found?.variant} of ${found?.why}`);
  },
);

test("codes are exact in other forms too, and the result names the form", async () => {
  const devices = devicesOn();
  const { device } = await devices.primary("measuring");
  const labels = compiledShaders();
  device.variants?.use(MIN_MAX, { variant: "subgroup", why: "this test" });
  const [lane] = await devices.lanes(["a"], () => [CODES], "measuring");
  if (!lane) throw new Error("no lane");
  expect(labels).toContain("stats/min_max.subgroup");
  expect(kernelReport(lane, minMax)).toMatchObject({ device: "webgpu", fallback: null, variant: "subgroup" });
  devices.close();
});

test("where the self-test fails in another form, the default is tested and takes over, and the result says so", async () => {
  const kernel = minMax as { -readonly [Key in keyof typeof minMax]: (typeof minMax)[Key] };
  const { variants = [] } = minMax;
  kernel.variants = variants.map((variant) => ({ ...variant, wgsl: variant.wgsl.replace("found_by[own].x", "1") }));
  try {
    const devices = devicesOn();
    const { device } = await devices.primary("measuring");
    device.variants?.use(MIN_MAX, { variant: "workgroup", why: "this test" });
    const [lane] = await devices.lanes(["a"], () => [CODES], "measuring");
    if (!lane) throw new Error("no lane");
    expect(kernelReport(lane, minMax)).toMatchObject({
      device: "webgpu",
      fallback: null,
      variant: "default",
      variantChoice: expect.stringContaining("self-test failed in another form"),
    });
    devices.close();
  } finally {
    kernel.variants = variants;
  }
});

test("a form that gives something else is found wrong, and one that does not compile", async () => {
  const kernel = minMax as { -readonly [Key in keyof typeof minMax]: (typeof minMax)[Key] };
  const { variants = [] } = minMax;
  const [workgroup, subgroup] = variants;
  if (!workgroup || !subgroup) throw new Error("two variants");
  kernel.variants = [
    { ...workgroup, wgsl: workgroup.wgsl.replace("found_by[own].x", "1") },
    { ...subgroup, wgsl: "fn main( {" },
  ];
  try {
    const device = asHardware(await createWebGpuDevice(navigator.gpu));
    await new Tuner(
      createMemoryStore(),
      now,
      TUNINGS.filter(({ kernel: own }) => own === MIN_MAX),
    ).tune(device);
    const { variant, why } = device.variants?.choiceOf(MIN_MAX) ?? {};
    expect(variant).toBe("default");
    expect(why).toMatch(/^default took .* ms, workgroup fails or differs, subgroup fails or differs$/);
    device.destroy();
  } finally {
    kernel.variants = variants;
  }
});
