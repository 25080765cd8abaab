import type { LabErrorData } from "../../base/errors.ts";
import { formatCount, formatNumber } from "../../base/format.ts";
import type { ChannelSpectrum, LevelHistogram, MatrixSheet, ScaleMap } from "../../engine/sheet.ts";
import { parseScheme } from "../../schemes/recipe.ts";
import type { SpectrumChannel, SpectrumData } from "../charts/channel-spectrum.ts";
import type { Caption } from "../charts/chart.ts";
import type { HistogramData } from "../charts/histogram.ts";
import type { ScaleMapData } from "../charts/scale-map.ts";
import { schemeFamily } from "../parts/scheme-mark.ts";

/** The close look at a matrix, on its way or failed. */
export type SheetView =
  | { readonly state: "none" }
  | { readonly state: "waiting" }
  | { readonly state: "ready"; readonly result: MatrixSheet }
  | { readonly state: "failed"; readonly error: LabErrorData };

/** The histogram of a sheet; null where the recipe only prunes. */
export function histogramOf({ levels, scheme }: MatrixSheet): HistogramData | null {
  if (levels === null) return null;
  return { ...levels, family: schemeFamily(scheme), caption: histogramCaption(levels, scheme) };
}

/** What a histogram says: how many of its levels are taken. `scheme` is the one that applies to the matrix. */
export function histogramCaption({ codes }: LevelHistogram, scheme: string | null): Caption {
  const used = codes.filter((count) => count > 0).length;
  const steps = isAsymmetric(scheme)
    ? "its weights in steps of their own scale, moved by their zero point"
    : "its weights in steps of their own scale";
  const strong =
    used === codes.length ? `All ${codes.length} levels are taken.` : `${used} of ${codes.length} levels are taken.`;
  return { strong, plain: `Outline: ${steps}. Comb: the codes they become.` };
}

function isAsymmetric(scheme: string | null): boolean {
  try {
    return scheme !== null && !parseScheme(scheme).weights.symmetric;
  } catch {
    return false;
  }
}

/** The scale map of a sheet; null where the recipe only prunes. */
export function scaleMapOf({ scales, rows }: MatrixSheet): ScaleMapData | null {
  if (scales === null) return null;
  const { levels, groupSize, smallest, largest, usedLevels } = scales;
  return {
    ...{ scales: scales.scales, usedLevels, levels, groupSize, smallest, largest },
    matrixRows: rows,
    caption: scaleCaption(scales),
  };
}

function scaleCaption(scales: ScaleMap): Caption {
  const { groups, smallest, median, largest, levels, fewestLevels, medianLevels, fullGroups } = scales;
  if (groups === 1) {
    return {
      strong: `One scale for the matrix: ${formatNumber(largest)}.`,
      plain: `It uses ${formatCount(fewestLevels)} of ${formatCount(levels)} levels.`,
    };
  }
  return {
    strong: `Scales go from ${formatNumber(smallest)} to ${formatNumber(largest)}; the median group uses ${formatCount(medianLevels)} of its ${formatCount(levels)} levels.`,
    plain: `Median scale ${formatNumber(median)}; ${formatCount(fewestLevels)} levels in the poorest group, all of them in ${formatCount(fullGroups)} of ${formatCount(groups)}. Each stripe is one group of inputs.`,
  };
}

/** The sorted channels of a sheet. */
export function spectrumOf({ channels, scheme }: MatrixSheet): SpectrumData {
  const weights = sorted(channels.largest);
  return {
    weights,
    errors: sorted(channels.rmsError),
    family: schemeFamily(scheme),
    caption: spectrumCaption(weights, channels),
  };
}

function spectrumCaption(weights: readonly SpectrumChannel[], { largest }: ChannelSpectrum): Caption {
  const [first] = weights;
  const median = weights[Math.floor(weights.length / 2)];
  const plain = "Each curve sorted on its own, on a log scale.";
  if (first === undefined || median === undefined) return { strong: "No input channels.", plain: "" };
  if (largest.some((value) => !Number.isFinite(value))) {
    return { strong: "Some channels hold weights that are not finite.", plain: "They are left out of the curves." };
  }
  return {
    strong: `Input ${first.channel} reaches furthest, ${formatNumber(first.value)}; the median input ${formatNumber(median.value)}.`,
    plain,
  };
}

/** Finite channels, the largest first. */
function sorted(values: Float32Array): readonly SpectrumChannel[] {
  return Array.from(values, (value, channel) => ({ channel, value }))
    .filter(({ value }) => Number.isFinite(value))
    .sort((a, b) => b.value - a.value);
}
