import type { ChannelStatistics } from "../models/channel-statistics.ts";

/** A channel of a layer's input, and the largest magnitude that went through it. */
export interface ChannelMagnitude {
  readonly channel: number;
  readonly absMax: number;
}

/** A channel much louder than most. */
export interface OutlierChannel extends ChannelMagnitude {
  /** Its largest magnitude over that of the median channel. */
  readonly ratio: number;
}

/**
 * How many times as loud as the median channel an outlier is, at least. One scale a token has to resolve what the median
 * channel carries; a channel 8 times as loud sets that scale, and takes three bits from all the others.
 */
export const OUTLIER_RATIO = 8;

/**
 * What the sums of the kernel may have lost of a power of the magnitudes: they are float32 over blocks of 64 rows, and a
 * fourth power has three roundings behind it (`kernels/stats/channel_statistics`).
 */
const LOST_SHARE = (64 + 3) * 2 ** -23;

/**
 * Kurtosis of all entries of a layer's input, tokens × channels: E[(x − E x)⁴] / (E[(x − E x)²])², Pearson's, 3 for normally
 * distributed entries, larger where few entries are much larger than the rest. From the raw moments, in float64:
 * E[(x − m)⁴] = E x⁴ − 4 m E x³ + 6 m² E x² − 3 m⁴.
 * @returns null where a moment is not finite, or where the variance is 0 as far as can be told: where what float32 sums may
 *   have lost of the raw moments is as large as its square
 */
export function kurtosisOf({ mean, meanSquare, meanCube, meanFourth }: ChannelStatistics): number | null {
  // Every channel has as many entries as every other.
  const [m, square, cube, fourth] = [mean, meanSquare, meanCube, meanFourth].map(meanOf) as [
    number,
    number,
    number,
    number,
  ];
  const variance = square - m ** 2;
  const central = fourth - 4 * m * cube + 6 * m ** 2 * square - 3 * m ** 4;
  const kurtosis = central / variance ** 2;
  const isKnown = variance > 0 && variance ** 2 > LOST_SHARE * square ** 2;
  return isKnown && Number.isFinite(kurtosis) ? kurtosis : null;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Channels whose largest magnitude is at least `OUTLIER_RATIO` times that of the median channel (of an even number, the mean of
 * the middle two), loudest first. None where the median channel is silent: what is 0 loses nothing to a loud neighbour.
 */
export function outlierChannels(statistics: Pick<ChannelStatistics, "absMax">): readonly OutlierChannel[] {
  const median = medianOf(statistics.absMax);
  if (!(median > 0)) return [];
  return spectrum(statistics)
    .filter(({ absMax }) => absMax >= OUTLIER_RATIO * median)
    .map((own) => ({ ...own, ratio: own.absMax / median }));
}

function medianOf(values: Float64Array): number {
  const sorted = values.toSorted();
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/**
 * All channels of a layer's input by their largest magnitude, largest first; equally loud ones in the layer's order. One that is
 * not a number stands with the infinite ones.
 */
export function spectrum({ absMax }: Pick<ChannelStatistics, "absMax">): readonly ChannelMagnitude[] {
  return Array.from(absMax, (own, channel) => ({ channel, absMax: own })).sort((a, b) => {
    const [one, other] = [loudness(a), loudness(b)];
    return one === other ? 0 : other - one;
  });
}

function loudness({ absMax }: ChannelMagnitude): number {
  return Number.isNaN(absMax) ? Number.POSITIVE_INFINITY : absMax;
}
