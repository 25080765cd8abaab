import { OUTLIER_RATIO } from "../metrics/activation-statistics.ts";
import type { LayerActivations } from "./diagnosis-api.ts";

/** The channels of a layer's input by how loud they get. */
export interface ActivationSpectrum {
  /** Finite ones, the loudest first; equally loud ones in the layer's order. */
  readonly channels: readonly { readonly channel: number; readonly absMax: number }[];
  /** Largest magnitude of the median channel; of an even number, the mean of the middle two. 0 without channels. */
  readonly median: number;
  /** From here on a channel counts as an outlier. */
  readonly threshold: number;
  /** Channels that hold what is not finite. */
  readonly notFinite: number;
}

/** Sorts what a layer's channels reached. */
export function activationSpectrum({ channelAbsMax }: Pick<LayerActivations, "channelAbsMax">): ActivationSpectrum {
  const all = Array.from(channelAbsMax, (absMax, channel) => ({ channel, absMax }));
  const channels = all.filter(({ absMax }) => Number.isFinite(absMax)).sort((a, b) => b.absMax - a.absMax);
  const middle = Math.floor(channels.length / 2);
  const at = (index: number): number => channels[index]?.absMax ?? 0;
  const median = channels.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { channels, median, threshold: OUTLIER_RATIO * median, notFinite: all.length - channels.length };
}
