import { scoredRange, type TokenScores } from "../metrics/token-scores.ts";
import type { MeasuredTokens } from "./measure-result.ts";

/**
 * KL divergence of one prediction, in nats, at which the next tint begins. Steps of half a decade, the same for every scheme and
 * text, so that tints compare. The least is what a position of a careful four-bit scheme has; from 1 on little is left of the
 * original's opinion.
 */
export const TINT_CUTS: readonly number[] = [0.01, 0.03, 0.1, 0.3, 1];

/** The tint of a prediction: 0 below the first cut, one more at each; null where the score is not finite. */
export function tintLevel(kld: number): number | null {
  return Number.isFinite(kld) ? TINT_CUTS.filter((cut) => kld >= cut).length : null;
}

/** Places a token by the window that it lies in and its place there. */
export interface TokenAt {
  readonly window: number;
  readonly place: number;
}

/** A token of a window, laid out for reading. */
export interface WindowToken {
  readonly id: number;
  readonly place: number;
  /** Its prediction is scored; else it is context alone. The first token of a window is never predicted. */
  readonly isScored: boolean;
  /** Row of the scores that predicts it; null for context, and until its window is measured. */
  readonly score: number | null;
}

/**
 * The tokens of one window in order, each with the score of the position before it, which predicts it.
 * @param ids the window's token ids
 */
export function layOutWindow(tokens: MeasuredTokens, ids: readonly number[], window: number): readonly WindowToken[] {
  const { start, end } = scoredRange(ids.length);
  const scores = new Map<number, number>();
  for (const [score, own] of tokens.windows.entries()) {
    if (own === window) scores.set((tokens.places[score] ?? 0) + 1, score);
  }
  return ids.map((id, place) => ({
    id,
    place,
    isScored: place - 1 >= start && place - 1 < end,
    score: scores.get(place) ?? null,
  }));
}

/** What became of the right word where the most likely token changed: it was lost, it was found, or both were wrong. */
export type FlipKind = "lost" | "found" | "wrong";

/** A position where the variant's most likely token is another than the original's. */
export interface Flip extends TokenAt {
  /** Row of the scores. `place` is that of the token that came next, which is one further than the position. */
  readonly score: number;
  readonly kind: FlipKind;
  /** Most likely token before and after. */
  readonly before: number;
  readonly after: number;
  /** KL divergence in nats, and q − p of the token that came next. */
  readonly kld: number;
  readonly deltaP: number;
}

/**
 * Where the most likely token changed, in reading order. Positions that are not finite are none.
 * @param windows token ids of each window
 */
export function flipsOf(
  tokens: MeasuredTokens,
  scores: TokenScores,
  windows: readonly (readonly number[])[],
): readonly Flip[] {
  const flips: Flip[] = [];
  for (const [score, kld] of scores.kld.entries()) {
    if (scores.sameTop[score] === 1 || !Number.isFinite(kld)) continue;
    const window = tokens.windows[score] ?? 0;
    const place = (tokens.places[score] ?? 0) + 1;
    const next = windows[window]?.[place];
    const [before, after] = [scores.topBase[score] ?? 0, scores.top[score] ?? 0];
    const kind = before === next ? "lost" : after === next ? "found" : "wrong";
    flips.push({ score, window, place, kind, before, after, kld, deltaP: scores.deltaP[score] ?? Number.NaN });
  }
  return flips.sort((one, other) => one.window - other.window || one.place - other.place);
}

/** What flips are ordered by, the largest first: divergence, or how far the right word's probability moved. */
export type FlipOrder = "kld" | "deltaP";

/** Flips, the worst first; equal ones in reading order. */
export function worstFlips(flips: readonly Flip[], by: FlipOrder): readonly Flip[] {
  const size = (flip: Flip): number => Math.abs(flip[by]);
  return [...flips].sort((one, other) => size(other) - size(one));
}

/** The flip after or before a place in reading order, round the end; null where there is none at all. */
export function neighbourFlip(flips: readonly Flip[], from: TokenAt | null, step: -1 | 1): Flip | null {
  const isBefore = (one: TokenAt, other: TokenAt): boolean =>
    one.window < other.window || (one.window === other.window && one.place < other.place);
  const ahead =
    from === null ? flips : flips.filter((flip) => (step > 0 ? isBefore(from, flip) : isBefore(flip, from)));
  return (step > 0 ? (ahead[0] ?? flips[0]) : (ahead.at(-1) ?? flips.at(-1))) ?? null;
}

/** Share of the positions whose KL divergence is at least this, in nats. */
export interface SurvivalPoint {
  readonly kld: number;
  readonly share: number;
}

/** Points of a curve, at most, however many positions there are: half of them even in rank, half even in divergence. */
const CURVE_POINTS = 240;
/** Smaller divergences are what rounding leaves; a log axis would show little else. */
const SMALLEST_SHOWN = 1e-7;

/**
 * How many positions diverge at least so far: falling points, both axes meant to be logarithmic, from the smallest positive
 * divergence to the largest. Positions that are not finite are left out of the share.
 * @param kld nats, of each position
 */
