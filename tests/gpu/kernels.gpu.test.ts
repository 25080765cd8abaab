import { afterAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import { createWebGpuDevice } from "../../src/device/webgpu/webgpu-device.ts";
import { ALL_CASES } from "../../src/kernels/all-cases.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";

// No adapter fails the whole file: a GPU test that did not run must not look like one that passed.
const device = await createWebGpuDevice(navigator.gpu);
const reference = createReferenceDevice();
afterAll(() => device.destroy());

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

describe.each([...Map.groupBy(ALL_CASES, (item) => item.kernel.name)])("%s", (_kernel, cases) => {
  test.each(cases)("$name", async (item) => {
    const [actual, expected] = [await output(device, item), await output(reference, item)];
    expect(expected.length).toBe(item.outputWords);
    if (item.compare) expect(item.compare(actual, expected)).toBeNull();
    else expect(hex(actual)).toEqual(hex(expected));
  });
});

function hex(words: Uint32Array): string[] {
  return [...words].map((word) => word.toString(16).padStart(8, "0"));
}
