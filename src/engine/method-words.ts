import { quote } from "../base/errors.ts";
import { formatCount, formatNumber, formatPercent } from "../base/format.ts";
import type { Interval } from "../metrics/block-bootstrap.ts";
import type { PairVerdict, Verdict } from "../metrics/verdict.ts";
import { parseRunRecipe, plainTwin } from "../schemes/recipe.ts";
import type { MeasureRow, MethodGain } from "./measure-result.ts";
import type {
  HessianMeter,
  MatrixReport,
  MethodReport,
  OutputError,
  SmoothingGrid,
  SmoothingReport,
  StageReport,
} from "./methods/method-report.ts";

export type {
  HessianMeter,
  MatrixReport,
  MethodReport,
  SmoothingGrid,
  SmoothingReport,
  StageReport,
} from "./methods/method-report.ts";

/** What a recipe's method is made of. `plain`: rounding to nearest, and pruning by magnitude if any. */
export const METHOD_FAMILIES = ["plain", "gptq", "awq", "smoothquant", "sparsegpt", "wanda"] as const;
export type MethodFamily = (typeof METHOD_FAMILIES)[number];

export const METHOD_NAMES: Readonly<Record<MethodFamily, string>> = {
  plain: "Plain rounding",
  gptq: "GPTQ",
  awq: "AWQ",
  smoothquant: "SmoothQuant",
  sparsegpt: "SparseGPT",
  wanda: "Wanda",
};

/** `1, 2 and 3`. */
const LIST = new Intl.ListFormat("en-GB");
/** More names are counted. */
const MOST_NAMED = 3;

/** One row among those of the same schemes. */
export interface RankedMethod {
  readonly scheme: string;
  readonly families: readonly MethodFamily[];
  /** Mean KL divergence, nats, its interval at 95 % and the positions that it is of. */
  readonly kld: number;
  readonly interval: Interval | null;
  readonly positions: number;
  /** One more than there are rows that are surely nearer to the original: those that tie share a place. */
  readonly place: number;
  /** Recipes that it ties with. */
  readonly ties: readonly string[];
  /** The measurement cannot say yet what it differs from: one window has no intervals. */
  readonly isOpen: boolean;
  readonly gain: MethodGain | null;
  readonly methodRun: MethodReport | null;
}

/** Rows that differ in their method alone. */
export interface MethodRanking {
  /** What they have in common: the recipe without a method. It need not be a row itself. */
  readonly plain: string;
  /** By mean KL divergence, the nearest to the original first. */
  readonly ranked: readonly RankedMethod[];
}

/** What the method of a recipe is made of; never empty. */
export function familiesOf(recipe: string): readonly MethodFamily[] {
  const { pruning, method } = parseRunRecipe(recipe);
  const criterion = pruning?.criterion;
  const families: readonly MethodFamily[] = [
    ...(criterion === "wanda" || criterion === "sparsegpt" ? [criterion] : []),
    ...method.transforms.map(({ kind }) => kind),
    ...(method.rounding.kind === "gptq" ? [method.rounding.kind] : []),
  ];
  return families.length === 0 ? ["plain"] : families;
}

/**
 * Ranks methods among the rows of the same schemes, in the order in which those come. Left out: checkpoints that were given,
 * recipes that could not be applied to all matrices, and rows without a finite figure.
 * @param verdict of the measurement that the rows are of: its pairs say which differences are real
 */
export function rankMethods(rows: readonly MeasureRow[], verdict: Verdict | null): readonly MethodRanking[] {
  const groups = new Map<string, number[]>();
  for (const [index, { scheme, method, error, divergence }] of rows.entries()) {
    if (method === "given" || error || !Number.isFinite(divergence?.kld.value ?? Number.NaN)) continue;
    const plain = plainTwin(scheme) ?? scheme;
    groups.set(plain, [...(groups.get(plain) ?? []), index]);
  }
  const pairs = new Map((verdict?.pairs ?? []).map((own) => [own.pair.join(" "), own]));
  return [...groups].map(([plain, members]) => ({
    plain,
    ranked: members
      .flatMap((index) => rankedRow(index, members, rows, pairs))
      .sort((one, other) => one.kld - other.kld),
  }));
}

function rankedRow(
  index: number,
  members: readonly number[],
  rows: readonly MeasureRow[],
  pairs: ReadonlyMap<string, PairVerdict>,
): readonly RankedMethod[] {
  const row = rows[index];
  if (!row?.divergence) return [];
  const { scheme, gain, methodRun, divergence } = row;
  const ties: string[] = [];
  let place = 1;
  let isOpen = false;
  for (const other of members) {
    if (other === index) continue;
    const pair = pairs.get(`${other} ${index}`) ?? pairs.get(`${index} ${other}`);
    if (!pair?.interval) isOpen = true;
    else if (pair.tie) ties.push(rows[other]?.scheme ?? "");
    else if (pair.pair[0] === other) place++;
  }
  const { kld, intervals, scored } = divergence;
  const figures = { kld: kld.value, interval: intervals.kld, positions: scored };
  return [{ scheme, families: familiesOf(scheme), ...figures, place, ties, isOpen, gain, methodRun }];
}