export function survivalCurve(kld: Float64Array): readonly SurvivalPoint[] {
  const sorted = kld.filter(Number.isFinite).sort();
  const positions = sorted.length;
  const first = sorted.findIndex((value) => value >= SMALLEST_SHOWN);
  const [low, high] = [sorted[first], sorted.at(-1)];
  if (first < 0 || low === undefined || high === undefined) return [];
  const ranks = new Set([first, positions - 1]);
  const half = CURVE_POINTS / 2;
  for (let step = 0; step < half; step++) {
    const left = (positions - first) ** (step / half);
    ranks.add(Math.min(positions - 1, Math.floor(positions - left)));
    const level = low * (high / low) ** (step / half);
    ranks.add(rankOf(sorted, level));
  }
  return [...ranks]
    .filter((rank) => rank >= first)
    .sort((one, other) => one - other)
    .map((rank) => ({ kld: sorted[rank] ?? 0, share: (positions - rankOf(sorted, sorted[rank] ?? 0)) / positions }))
    .filter((point, at, all) => all[at - 1]?.kld !== point.kld);
}

/** How many of the ascending values are below `level`. */
function rankOf(sorted: Float64Array, level: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < level) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the scores of one variant amount to. */
export interface WordFigures {
  /** Positions with a finite score, and the others. */
  readonly positions: number;
  readonly notFinite: number;
  readonly flips: number;
  /** Flips away from the token that came next, and to it. */
  readonly lost: number;
  readonly found: number;
  /** Mean KL divergence, nats; null without a position. */
  readonly meanKld: number | null;
  /** Least share of the positions that carry half of the divergence; null where there is none. */
  readonly halfShare: number | null;
}

export function wordFigures(scores: TokenScores, flips: readonly Flip[]): WordFigures {
  const finite = scores.kld.filter(Number.isFinite);
  // Rounding leaves a little less than nothing here and there: that is no divergence to carry.
  const sorted = finite.map((value) => Math.max(0, value)).sort();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  let carried = 0;
  let worst = 0;
  while (worst < sorted.length && 2 * carried < total) {
    worst++;
    carried += sorted[sorted.length - worst] ?? 0;
  }
  const count = (kind: FlipKind): number => flips.filter((flip) => flip.kind === kind).length;
  return {
    positions: finite.length,
    notFinite: scores.kld.length - finite.length,
    flips: flips.length,
    lost: count("lost"),
    found: count("found"),
    meanKld: finite.length === 0 ? null : finite.reduce((sum, value) => sum + value, 0) / finite.length,
    halfShare: total > 0 ? worst / finite.length : null,
  };
}

/** Every token id that a page of these scores shows: of the texts, and of the predictions. */
export function shownIds(tokens: MeasuredTokens, windows: readonly (readonly number[])[]): ReadonlySet<number> {
  const ids = new Set(windows.flat());
  for (const { scores } of tokens.rows) {
    for (const id of scores.topBase) ids.add(id);
    for (const id of scores.top) ids.add(id);
  }
  return ids;
}

/** Token ids around a place of a window: those before it, its own, and those after it. */
export function idsAround(ids: readonly number[], place: number, before: number, after: number) {
  return {
    before: ids.slice(Math.max(0, place - before), place),
    own: ids[place] ?? null,
    after: ids.slice(place + 1, place + 1 + after),
  };
}

/** What the scores say of one position. */
export interface TokenScore {
  /** Most likely token by the original with its probability, and by the variant with its own. */
  readonly before: number;
  readonly pBefore: number;
  readonly after: number;
  readonly qAfter: number;
  /** Probability of the token that came next, by the original and by the variant, and how far it moved. */
  readonly pNext: number;
  readonly qNext: number;
  readonly deltaP: number;
  /** Nats; NaN as all figures where the position is not finite. */
  readonly kld: number;
  readonly isFlip: boolean;
}

/** @param score row of the scores */
export function tokenScore(scores: TokenScores, score: number): TokenScore {
  const of = (column: Float64Array): number => column[score] ?? Number.NaN;
  const kld = of(scores.kld);
  return {
    before: scores.topBase[score] ?? 0,
    pBefore: of(scores.pTopBase),
    after: scores.top[score] ?? 0,
    qAfter: of(scores.pTop),
    pNext: Math.exp(-of(scores.nllBase)),
    qNext: Math.exp(-of(scores.nll)),
    deltaP: of(scores.deltaP),
    kld,
    isFlip: Number.isFinite(kld) && scores.sameTop[score] === 0,
  };
}

/** The row of the scores that predicts a token; null where none does. */
export function scoreOf({ windows, places }: MeasuredTokens, { window, place }: TokenAt): number | null {
  const score = windows.findIndex((own, at) => own === window && (places[at] ?? 0) + 1 === place);
  return score < 0 ? null : score;
}

/** Share of the finite positions that diverge by `level` nats or more; null without any. */
export function shareAtLeast(kld: Float64Array, level: number): number | null {
  const finite = kld.filter(Number.isFinite);
  return finite.length === 0 ? null : finite.filter((value) => value >= level).length / finite.length;
}

/** The divergence that at least this share of the finite positions reaches, in nats; null without any. */
export function divergenceReached(kld: Float64Array, share: number): number | null {
  const sorted = kld.filter(Number.isFinite).sort();
  return sorted[sorted.length - Math.max(1, Math.ceil(share * sorted.length))] ?? null;
}
