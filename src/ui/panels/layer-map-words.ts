import { quote } from "../../base/errors.ts";
import { formatNumber, formatPercent } from "../../base/format.ts";
import type { LayerResult, SchemeResult } from "../../engine/result.ts";
import type { Caption } from "../charts/chart.ts";
import type { HeatMapData, HeatMapTotal } from "../charts/heat-map.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";

/** A gap in the sorted values from which one speaks of standing out. */
const OUTLIER_GAP_DB = 1;

/** A matrix with a finite figure. */
export type Ranked = LayerResult & { readonly sqnrDb: number };

export function hasValue(layer: LayerResult): layer is Ranked {
  return layer.sqnrDb !== null && Number.isFinite(layer.sqnrDb);
}

/** Whether the scheme does not apply to a matrix, as opposed to a measurement that failed. */
export function isRefused(layer: LayerResult): boolean {
  return layer.error?.code.startsWith("scheme/") ?? false;
}

/** `3rd worst of 28`; the last is the best. */
export function rankWords(rank: number, count: number): string {
  if (count === 1) return "the only one";
  if (rank === count) return `best of ${count}`;
  if (rank === 1) return `worst of ${count}`;
  const teen = rank % 100 >= 11 && rank % 100 <= 13;
  const ending = teen ? "th" : (["th", "st", "nd", "rd"][rank % 10] ?? "th");
  return `${rank}${ending} worst of ${count}`;
}

/** `o_proj of layer 0`, or the whole name outside the layers. */
export function nameOf(layer: LayerResult): string {
  return layer.layer === null ? quote(layer.module) : `${quote(layer.moduleKind)} of layer ${layer.layer}`;
}

/** What the map says of a scheme as a whole: whether a matrix stands out, and which. */
export function layerMapAnswer(
  scheme: SchemeResult,
  model: string,
): { readonly sentence: string; readonly evidence: string } {
  const ranked = scheme.layers.filter(hasValue).sort((a, b) => a.sqnrDb - b.sqnrDb);
  const { strong, plain } = captionOf(scheme, ranked);
  return {
    sentence: `${shortName(scheme.scheme)}: ${strong.charAt(0).toLowerCase()}${strong.slice(1)}`,
    evidence: [plain, `${shortName(model)} · ${shortName(scheme.description)}`].filter(Boolean).join(" · "),
  };
}

/** What the picture says: which layer and which kind of matrix carry most of the error. */
export function shareCaption(
  scheme: SchemeResult,
  ranked: readonly Ranked[],
  { rowTotals, columnTotals }: Pick<HeatMapData, "rowTotals" | "columnTotals">,
): Caption {
  const whole = captionOf(scheme, ranked);
  const [layer, kind] = [largest(columnTotals), largest(rowTotals)];
  if (layer === null || kind === null) return whole;
  return {
    strong: `The largest shares of the error are in ${listWords([layer.name, kind.name])}.`,
    plain: `${formatPercent(layer.share)} and ${formatPercent(kind.share)} of the squared error of the weights; bars say it of each.${exceptions(scheme)}`,
  };
}

function largest(totals: readonly HeatMapTotal[]): (HeatMapTotal & { readonly share: number }) | null {
  let most: (HeatMapTotal & { readonly share: number }) | null = null;
  for (const total of totals) {
    const { share } = total;
    if (share !== null && (most === null || share > most.share)) most = { ...total, share };
  }
  return most;
}

function captionOf(scheme: SchemeResult, ranked: readonly Ranked[]): Caption {
  const worst = ranked[0];
  const best = ranked.at(-1);
  const but = exceptions(scheme);
  if (scheme.layers.length < scheme.modules) {
    if (worst === undefined) return { strong: "No matrix is measured yet.", plain: "Hatched ones wait." };
    const plain = `${ranked.length} of ${scheme.modules} measured; hatched ones wait.${but}`;
    return { strong: `Worst so far: ${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB.`, plain };
  }
  if (worst === undefined || best === undefined) {
    return {
      strong: "No matrix has a figure.",
      plain: but === "" ? "Nothing here is pruned or quantized." : but.trim(),
    };
  }
  if (ranked.length === 1) return { strong: `${nameOf(worst)} keeps ${decibel(worst.sqnrDb)} dB.`, plain: but.trim() };
  const outliers = outlierCount(ranked);
  const mildest = ranked[outliers];
  if (outliers > 0 && mildest !== undefined) {
    const rest = `The other ${ranked.length - outliers} keep ${range(mildest, best)} dB of signal over error.${but}`;
    const who = `${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB`;
    const strong =
      outliers === 1 ? `One matrix stands out: ${who}.` : `${outliers} matrices stand out, most of all ${who}.`;
    return { strong, plain: rest };
  }
  if (best.sqnrDb - worst.sqnrDb < OUTLIER_GAP_DB) {
    const plain = `All ${ranked.length} keep ${range(worst, best)} dB of signal over error.${but}`;
    return { strong: "No matrix stands out.", plain };
  }
  return {
    strong: `It hurts most in ${nameOf(worst)}, ${decibel(worst.sqnrDb)} dB.`,
    plain: `The best, ${nameOf(best)}, keeps ${decibel(best.sqnrDb)} dB.${but}`,
  };
}

/** What has no figure, and why, as further sentences; empty as a rule. */
function exceptions(scheme: SchemeResult): string {
  const failed = scheme.layers.filter((layer) => layer.error !== undefined && !isRefused(layer)).length;
  const refused = scheme.layers.filter(isRefused).length;
  return (
    (refused === 0 ? "" : ` ${refused} cannot take this scheme.`) +
    (failed === 0 ? "" : ` ${failed} could not be measured; the others stand.`)
  );
}

/** How many lie below the widest gap, where that gap is wide and they are few; else 0. */
function outlierCount(ranked: readonly Ranked[]): number {
  let widest = OUTLIER_GAP_DB;
  let count = 0;
  for (let index = 1; index <= ranked.length / 4; index++) {
    const gap = (ranked[index]?.sqnrDb ?? 0) - (ranked[index - 1]?.sqnrDb ?? 0);
    if (gap > widest) {
      widest = gap;
      count = index;
    }
  }
  return count;
}

function range(low: Ranked, high: Ranked): string {
  const [from, to] = [decibel(low.sqnrDb), decibel(high.sqnrDb)];
  return from === to ? from : `${from} to ${to}`;
}

export function decibel(value: number): string {
  return formatNumber(value);
}
