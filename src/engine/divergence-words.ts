import { quote } from "../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../base/format.ts";
import { scoredRange } from "../metrics/token-scores.ts";
import type { PairVerdict } from "../metrics/verdict.ts";
import { describeKvCache, kvNeedsCalibration, parseKvCache } from "../schemes/kv-cache.ts";
import { hasStaticActivations, parseRunRecipe } from "../schemes/recipe.ts";
import type { DivergencePoint } from "./frontier.ts";
import type { MeasureResult, MeasureRow, ServedDivergence, Verdict } from "./measure-result.ts";

/** A sentence has room for this much of a name. */
const LONGEST_NAME = 48;

/** What a measurement amounts to, in sentences: who is nearest, which differences are real, and whether more text would tell more. */
export function divergenceVerdict(result: MeasureResult): readonly string[] {
  const { verdict } = result;
  if (!verdict) return [];
  const answer = divergenceAnswer(result);
  if (answer === null) return ["No row has finite figures."];
  return [[answer, belowFloorWords(result), upper(`${settledWords(result)}.`)].filter(Boolean).join(" ")];
}

/** Which row to look at: the nearest, and the smallest; null before a position is scored, and without finite figures. */
export function divergenceAnswer({ rows, verdict }: MeasureResult): string | null {
  const ranked = verdict?.ranking.filter(({ kld, variant }) => kld !== null && !rows[variant]?.error) ?? [];
  const [best] = ranked;
  if (!verdict || !best) return null;
  const nearest = rows[best.variant];
  const smallest = ranked
    .map(({ variant }) => rows[variant])
    .reduce((least, row) => (row && least && row.bytes.value < least.bytes.value ? row : least), nearest);
  const mean = `mean KLD ${formatNumber(best.kld ?? 0)}`;
  const like = likeWords(rows, verdict, best.variant);
  if (ranked.length === 1) return `${nameOf(nearest)}: ${mean}${topWords(nearest)}.`;
  if (smallest === nearest) {
    return `${nameOf(nearest)} is nearest to the original and smallest: ${mean}${topWords(nearest)}${like}.`;
  }
  const end = `${nameOf(smallest)} is smallest${topWords(smallest)}`;
  return `${nameOf(nearest)} is nearest to the original: ${mean}${like}; ${end}.`;
}

/** `, the same top token at 87.5 % of positions`. */
function topWords(row: MeasureRow | undefined): string {
  const share = row?.divergence?.sameTopP.value;
  return share === undefined || !Number.isFinite(share)
    ? ""
    : `, with the same top token at ${formatPercent(share)} of positions`;
}

/** `, with A, B no different on this text`. */
function likeWords(rows: readonly MeasureRow[], verdict: Verdict, own: number): string {
  const ties = verdict.pairs
    .filter(({ pair, tie }) => tie !== null && pair.includes(own))
    .map(({ pair }) => nameOf(rows[pair[0] === own ? pair[1] : pair[0]]));
  return ties.length > 0 ? `, ${ties.join(", ")} no different on this text` : "";
}

/** Whose divergence bf16 arithmetic alone would hide; empty for none. */
export function belowFloorWords({ rows, verdict }: MeasureResult): string {
  const below = verdict?.ranking.filter(({ isBelowFloor }) => isBelowFloor) ?? [];
  if (!verdict || below.length === 0) return "";
  const names = below.map(({ variant }) => nameOf(rows[variant])).join(", ");
  return `Below the noise floor, which is what bf16 arithmetic alone does to the original (${formatNumber(verdict.floor ?? 0)}): ${names}.`;
}

/** `the order is settled on 16 windows`, or why it is not and how many more would say. */
export function settledWords({ rows, verdict, text }: MeasureResult): string {
  const { doneWindows } = text;
  const windows = `${formatCount(doneWindows)} ${doneWindows === 1 ? "window" : "windows"}`;
  if (!verdict) return "nothing is measured yet";
  const isAlone = verdict.ranking.filter(({ kld }) => kld !== null).length < 2;
  const what = isAlone ? "the figure" : "the order";
  if (verdict.isSettled) return `${what} is settled on ${windows}`;
  const open = neighbours(verdict).find((pair) => !pair.isSettled);
  const more = open === undefined ? null : windowsToPart(open, doneWindows);
  if (open === undefined || more === null) {
    return `${what} is not settled on ${windows}: more of them may change it`;
  }
  const [better, worse] = open.pair.map((variant) => nameOf(rows[variant]));
  return `${what} is not settled on ${windows}: about ${formatCount(more)} more would part ${better} and ${worse}`;
}

/** Pairs that follow each other in the ranking. */
function neighbours({ ranking, pairs }: Verdict): readonly PairVerdict[] {
  return ranking.slice(1).flatMap(({ variant }, index) => {
    const before = ranking[index]?.variant;
    return pairs.filter(({ pair }) => pair[0] === before && pair[1] === variant);
  });
}

/** Text that one would have to find; a difference that needs more is none that one looks for. */
const MOST_WINDOWS = 5000;

