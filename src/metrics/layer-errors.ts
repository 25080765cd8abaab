import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { residualError } from "../kernels/model/residual_error.ts";
import type { CallQueue } from "../models/call-queue.ts";
import type { LayerWatch } from "../models/run-setup.ts";

/** How far the residual stream is from the original's. */
export interface StreamError {
  /** Σ(x − x̂)² / Σx², over all tokens; NaN or infinite where the stream is not finite. */
  readonly relative: number;
  /** −10·log₁₀ of it; infinite where nothing differs. */
  readonly signalToNoiseDb: number;
}

/** Adds up, layer by layer, how far the residual stream of each variant is from the original's. */
export class LayerErrors implements LayerWatch {
  readonly #device: Device;
  readonly #rows: number;
  /** By layer and variant: Σ(x − x̂)² and Σx². */
  readonly #sums: [errors: number, squares: number][][] = [];

  /** @param rows tokens of a run */
  constructor(device: Device, rows: number) {
    this.#device = device;
    this.#rows = rows;
  }

  async layerDone(layer: number, streams: readonly DeviceBuffer[], width: number, queue: CallQueue): Promise<void> {
    const [original, ...variants] = streams;
    if (!original) return;
    const sizeBytes = Math.max(16, this.#rows * 8);
    const sums = variants.map(() => this.#device.createBuffer(sizeBytes));
    try {
      for (const [index, variant] of variants.entries()) {
        const buffers = [original, variant, sums[index] as DeviceBuffer];
        queue.add(call(residualError, {}, { rows: this.#rows, width }, buffers), 4 * this.#rows * width);
      }
      queue.flush();
      const own = this.#sums[layer] ?? variants.map(() => [0, 0]);
      this.#sums[layer] = own;
      for (const [index, buffer] of sums.entries()) {
        const found = new Float32Array((await this.#device.read(buffer, sizeBytes)).buffer);
        const total = own[index] ?? [0, 0];
        for (let row = 0; row < this.#rows; row++) {
          total[0] += found[2 * row] ?? 0;
          total[1] += found[2 * row + 1] ?? 0;
        }
      }
    } finally {
      for (const buffer of sums) buffer.destroy();
    }
  }

  /** Errors of a variant, layer by layer. The original does not count among the variants. */
  errors(variant: number): readonly StreamError[] {
    return this.#sums.map((own) => {
      const [errors, squares] = own[variant] ?? [0, 0];
      const relative = errors === 0 ? 0 : errors / squares;
      return { relative, signalToNoiseDb: -10 * Math.log10(relative) };
    });
  }

  /** Adds the sums of another run over other tokens. */
  add(other: LayerErrors): void {
    for (const [layer, own] of other.#sums.entries()) {
      const mine = this.#sums[layer] ?? own.map(() => [0, 0]);
      this.#sums[layer] = mine.map(([errors, squares], variant) => [
        errors + (own[variant]?.[0] ?? 0),
        squares + (own[variant]?.[1] ?? 0),
      ]);
    }
  }
}