/** How a row stands: `place 1 of 3, tied with W4A16`. */
export function placeWords({ place, ties, isOpen }: RankedMethod, { ranked }: MethodRanking): string {
  if (ranked.length === 1) return "no other method measured with it";
  if (isOpen) return `one of ${formatCount(ranked.length)}, in no order yet: that takes more windows`;
  const like = ties.length === 0 ? "" : `, tied with ${LIST.format(counted(ties.map(shortName)))}`;
  return `place ${formatCount(place)} of ${formatCount(ranked.length)}${like}`;
}

/** What a method buys: `wins over W4A16 by 0.00310 nats, 95 % 0.00100 … 0.00500: 24.0 % of its divergence removed`. */
export function methodGainWords({ against, difference, interval, recovered, verdict }: MethodGain): string {
  const twin = shortName(against);
  const nats = `${formatNumber(Math.abs(difference))} nats`;
  if (interval === null) return `${nats} ${difference < 0 ? "above" : "below"} ${twin}: one window has no interval`;
  const between = (low: number, high: number): string => `95 % ${formatNumber(low)} … ${formatNumber(high)}`;
  const share = recovered === null ? "" : `: ${formatPercent(Math.abs(recovered))} of its divergence`;
  // Said from the side of the one that is nearer, so that no reader has to turn a sign.
  const range = difference < 0 ? between(-interval.high, -interval.low) : between(interval.low, interval.high);
  switch (verdict) {
    case "wins":
      return `wins over ${twin} by ${nats}, ${range}${share && `${share} removed`}`;
    case "loses":
      return `loses to ${twin} by ${nats}, ${range}${share && `${share} added`}`;
    case "open":
      return `${nats} ${difference < 0 ? "above" : "below"} ${twin}, ${range}: that may be nothing`;
  }
}

/** What of a recipe's time went into a method, and on how much text; null where it has no such stage. */
export function methodTime(
  report: MethodReport | null,
  family: MethodFamily,
): { readonly elapsedMs: number; readonly tokens: number } | null {
  const own = (report?.stages ?? []).filter(({ stage }) => stage.split(" with ").includes(METHOD_NAMES[family]));
  if (!report || own.length === 0) return null;
  return { elapsedMs: own.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0), tokens: report.calibration.tokens };
}

/** What a stage's errors are held against. */
export function plainWords({ stage }: Pick<StageReport, "stage">): string {
  if (!stage.includes("SparseGPT")) return "plain rounding";
  return stage === "SparseGPT" ? "pruning by magnitude" : "pruning by magnitude and plain rounding";
}

/** Error of the method over that without it; null where one has no value. */
export function outputRatioOf(error: OutputError | null): number | null {
  const { plain, method } = error ?? { plain: null, method: null };
  return plain === null || method === null || plain === 0 ? null : method / plain;
}

/** What a stage did to the outputs: `GPTQ leaves 33.2 % of the output error of plain rounding.` and over what that is. */
export function outputWords(stage: StageReport): { readonly strong: string; readonly plain: string } {
  const { outputRatio, worse } = stage;
  if (outputRatio === null) return { strong: "No matrix has two errors to compare.", plain: "" };
  const { value, matrices } = outputRatio;
  const base = plainWords(stage);
  const over = `Geometric mean over ${matricesWords(matrices)}, on the calibration text itself`;
  const strong =
    value < 1
      ? `${stage.stage} leaves ${formatPercent(value)} of the output error of ${base}.`
      : `${stage.stage} buys nothing here: its output error is ${formatPercent(value)} of that of ${base}.`;
  if (worse.length === 0) return { strong, plain: `${over}; no matrix is worse.` };
  return { strong, plain: `${over}; worse than without it: ${LIST.format(counted(worse))}.` };
}

/** What the Hessians of a stage stand on, in sentences; empty where it has none. */
export function hessianWords(matrices: readonly MatrixReport[]): readonly string[] {
  const meters = matrices.flatMap(({ hessian }) => hessian ?? []);
  const [first] = meters;
  if (!first) return [];
  const deficient = meters.filter(isRankDeficient);
  const dead = meters.filter(({ deadChannels }) => deadChannels > 0);
  const channels = rangeOf(meters.map((meter) => meter.channels));
  const tokens = rangeOf(meters.map((meter) => meter.tokens));
  const conditions = meters.flatMap(({ condition }) => condition ?? []);
  const text = `${formatRange(tokens)} tokens for ${formatRange(channels)} input channels`;
  return [
    deficient.length === 0
      ? `${text}: as many as Hessians of full rank take.`
      : `${text}: ${formatCount(deficient.length)} of ${formatCount(meters.length)} Hessians have fewer tokens than channels and so no full rank; dampening alone makes them invertible. More text would tell more.`,
    dead.length === 0
      ? "No channel is dead."
      : `Dead channels in ${matricesWords(dead.length)}, up to ${formatCount(Math.max(...dead.map((own) => own.deadChannels)))} in one: no token reached them, and their weights become 0.`,
    ...(conditions.length === 0
      ? []
      : [`After dampening their condition is at least ${formatNumber(Math.max(...conditions))} for the worst.`]),
  ];
}

