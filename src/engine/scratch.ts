import type { Device, DeviceBuffer } from "../device/device.ts";

/** Device buffers by name, each replaced by a larger one when a tile needs it and kept for the next tile. */
export class Scratch {
  readonly #device: Device;
  readonly #buffers = new Map<string, DeviceBuffer>();

  constructor(device: Device) {
    this.#device = device;
  }

  /** The buffer of that name, of at least `sizeBytes`; its contents are what was left in it. */
  buffer(name: string, sizeBytes: number): DeviceBuffer {
    const known = this.#buffers.get(name);
    if (known && known.sizeBytes >= sizeBytes) return known;
    known?.destroy();
    this.#buffers.delete(name);
    const made = this.#device.createBuffer(Math.max(sizeBytes, 16));
    this.#buffers.set(name, made);
    return made;
  }

  /** That buffer with its first `sizeBytes` zero. */
  zeroed(name: string, sizeBytes: number): DeviceBuffer {
    return this.filled(name, new Uint8Array(sizeBytes));
  }

  /** That buffer beginning with `bytes`, which may be reused as soon as the call returns. */
  filled(name: string, bytes: Uint8Array): DeviceBuffer {
    const buffer = this.buffer(name, bytes.byteLength);
    this.#device.write(buffer, bytes);
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
