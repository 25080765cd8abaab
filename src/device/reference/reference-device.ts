import type { Device, DeviceBuffer } from "../device.ts";
import type { Kernel, KernelCall } from "../kernel.ts";

class WordBuffer implements DeviceBuffer {
  readonly sizeBytes: number;
  readonly words: Uint32Array<ArrayBuffer>;

  constructor(sizeBytes: number) {
    this.words = new Uint32Array(Math.ceil(sizeBytes / 4));
    this.sizeBytes = this.words.byteLength;
  }

  destroy(): void {}
}

/** A device that runs the oracle of every kernel: exact, on any machine, in the calling thread. */
export function createReferenceDevice(): Device {
  const words = (buffer: DeviceBuffer): Uint32Array<ArrayBuffer> => (buffer as WordBuffer).words;
  return {
    kind: "reference",
    adapter: "oracles in JavaScript",
    maxBufferBytes: 2 ** 30,
    tileBytes: 2 ** 18,
    productsPerRun: 2 ** 26,
    variants: null,
    createBuffer: (sizeBytes) => new WordBuffer(sizeBytes),
    write(buffer, bytes) {
      const target = words(buffer);
      const view = new Uint8Array(target.buffer);
      view.set(bytes);
      view.fill(0, bytes.byteLength, Math.ceil(bytes.byteLength / 4) * 4);
    },
    prepare: async () => {},
    run(calls: readonly KernelCall<DeviceBuffer>[]) {
      for (const { kernel, source, shape, buffers } of calls) {
        (kernel as unknown as Kernel<unknown, unknown>).oracle(source, shape, buffers.map(words));
      }
    },
    read: async (buffer, sizeBytes) => new Uint8Array(words(buffer).buffer.slice(0, sizeBytes)),
    settle: async () => {},
    destroy() {},
  };
}
