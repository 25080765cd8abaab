import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { ERROR_WORDS, intError, segmentsPerGroup } from "../kernels/quant/int_error.ts";
import { codeWords, intQuantize } from "../kernels/quant/int_quantize.ts";
import { intScale } from "../kernels/quant/int_scale.ts";
import type { ReconstructionTotal } from "../metrics/reconstruction.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import type { Lane } from "./device-set.ts";
import { codeStorage, type Tile, tileShape } from "./tiles.ts";

/** A device buffer that is replaced by a larger one when a tile needs it. */
class GrowingBuffer {
  readonly #device: Device;
  #buffer: DeviceBuffer | undefined;

  constructor(device: Device) {
    this.#device = device;
  }

  atLeast(sizeBytes: number): DeviceBuffer {
    if (!this.#buffer || this.#buffer.sizeBytes < sizeBytes) {
      this.#buffer?.destroy();
      this.#buffer = this.#device.createBuffer(sizeBytes);
    }
    return this.#buffer;
  }

  destroy(): void {
    this.#buffer?.destroy();
    this.#buffer = undefined;
  }
}

/** The buffers of one scheme. */
interface SchemeBuffers {
  readonly scheme: Scheme;
  readonly scales: GrowingBuffer;
  readonly results: GrowingBuffer;
}

/** The bytes that a scheme stores for a tile, in file order. */
export interface QuantizedTile {
  readonly codes: Uint8Array;
  readonly scales: Uint8Array;
}

/** One lane's buffers, used for tile after tile: the tile's weights once, scales and results for each scheme. */
export class Workbench {
  readonly #device: Device;
  readonly #arithmetic: Arithmetic;
  readonly #weights: GrowingBuffer;
  readonly #schemes: readonly SchemeBuffers[];

  constructor(lane: Lane, arithmetic: Arithmetic) {
    this.#device = lane.device;
    this.#arithmetic = arithmetic;
    this.#weights = new GrowingBuffer(lane.device);
    this.#schemes = lane.schemes.map((scheme) => ({
      scheme,
      scales: new GrowingBuffer(lane.device),
      results: new GrowingBuffer(lane.device),
    }));
  }

  /**
   * Adds what a tile loses under each scheme to that scheme's total. The weights are taken at once; `bytes` may be reused
   * as soon as the call returns.
   */
  async measure(
    matrix: PlannedMatrix,
    tile: Tile,
    bytes: Uint8Array,
    totals: ReadonlyMap<Scheme, ReconstructionTotal>,
  ): Promise<void> {
    const weights = this.#upload(bytes);
    const work = this.#schemes.flatMap(({ scheme, scales, results }) => {
      const total = totals.get(scheme);
      if (!total) return [];
      const shape = tileShape(matrix, tile, scheme);
      const sumBytes = shape.groups * segmentsPerGroup(shape.groupSize) * ERROR_WORDS * 4;
      const scale = scales.atLeast(Math.ceil(shape.groups / 2) * 4);
      return [{ bits: scheme.weights.bits, shape, total, sumBytes, scale, sums: results.atLeast(sumBytes) }];
    });
    this.#device.run(
      work.flatMap(({ bits, shape, scale, sums }) => [
        call(intScale, { bits }, shape, [weights, scale]),
        call(intError, { bits, arithmetic: this.#arithmetic }, shape, [weights, scale, sums]),
      ]),
    );
    await Promise.all(
      work.map(async ({ shape, total, sums, sumBytes }) => {
        const words = await this.#device.read(sums, sumBytes);
        total.addSegments(new Uint32Array(words.buffer), shape.groups * shape.groupSize);
      }),
    );
  }

  /** Quantizes a tile under the bench's one scheme. */
  async quantize(matrix: PlannedMatrix, tile: Tile, bytes: Uint8Array): Promise<QuantizedTile> {
    const [only] = this.#schemes;
    if (!only) throw new Error("a workbench without a scheme");
    const { bits } = only.scheme.weights;
    const storage = codeStorage(only.scheme);
    const shape = tileShape(matrix, tile, only.scheme);
    const elements = shape.groups * shape.groupSize;
    const weights = this.#upload(bytes);
    const scales = only.scales.atLeast(Math.ceil(shape.groups / 2) * 4);
    const codes = only.results.atLeast(codeWords(elements, bits) * 4);
    this.#device.run([
      call(intScale, { bits }, shape, [weights, scales]),
      call(intQuantize, { bits, arithmetic: this.#arithmetic, storage }, shape, [weights, scales, codes]),
    ]);
    const [codeBytes, scaleBytes] = await Promise.all([
      this.#device.read(codes, (elements * bits) / 8),
      this.#device.read(scales, shape.groups * 2),
    ]);
    return { codes: codeBytes, scales: scaleBytes };
  }

  #upload(bytes: Uint8Array): DeviceBuffer {
    const weights = this.#weights.atLeast(bytes.byteLength);
    this.#device.write(weights, bytes);
    return weights;
  }

  destroy(): void {
    this.#weights.destroy();
    for (const { scales, results } of this.#schemes) {
      scales.destroy();
      results.destroy();
    }
  }
}