/**
 * About how many more windows it takes until the interval of a pair's difference leaves out 0, if the difference stays what it
 * is: its half width shrinks with the root of the windows. Null where nothing can be said, where windows are not what is
 * lacking, and where it would take thousands.
 */
export function windowsToPart({ difference, interval }: PairVerdict, doneWindows: number): number | null {
  if (interval === null || interval.low > 0 || difference <= 0) return null;
  const needed = doneWindows * ((difference - interval.low) / difference) ** 2;
  return needed > MOST_WINDOWS ? null : Math.max(1, Math.ceil(needed) - doneWindows);
}

/** How a row stands on the frontier by KL divergence, for a table: `beaten by W6A16, 18 % smaller`, or empty. */
export function standingWords(point: DivergencePoint): string {
  const by = point.by === null ? "another" : shortName(point.by);
  const soFar = point.isPartial ? " so far" : "";
  switch (point.place) {
    case "line":
      return `on the line${point.like === null ? "" : `, ≈ ${shortName(point.like)}`}${soFar}`;
    case "tied":
      return `≈ ${by}${sizeGain(point, ", which is ")}${soFar}`;
    case "beaten":
      return `beaten by ${by}, ${beatenBy(point)}${soFar}`;
    case "waiting":
    case "unknown":
      return "";
  }
}

/** What the better one of two is: `18 % smaller, 45 % of its KLD`. */
export function beatenBy(point: DivergencePoint): string {
  const { errorRatio } = point;
  const size = sizeGain(point, "") || "the same size";
  return errorRatio === null ? size : `${size}, ${percent(errorRatio)} of its KLD`;
}

function sizeGain({ smallerBy }: DivergencePoint, before: string): string {
  return smallerBy === null || smallerBy < 0.005 ? "" : `${before}${percent(smallerBy)} smaller`;
}

function percent(share: number): string {
  return share < 0.01 ? "less than 1 %" : `${(share * 100).toFixed(0)} %`;
}

/** Of a recipe that rounds activations while the run left them alone. */
export const ACTIVATIONS_LEFT_OUT = "activations are rounded too when it is served: not in these figures";

/** Whether the figures of a row leave out what its recipe does to activations. */
export function leavesActivations(
  { roundsActivations }: Pick<MeasureRow, "roundsActivations">,
  { roundings }: Pick<MeasureResult, "roundings">,
): boolean {
  return roundsActivations && !roundings.activations;
}

/**
 * What a measurement rounded: `weights and activations rounded`, `activations alone rounded`, `nothing rounded`; keys and values
 * and whence static ranges come behind it.
 */
export function roundedWords({
  rows,
  roundings,
  calibration,
}: Pick<MeasureResult, "rows" | "roundings" | "calibration">): string {
  const recipes = rows.filter(({ method }) => method !== "given");
  const own = recipes.filter(({ roundsActivations }) => roundsActivations);
  const isSome = roundings.activations && own.length > 0;
  const isAll = isSome && own.length === recipes.length;
  const main = roundings.weights
    ? isAll
      ? "weights and activations rounded"
      : isSome
        ? "weights rounded, activations where the scheme says so"
        : own.length > 0
          ? "weights alone rounded"
          : "weights rounded"
    : isSome
      ? "activations alone rounded"
      : "";
  const cache = roundings.kvCache === null ? "" : describeKvCache(parseKvCache(roundings.kvCache));
  // A text that only methods were calibrated on gave no ranges.
  const hasRanges =
    (roundings.kvCache !== null && kvNeedsCalibration(parseKvCache(roundings.kvCache))) ||
    (isSome && own.some(({ scheme }) => hasStaticActivations(parseRunRecipe(scheme))));
  const ranges = calibration === null || !hasRanges ? "" : `ranges from ${quote(calibration.name)}`;
  return [main || (cache === "" ? "nothing rounded" : ""), cache, ranges].filter(Boolean).join("; ");
}

/** What serving does to a row, on one line: `mean KLD 0.0013; served − simulated −1.5e−5, 95 % −1.4e−4 … 1.3e−4`. Empty before it is known. */
export function servedWords({ divergence, difference }: ServedDivergence): string {
  if (divergence === null) return "";
  const { value, uncertainty } = divergence.kld;
  const spread = uncertainty === null ? "" : ` ± ${formatNumber(uncertainty, 2)}`;
  return [`mean KLD ${formatNumber(value, 4)}${spread}`, ...differenceWords(difference)].join("; ");
}

function differenceWords(difference: ServedDivergence["difference"]): readonly string[] {
  if (difference === null) return [];
  const { value, interval } = difference;
  const range = interval === null ? "" : `, 95 % ${formatNumber(interval.low, 2)} … ${formatNumber(interval.high, 2)}`;
  return [`served − simulated ${formatNumber(value)}${range}`];
}

/** Positions that are scored of so many windows, all of one length: the second half of each. */
export function scoredPositions(windows: number, context: number): number {
  const { start, end } = scoredRange(context);
  return windows * (end - start);
}

function nameOf(row: MeasureRow | undefined): string {
  return shortName(row?.scheme ?? "");
}

function shortName(name: string): string {
  return quote(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
