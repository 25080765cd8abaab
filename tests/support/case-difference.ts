import type { Device } from "../../src/device/device.ts";
import { createReferenceDevice } from "../../src/device/reference/reference-device.ts";
import type { KernelCase } from "../../src/kernels/test-case.ts";

const reference = createReferenceDevice();

/** The first difference between a device and the oracle on a case, or null. */
export async function caseDifference(device: Device, item: KernelCase): Promise<string | null> {
  const [actual, expected] = [await outputs(device, item), await outputs(reference, item)];
  for (const [index, own] of expected.entries()) {
    const isLast = index === expected.length - 1;
    const difference = (isLast && item.compare) || bitDifference;
    const found = difference(actual[index] ?? new Uint32Array(), own);
    if (found) return isLast ? found : `output ${index}, ${found}`;
  }
  return expected.length > 0 ? null : "no output";
}

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
