import { formatPercent } from "../base/format.ts";
import type { DepthResult } from "./diagnosis-api.ts";

/** Which layers bring most of the error in, and what becomes of it further down. */
export interface DepthFinding {
  /** Layers that each add at least half of what the worst adds, in order; empty where more than half of all layers do. */
  readonly culprits: readonly number[];
  /** The first layer after which the error is not finite; null as a rule. */
  readonly brokenAt: number | null;
  /**
   * From the last culprit to the end of the model: carried on much as it is, grown or faded by a quarter or more; `none` where
   * nothing follows or no layer stands out.
   */
  readonly fate: "carried" | "grown" | "faded" | "none";
}

/** A layer that adds so much of what the worst adds is named beside it. */
const NEAR_WORST = 0.5;
/** A change of the inherited error that is worth a word. */
const CHANGE = 1.25;
/** `1, 2 and 3`. */
const LIST = new Intl.ListFormat("en-GB");
/** More layers are counted, not named. */
const MOST_NAMED = 3;

type Layers = DepthResult["layers"];
type Fresh = { readonly layer: number; readonly relative: number };

function freshOf(layers: Layers): readonly Fresh[] {
  return layers.flatMap(({ layer, fresh: { relative } }) => (relative === null ? [] : [{ layer, relative }]));
}

function culpritsOf(layers: Layers): readonly Fresh[] {
  const fresh = freshOf(layers);
  const worst = Math.max(0, ...fresh.map(({ relative }) => relative));
  const found = worst > 0 ? fresh.filter(({ relative }) => relative >= NEAR_WORST * worst) : [];
  return found.length > layers.length / 2 ? [] : found;
}

/** Where the error of a recipe comes in, and what becomes of it. */
export function depthFinding({ layers }: DepthResult): DepthFinding {
  const culprits = culpritsOf(layers);
  const broken = layers.find(({ inherited }) => inherited.relative === null);
  const [from, to] = [culprits.at(-1), layers.at(-1)];
  const before = layers.find(({ layer }) => layer === from?.layer)?.inherited.relative ?? 0;
  const after = to?.inherited.relative ?? 0;
  const isOver = from === undefined || to === undefined || from.layer === to.layer || before === 0 || after === 0;
  const fate = isOver ? "none" : after >= CHANGE * before ? "grown" : after * CHANGE <= before ? "faded" : "carried";
  return { culprits: culprits.map(({ layer }) => layer), brokenAt: broken?.layer ?? null, fate };
}

/**
 * The same in two sentences. Shares are of the signal's power: Σ(x − x̂)² / Σx² of the residual stream.
 * `Layers 1 and 2 add most: 0.637 % and 1.04 % of the signal's power.` and `It is carried on: 1.71 % after the last layer, 3.`
 */
export function depthWords(result: DepthResult): { readonly strong: string; readonly plain: string } {
  const { layers } = result;
  const fresh = freshOf(layers);
  const culprits = culpritsOf(layers);
  const end = endWords(result);
  if (fresh.length === 0) return { strong: "No layer has a finite error.", plain: "" };
  if (fresh.every(({ relative }) => relative === 0)) {
    return { strong: "No layer adds any error.", plain: "What comes out of each is what the original's gives." };
  }
  const ranked = [...fresh].sort((a, b) => b.relative - a.relative);
  const [worst, least] = [ranked[0], ranked.at(-1)];
  if (culprits.length > 0) {
    const named = ranked.slice(0, Math.min(MOST_NAMED, culprits.length)).sort((a, b) => a.layer - b.layer);
    const rest = culprits.length - named.length;
    const many = rest === 0 ? "" : `; ${rest} more add at least half of the worst's`;
    const strong = `${upper(layerWords(named))} ${named.length === 1 ? "adds" : "add"} most: ${LIST.format(named.map(({ relative }) => formatPercent(relative)))} of the signal's power${many}.`;
    return { strong, plain: end };
  }
  if (worst === undefined || least === undefined || fresh.length === 1) {
    return { strong: `Its one layer adds ${formatPercent(worst?.relative ?? 0)} of the signal's power.`, plain: end };
  }
  const strong = `No layer stands out: each adds ${formatPercent(least.relative)} to ${formatPercent(worst.relative)} of the signal's power.`;
  return { strong, plain: end };
}

function endWords(result: DepthResult): string {
  const { brokenAt, fate } = depthFinding(result);
  if (brokenAt !== null) return `After layer ${brokenAt} the error is not finite.`;
  const last = result.layers.at(-1);
  if (last === undefined || result.layers.length < 2) return "";
  const power = formatPercent(last.inherited.relative ?? 0);
  const place = `after the last layer, ${last.layer}`;
  switch (fate) {
    case "carried":
      return `It is carried on: ${power} ${place}.`;
    case "grown":
      return `It grows from there: ${power} ${place}.`;
    case "faded":
      return `Later layers drown part of it: ${power} ${place}.`;
    case "none":
      return `The error comes to ${power} ${place}.`;
  }
}

function layerWords(layers: readonly Fresh[]): string {
  const names = layers.map(({ layer }) => String(layer));
  return names.length === 1 ? `layer ${names[0]}` : `layers ${LIST.format(names)}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
