import type { Device, DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { STATISTICS } from "../kernels/stats/channel_statistics.oracle.ts";
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
  /** Mean of x. */
  readonly mean: Float64Array;
  /** Mean of x³. */
  readonly meanCube: Float64Array;
  /** Mean of x⁴. */
  readonly meanFourth: Float64Array;
}

/** Sums of a module so far. */
interface Totals {
  rows: number;
  readonly absMax: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  /** Of |x|, x², x, x³ and x⁴, as the kernel orders them. */
  readonly sums: readonly [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
}

/** Which of the kernel's statistics is the first that is a sum. */
const FIRST_SUM = 3;

/** Collects statistics of what goes into each linear layer of the original, over all rows of all passes. */
export class StatisticsTap implements InputTap {
  readonly #device: Device;
  readonly #leaders: ReadonlyMap<string, string>;
  /** Whose totals count for each module that was looked at. */
  readonly #seen = new Map<string, string>();
  readonly #totals = new Map<string, Totals>();

  /**
   * @param leaders of modules that are multiplied with the very same numbers, the first of the run: it alone is looked at, and
   *   what is found counts for all of them. A module that is missing is looked at by itself
   */
  constructor(device: Device, leaders: ReadonlyMap<string, string> = new Map()) {
    this.#device = device;
    this.#leaders = leaders;
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    const leader = this.#leaders.get(module) ?? module;
    this.#seen.set(module, leader);
    if (leader !== module) return;
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
    for (let block = 0; block < found.length; block += STATISTICS * width) {
      for (let channel = 0; channel < width; channel++) {
        const at = (statistic: number) => found[block + statistic * width + channel] ?? 0;
        totals.absMax[channel] = Math.max(totals.absMax[channel] ?? 0, at(0));
        totals.min[channel] = Math.min(totals.min[channel] ?? 0, at(1));
        totals.max[channel] = Math.max(totals.max[channel] ?? 0, at(2));
        for (const [which, own] of totals.sums.entries()) own[channel] = (own[channel] ?? 0) + at(FIRST_SUM + which);
      }
    }
  }

  /** By module, in the order of the run. */
  get statistics(): ReadonlyMap<string, ChannelStatistics> {
    const found = new Map([...this.#totals].map(([leader, totals]) => [leader, meansOf(totals)]));
    return new Map(
      [...this.#seen].map(([module, leader]) => {
        const own = found.get(leader);
        if (!own) throw new Error(`${leader} was not looked at, whose input ${module} shares`);
        return [module, own];
      }),
    );
  }
}

function meansOf({ rows, absMax, min, max, sums }: Totals): ChannelStatistics {
  const [meanAbs, meanSquare, mean, meanCube, meanFourth] = sums;
  const means = { meanAbs, meanSquare, mean, meanCube, meanFourth };
  return { rows, absMax, min, max, ...mapMeans(means, (sum) => sum / rows) };
}

function newTotals(width: number): Totals {
  const zeros = () => new Float64Array(width);
  return {
    rows: 0,
    absMax: zeros(),
    min: zeros().fill(Number.POSITIVE_INFINITY),
    max: zeros().fill(Number.NEGATIVE_INFINITY),
    sums: [zeros(), zeros(), zeros(), zeros(), zeros()],
  };
}

type Means = Pick<ChannelStatistics, "meanAbs" | "meanSquare" | "mean" | "meanCube" | "meanFourth">;

/** Each number of each mean through a function, which is told the mean's name and the channel too. */
function mapMeans(means: Means, become: (value: number, which: keyof Means, channel: number) => number): Means {
  const mapped = (which: keyof Means) => means[which].map((value, channel) => become(value, which, channel));
  return {
    meanAbs: mapped("meanAbs"),
    meanSquare: mapped("meanSquare"),
    mean: mapped("mean"),
    meanCube: mapped("meanCube"),
    meanFourth: mapped("meanFourth"),
  };
}

/**
 * Statistics of two sets of rows that went into the same layer, as if they had been looked at together: extremes of both,
 * means weighted by rows.
 * @throws Error where the layers are not equally wide
 */
export function mergeStatistics(a: ChannelStatistics, b: ChannelStatistics): ChannelStatistics {
  if (a.absMax.length !== b.absMax.length) {
    throw new Error(`statistics of ${a.absMax.length} channels merged with those of ${b.absMax.length}`);
  }
  // Nothing has no mean that could be weighted.
  if (a.rows === 0) return b;
  if (b.rows === 0) return a;
  const rows = a.rows + b.rows;
  const joined = (which: "absMax" | "min" | "max", pick: (one: number, other: number) => number) =>
    a[which].map((value, channel) => pick(value, b[which][channel] ?? Number.NaN));
  return {
    rows,
    absMax: joined("absMax", Math.max),
    min: joined("min", Math.min),
    max: joined("max", Math.max),
    ...mapMeans(a, (mean, which, channel) => (mean * a.rows + (b[which][channel] ?? Number.NaN) * b.rows) / rows),
  };
}
