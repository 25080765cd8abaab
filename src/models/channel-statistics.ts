import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { channelStatistics, channelStatisticsWords } from "../kernels/stats/channel_statistics.ts";
import type { InputTap } from "./run-setup.ts";

/** What went into a linear layer, channel by channel: float64 [inFeatures]. */
export interface ChannelStatistics {
  /** Rows looked at: tokens. */
  readonly rows: number;
  readonly absMax: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Mean of |x|. */
  readonly meanAbs: Float64Array;
  /** Mean of x². */
  readonly meanSquare: Float64Array;
}

/** Sums of a module so far. */
interface Totals {
  rows: number;
  readonly absMax: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly sumAbs: Float64Array;
  readonly sumSquares: Float64Array;
}

/** Collects statistics of what goes into each linear layer of the original, over all rows of all passes. */
export class StatisticsTap implements InputTap {
  readonly #device: Device;
  readonly #totals = new Map<string, Totals>();

  constructor(device: Device) {
    this.#device = device;
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    const sizeBytes = channelStatisticsWords({ rows, width }) * 4;
    const sums = this.#device.createBuffer(sizeBytes);
    try {
      this.#device.run([call(channelStatistics, {}, { rows, width }, [input, sums])]);
      const found = new Float32Array((await this.#device.read(sums, sizeBytes)).buffer);
      this.#add(module, rows, width, found);
    } finally {
      sums.destroy();
    }
  }

  #add(module: string, rows: number, width: number, found: Float32Array): void {
    const totals = this.#totals.get(module) ?? newTotals(width);
    this.#totals.set(module, totals);
    totals.rows += rows;
    for (let block = 0; block < found.length; block += 5 * width) {
      for (let channel = 0; channel < width; channel++) {
        const at = (statistic: number) => found[block + statistic * width + channel] ?? 0;
        totals.absMax[channel] = Math.max(totals.absMax[channel] ?? 0, at(0));
        totals.min[channel] = Math.min(totals.min[channel] ?? 0, at(1));
        totals.max[channel] = Math.max(totals.max[channel] ?? 0, at(2));
        totals.sumAbs[channel] = (totals.sumAbs[channel] ?? 0) + at(3);
        totals.sumSquares[channel] = (totals.sumSquares[channel] ?? 0) + at(4);
      }
    }
  }

  /** By module. */
  get statistics(): ReadonlyMap<string, ChannelStatistics> {
    return new Map(
      [...this.#totals].map(([module, { rows, absMax, min, max, sumAbs, sumSquares }]) => [
        module,
        {
          rows,
          absMax,
          min,
          max,
          meanAbs: sumAbs.map((sum) => sum / rows),
          meanSquare: sumSquares.map((sum) => sum / rows),
        },
      ]),
    );
  }
}

function newTotals(width: number): Totals {
  return {
    rows: 0,
    absMax: new Float64Array(width),
    min: new Float64Array(width).fill(Number.POSITIVE_INFINITY),
    max: new Float64Array(width).fill(Number.NEGATIVE_INFINITY),
    sumAbs: new Float64Array(width),
    sumSquares: new Float64Array(width),
  };
}
