import type { Device } from "../../src/device/device.ts";
import type { ByteSource, Folder } from "../../src/formats/byte-source.ts";
import type { Checkpoint } from "../../src/formats/huggingface/checkpoint.ts";

/** Some bytes of a file. */
interface FileRange {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** Counts which bytes of a checkpoint are read, and which of those are handed to a device. */
export class TransferCounter {
  readonly #origins = new WeakMap<Uint8Array, FileRange>();
  #read: FileRange[] = [];
  #uploaded: FileRange[] = [];

  /** The same folder, watched. */
  watchedFolder({ name, files }: Folder): Folder {
    return { name, files: new Map([...files].map(([path, source]) => [path, this.#watchedSource(path, source)])) };
  }

  #watchedSource(file: string, source: ByteSource): ByteSource {
    return {
      name: source.name,
      sizeBytes: source.sizeBytes,
      read: async (start, end, into) => {
        const bytes = await source.read(start, end, into);
        const range = { file, start, end };
        this.#read.push(range);
        this.#origins.set(bytes, range);
        return bytes;
      },
    };
  }

  /** From now on counts what this device is given of what was read. It must be the bytes that were read: copies count not. */
  watch(device: Device): void {
    const write = device.write.bind(device);
    device.write = (buffer, bytes) => {
      const range = this.#origins.get(bytes);
      if (range) this.#uploaded.push(range);
      write(buffer, bytes);
    };
  }

  clear(): void {
    this.#read = [];
    this.#uploaded = [];
  }

  /**
   * Tells whether, since `clear`, all tensors were read and uploaded and no byte of them twice.
   * @returns how many ranges that were, and how many bytes
   * @throws Error that names the first byte for which it is not so
   */
  requireOnce({ tensors, shards }: Checkpoint): { readonly tiles: number; readonly bytes: number } {
    for (const [done, ranges] of Object.entries({ read: this.#read, uploaded: this.#uploaded })) {
      for (const [index, { name }] of shards.entries()) {
        const own = tensors.filter(({ shard }) => shard === index);
        let next = Math.min(...own.map(({ start }) => start));
        const end = Math.max(...own.map((tensor) => tensor.end));
        const sorted = ranges.filter(({ file }) => file === name).sort((one, other) => one.start - other.start);
        for (const range of [...sorted, { start: end, end }]) {
          const words = range.start < next ? `${done} more than once` : `not ${done}`;
          if (range.start !== next)
            throw new Error(`byte ${Math.min(range.start, next)} of ${name} was ${words} in a pass`);
          next = range.end;
        }
      }
    }
    return { tiles: this.#read.length, bytes: this.#read.reduce((sum, { start, end }) => sum + end - start, 0) };
  }
}
