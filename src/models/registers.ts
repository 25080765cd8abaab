import type { Device, DeviceBuffer } from "../device/device.ts";

/**
 * Device memory of one variant: each register [rows, width] float32, made when it is first used. Those that are lent to it stay
 * their owner's.
 */
export class Registers {
  readonly #device: Device;
  readonly #widths: ReadonlyMap<string, number>;
  readonly #rows: number;
  readonly #lent: ReadonlyMap<string, DeviceBuffer>;
  readonly #buffers = new Map<string, DeviceBuffer>();

  constructor(
    device: Device,
    widths: ReadonlyMap<string, number>,
    rows: number,
    lent: ReadonlyMap<string, DeviceBuffer> = new Map(),
  ) {
    this.#device = device;
    this.#widths = widths;
    this.#rows = rows;
    this.#lent = lent;
  }

  /** A register of the graph. */
  buffer(name: string): DeviceBuffer {
    return this.made(name, this.#rows * this.widthOf(name));
  }

  /** Columns of a register of the graph. */
  widthOf(name: string): number {
    const width = this.#widths.get(name);
    if (width === undefined) throw new Error(`no register ${name}`);
    return width;
  }

  /** The buffer of that name, of `words` 32-bit words when it is first asked for. */
  made(name: string, words: number): DeviceBuffer {
    const known = this.#lent.get(name) ?? this.#buffers.get(name);
    if (known) return known;
    const buffer = this.#device.createBuffer(Math.max(words * 4, 16));
    this.#buffers.set(name, buffer);
    return buffer;
  }

  /** A buffer of that name with these contents. */
  filled(name: string, words: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>): DeviceBuffer {
    const buffer = this.made(name, words.length);
    this.#device.write(buffer, new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    return buffer;
  }

  destroy(): void {
    for (const buffer of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
  }
}
