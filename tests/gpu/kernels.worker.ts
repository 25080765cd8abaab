import * as Comlink from "comlink";
import type { Device } from "../../src/device/device.ts";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";

const opening = createWebGpuDevice(navigator.gpu ?? null);
const reference = createReferenceDevice();

/** What a case leaves in each buffer that it writes: the last as long as the case says, others whole. */
async function outputs(on: Device, { inputs, kernel, source, shape, outputWords }: KernelCase): Promise<Uint32Array[]> {
  const buffers = inputs.map((input) => {
    const buffer = on.createBuffer(input.byteLength);
    on.write(buffer, new Uint8Array(input.buffer));
    return buffer;
  });
  on.run([{ kernel, source, shape, buffers }]);
  const found: Uint32Array[] = [];
  for (const [index, buffer] of buffers.entries()) {
    if (kernel.bindings[index]?.access !== "write") continue;
    const words = index === buffers.length - 1 ? outputWords : (inputs[index]?.length ?? 0);
    found.push(new Uint32Array((await on.read(buffer, words * 4)).buffer));
  }
  for (const buffer of buffers) buffer.destroy();
  return found;
}

function bitDifference(actual: Uint32Array, expected: Uint32Array): string | null {
  if (actual.length !== expected.length) return "outputs of another length";
  const at = expected.findIndex((word, place) => word !== actual[place]);
  return at < 0 ? null : `word ${at}: ${actual[at]?.toString(16)}, expected ${expected[at]?.toString(16)}`;
}

const api = {
  /** The adapter's name. Rejects where there is none. */
  adapter: async () => (await opening).adapter,
  /** The first difference between WebGPU and the oracle on case `index`, or null. */
  async difference(index: number): Promise<string | null> {
    const item = ALL_CASES[index];
    if (!item) return `no case ${index}`;
    const [actual, expected] = [await outputs(await opening, item), await outputs(reference, item)];
    for (const [index, own] of expected.entries()) {
      const isLast = index === expected.length - 1;
      const difference = (isLast && item.compare) || bitDifference;
      const found = difference(actual[index] ?? new Uint32Array(), own);
      if (found) return isLast ? found : `output ${index}, ${found}`;
    }
    return expected.length > 0 ? null : "no output";
  },
};

export type KernelsApi = typeof api;

Comlink.expose(api);
