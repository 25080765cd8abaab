import * as Comlink from "comlink";
import { DEFAULT_VARIANT } from "../../src/device/device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import { caseDifference } from "../support/case-difference.ts";

const opening = createWebGpuDevice(navigator.gpu ?? null);

const api = {
  /** The adapter's name. Rejects where there is none. */
  adapter: async () => (await opening).adapter,
  /** Names of the variants that the adapter can run of the kernel of case `index`. */
  async runnable(index: number): Promise<readonly string[]> {
    const item = ALL_CASES[index];
    return item ? ((await opening).variants?.runnable(item.kernel) ?? []) : [];
  },
  /** The first difference between a form of the kernel on WebGPU and the oracle on case `index`, or null. */
  async difference(index: number, variant: string = DEFAULT_VARIANT): Promise<string | null> {
    const item = ALL_CASES[index];
    if (!item) return `no case ${index}`;
    const device = await opening;
    device.variants?.use(item.kernel, { variant, why: "this test" });
    return caseDifference(device, item);
  },
};

export type KernelsApi = typeof api;

Comlink.expose(api);
