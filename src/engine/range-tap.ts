import { float32Of } from "../base/float-format.ts";
import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { extremes } from "../kernels/activations/extremes.ts";
import type { Span } from "../kernels/activations/span.ts";
import type { HeadsInBuffer, InputTap } from "../models/run-setup.ts";
import type { WindowBatch } from "../models/windows.ts";
import type { ValueRanges } from "../schemes/observers.ts";

/** Ranges of keys and values, a range for each head, window by window. */
export interface CacheRanges {
  readonly key: ValueRanges[];
  readonly value: ValueRanges[];
}

/** What a tap looks at. */
export interface RangesWanted {
  /** Modules of linear layers. */
  readonly inputs: ReadonlySet<string>;
  readonly hasCaches: boolean;
}

/** Notes the smallest and largest value, window by window, of what goes into linear layers and attentions. */
export class RangeTap implements InputTap {
  readonly inputs = new Map<string, ValueRanges[]>();
  readonly caches = new Map<string, CacheRanges>();
  readonly #device: Device;
  readonly #wanted: RangesWanted;
  #starts: readonly number[] = [];
  #rows = 0;

  constructor(device: Device, wanted: RangesWanted) {
    this.#device = device;
    this.#wanted = wanted;
  }

  /** To be called before each run with the windows that it takes. */
  begin({ starts, rows }: WindowBatch): void {
    this.#starts = starts;
    this.#rows = rows;
  }

  async take(module: string, input: DeviceBuffer, _rows: number, width: number): Promise<void> {
    if (!this.#wanted.inputs.has(module)) return;
    const own = this.inputs.get(module) ?? [];
    this.inputs.set(module, own);
    own.push(...(await this.#ranges(input, { width, start: 0, stride: width, count: 1, dim: width })));
  }

  async takeCache(module: string, key: HeadsInBuffer, value: HeadsInBuffer): Promise<void> {
    if (!this.#wanted.hasCaches) return;
    const own = this.caches.get(module) ?? { key: [], value: [] };
    this.caches.set(module, own);
    own.key.push(...(await this.#rangesOfHeads(key)));
    own.value.push(...(await this.#rangesOfHeads(value)));
  }

  #rangesOfHeads({ heads: { start, stride, count, dim }, buffer, width }: HeadsInBuffer) {
    return this.#ranges(buffer, { width, start, stride, count, dim });
  }

  /** The range of each piece, window by window. */
  async #ranges(register: DeviceBuffer, span: Span): Promise<readonly ValueRanges[]> {
    const { count } = span;
    const sizeBytes = this.#rows * count * 8;
    const found = this.#device.createBuffer(sizeBytes);
    try {
      this.#device.run([call(extremes, {}, { rows: this.#rows, ...span }, [register, found])]);
      const words = new Uint32Array((await this.#device.read(found, sizeBytes)).buffer);
      return this.#starts.map((start, window) => {
        const end = this.#starts[window + 1] ?? this.#rows;
        return rangeOfRows(words.subarray(2 * count * start, 2 * count * end), count);
      });
    } finally {
      found.destroy();
    }
  }
}

/**
 * The range of each piece over some rows, zero always in it: every scale counts zero in, so that only a moving average over
 * windows that lie on different sides of it could tell.
 * @param words magnitudes on either side of zero, [rows, count, 2], as bits
 */
function rangeOfRows(words: Uint32Array, count: number): ValueRanges {
  const largest = new Uint32Array(2 * count);
  for (const [at, bits] of words.entries()) {
    const place = at % (2 * count);
    largest[place] = Math.max(largest[place] ?? 0, bits);
  }
  const side = (offset: 0 | 1) =>
    Float64Array.from({ length: count }, (_, piece) => float32Of(largest[2 * piece + offset] ?? 0));
  return { min: side(1).map((value) => -value), max: side(0) };
}
