import * as Comlink from "comlink";
import type { Device } from "../../src/device/device.ts";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";

const opening = createWebGpuDevice(navigator.gpu ?? null);
const reference = createReferenceDevice();

async function output(on: Device, item: KernelCase): Promise<Uint32Array> {
  const buffers = item.inputs.map((input) => {
    const buffer = on.createBuffer(input.byteLength);
    on.write(buffer, new Uint8Array(input.buffer));
    return buffer;
  });
  on.run([{ kernel: item.kernel, source: item.source, shape: item.shape, buffers }]);
  const last = buffers.at(-1);
  if (!last) throw new Error("a case without buffers");
  const bytes = await on.read(last, item.outputWords * 4);
  for (const buffer of buffers) buffer.destroy();
  return new Uint32Array(bytes.buffer);
}

const api = {
  /** The adapter's name. Rejects where there is none. */
  adapter: async () => (await opening).adapter,
  /** The first difference between WebGPU and the oracle on case `index`, or null. */
  async difference(index: number): Promise<string | null> {
    const item = ALL_CASES[index];
    if (!item) return `no case ${index}`;
    const [actual, expected] = [await output(await opening, item), await output(reference, item)];
    if (actual.length !== item.outputWords || expected.length !== item.outputWords) return "outputs of another length";
    if (item.compare) return item.compare(actual, expected);
    const at = expected.findIndex((word, place) => word !== actual[place]);
    return at < 0 ? null : `word ${at}: ${actual[at]?.toString(16)}, expected ${expected[at]?.toString(16)}`;
  },
};

export type KernelsApi = typeof api;

Comlink.expose(api);
