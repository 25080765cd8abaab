import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import type { KernelCall } from "../../src/device/kernel.ts";

/** Calls of some kernels that a job makes, to be made again by themselves. */
export class CallRecord {
  readonly #device: Device;
  readonly #kernels: ReadonlySet<string>;
  readonly #calls: KernelCall<number>[] = [];

  /** @param kernels names of those that count */
  constructor(device: Device, kernels: readonly string[]) {
    this.#device = device;
    this.#kernels = new Set(kernels);
  }

  /** Does something, and writes down its calls; of a buffer only how long it is. */
  async during(work: () => Promise<void>): Promise<void> {
    const device = this.#device;
    const run = device.run.bind(device);
    device.run = (calls) => {
      for (const { kernel, source, shape, buffers } of calls) {
        if (!this.#kernels.has(kernel.name)) continue;
        this.#calls.push({ kernel, source, shape, buffers: buffers.map(({ sizeBytes }) => sizeBytes) });
      }
      run(calls);
    };
    try {
      await work();
    } finally {
      device.run = run;
    }
  }

  /**
   * The same calls on buffers of the same lengths, one for each place and length: what lies in them is the caller's.
   * @param fill called once for each buffer, with its place among those of the first call that has it
   */
  again(
    fill: (buffer: DeviceBuffer, place: number, call: Omit<KernelCall<unknown>, "buffers">) => void,
  ): readonly KernelCall<DeviceBuffer>[] {
    const made = new Map<string, DeviceBuffer>();
    return this.#calls.map(({ kernel, source, shape, buffers }) => ({
      kernel,
      source,
      shape,
      buffers: buffers.map((sizeBytes, place) => {
        const key = `${kernel.name} ${place} ${sizeBytes}`;
        const known = made.get(key);
        if (known) return known;
        const buffer = this.#device.createBuffer(sizeBytes);
        made.set(key, buffer);
        fill(buffer, place, { kernel, source, shape });
        return buffer;
      }),
    }));
  }
}