/** What clipping did: `Clipping narrowed 120 of 4 096 groups in 26 matrices.` Null where none was looked at. */
export function clippedWords(matrices: readonly MatrixReport[]): string | null {
  const clipped = matrices.flatMap((own) => own.clipped ?? []);
  if (clipped.length === 0) return null;
  const groups = clipped.reduce((sum, own) => sum + own.groups, 0);
  const all = clipped.reduce((sum, { of }) => sum + of, 0);
  return `Clipping narrowed ${formatCount(groups)} of ${formatCount(all)} groups in ${matricesWords(clipped.length)}.`;
}

/** Fewer tokens than channels: the Hessian is a sum of fewer outer products than it has rows. */
export function isRankDeficient({ channels, tokens }: HessianMeter): boolean {
  return tokens < channels;
}

/** Of one Hessian: `200 tokens for 256 channels: rank deficient`. */
export function meterWords(meter: HessianMeter): string {
  const rank = isRankDeficient(meter) ? "rank deficient, inverted by dampening alone" : "as many as full rank takes";
  return `${formatCount(meter.tokens)} tokens for ${formatCount(meter.channels)} channels: ${rank}`;
}

/** The losses of a search over the loss of no change; null where either has no value or there was nothing to lose. */
export function relativeLosses({ points }: SmoothingGrid): readonly (number | null)[] {
  const plain = points[0]?.loss ?? null;
  return points.map(({ loss }) => (loss === null || plain === null || plain === 0 ? null : loss / plain));
}

/** What a search found: `Ratio 0.5 with duo scaling leaves 62.1 % of the error of plain rounding.` */
export function gridWords(grid: SmoothingGrid): string {
  const chosen = grid.points[grid.best];
  const left = relativeLosses(grid)[grid.best] ?? null;
  if (grid.best === 0 || chosen === undefined) return "No factors beat none: the weights stay as they are.";
  const duo = chosen.duoScaling ? "with" : "without";
  const name = `Ratio ${formatNumber(chosen.ratio)} ${duo} duo scaling`;
  return left === null
    ? `${name} was chosen; without factors there is no error to hold it against.`
    : `${name} leaves ${formatPercent(left)} of the error of plain rounding.`;
}

/** The mapping whose search found most; of equals the first. Null where none was searched for. */
export function bestSearched(smoothings: readonly SmoothingReport[]): SmoothingReport | null {
  let best: { readonly own: SmoothingReport; readonly left: number } | null = null;
  for (const own of smoothings) {
    if (own.grid === null) continue;
    const left = relativeLosses(own.grid)[own.grid.best] ?? Number.POSITIVE_INFINITY;
    if (best === null || left < best.left) best = { own, left };
  }
  return best?.own ?? null;
}

/** What was not done, by reason in the order in which they come; what has no reason was done. */
export function byReason(
  parts: readonly { readonly name: string; readonly reason: string | null }[],
): readonly { readonly reason: string; readonly names: readonly string[] }[] {
  const reasons = new Map<string, string[]>();
  for (const { name, reason } of parts) {
    if (reason !== null) reasons.set(reason, [...(reasons.get(reason) ?? []), name]);
  }
  return [...reasons].map(([reason, names]) => ({ reason, names }));
}

/** The decoder layer that a module's name says; null where it says none. */
export function layerOf(module: string): number | null {
  const [, layer] = /\.([0-9]{1,4})\./.exec(module) ?? [];
  return layer === undefined ? null : Number(layer);
}

interface Range {
  readonly low: number;
  readonly high: number;
}

function rangeOf(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

function formatRange({ low, high }: Range): string {
  return low === high ? formatCount(low) : `${formatCount(low)} to ${formatCount(high)}`;
}

function matricesWords(count: number): string {
  return count === 1 ? "one matrix" : `${formatCount(count)} matrices`;
}

/** The first names, and how many more there are. */
function counted(names: readonly string[]): readonly string[] {
  const rest = names.length - MOST_NAMED;
  return rest > 0 ? [...names.slice(0, MOST_NAMED), `${formatCount(rest)} more`] : names;
}

/** A sentence has room for this much of a recipe. */
const LONGEST_NAME = 48;

function shortName(name: string): string {
  return quote(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}
