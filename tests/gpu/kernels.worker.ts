import * as Comlink from "comlink";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import { caseDifference } from "../support/case-difference.ts";

const opening = createWebGpuDevice(navigator.gpu ?? null);

const api = {
  /** The adapter's name. Rejects where there is none. */
  adapter: async () => (await opening).adapter,
  /** The first difference between WebGPU and the oracle on case `index`, or null. */
  async difference(index: number): Promise<string | null> {
    const item = ALL_CASES[index];
    return item ? caseDifference(await opening, item) : `no case ${index}`;
  },
};

export type KernelsApi = typeof api;

Comlink.expose(api);
