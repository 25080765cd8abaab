import { type LabErrorData, quote } from "../../base/errors.ts";
import { formatNumber } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import { standingWords } from "../../engine/divergence-words.ts";
import { type DivergencePoint, divergenceFrontier, type FrontierPoint, frontier } from "../../engine/frontier.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult, SchemeResult } from "../../engine/result.ts";
import { gainWords, verdictWords } from "../../engine/verdict-words.ts";
import type { Caption } from "../charts/chart.ts";
import type { FrontierData, FrontierDot, FrontierMeasure } from "../charts/frontier-points.ts";
import { sizeSentence } from "../charts/frontier-words.ts";
import { listWords } from "../parts/list-words.ts";
import { shortName } from "../parts/safe-name.ts";
import { ORIGINAL_LOOK, type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";
import { divergenceCaption, divergenceSentence } from "./scheme-frontier-words.ts";

/** What the y axis shows, for the line above the picture and for saved files. */
export const FRONTIER_NOTE = "relative squared error of the weights · log scale · lower is better";
/** The same of a measurement. */
export const DIVERGENCE_NOTE =
  "mean KL divergence from the original, nats · log scale · lower is better · whisker: 95 % of the mean · cap: 99 % of positions";

const ERROR_MEASURE: FrontierMeasure = {
  name: "relative squared error",
  unit: "",
  none: "no error",
  hasSpread: false,
};
const KLD_MEASURE: FrontierMeasure = { name: "mean KLD", unit: "nats", none: "KLD 0", hasSpread: true };

/** One sign of the picture and what it means. */
export interface LegendItem {
  readonly sign: "mark" | "hatch" | "cross" | "none";
  /** Of a mark. */
  readonly look: RecipeLook;
  readonly words: string;
}

/** A comparison as the picture takes it, and the error that stands for the kind of all. */
export interface FrontierView {
  readonly data: FrontierData;
  readonly example: Quantity | undefined;
}

export function frontierView(result: CompareResult, selected: string): FrontierView {
  const { schemes, model } = result;
  const points = frontier(schemes);
  const dots = points.flatMap((point, index) => {
    const scheme = schemes[index];
    return scheme === undefined ? [] : [dotOf(scheme, point, scheme.scheme === selected)];
  });
  return {
    data: {
      points: dots,
      original: { bits: model.bitsPerWeight.value, bytes: model.fileBytes.value },
      measure: ERROR_MEASURE,
      floor: null,
      caption: frontierCaption(result, points),
    },
    example: points.find((point) => point.error !== undefined)?.error,
  };
}

/** A measurement as the picture takes it. */
export function divergenceView(result: MeasureResult, selected: string): FrontierView {
  const { model, noiseFloor, rows } = result;
  const points = divergenceFrontier(result);
  const floor = noiseFloor.divergence?.kld.value ?? 0;
  return {
    data: {
      points: points.map((point, index) => divergenceDot(point, rows[index]?.error, selected)),
      original: { bits: model.bitsPerWeight.value, bytes: model.fileBytes.value },
      measure: KLD_MEASURE,
      floor:
        floor > 0
          ? {
              error: floor,
              words: `noise floor, ${noiseFloor.dtype} arithmetic: ${formatNumber(floor)}`,
              sentence: `Noise floor: ${noiseFloor.dtype} arithmetic alone makes the original diverge from itself by ${formatNumber(floor)} nats; less says nothing`,
            }
          : null,
      caption: divergenceCaption(result, points),
    },
    example: points.find((point) => point.error !== undefined)?.error,
  };
}

function divergenceDot(point: DivergencePoint, failure: LabErrorData | undefined, selected: string): FrontierDot {
  const { scheme, place, like, isGiven, isPartial } = point;
  const other = place === "tied" ? point.by : like;
  return {
    key: scheme,
    name: quote(scheme),
    look: isGiven ? ORIGINAL_LOOK : recipeLook(scheme),
    bits: point.bits.value,
    bytes: point.fileBytes.value,
    // Rounding may leave a little less than nothing.
    error: point.error === undefined ? null : Math.max(0, point.error.value),
    interval: point.interval,
    cap: point.percentile99,
    place,
    isPartial,
    isSelected: scheme === selected,
    hasFailed: failure !== undefined,
    sentence: divergenceSentence(point, failure?.found ?? null),
    verdict: failure === undefined ? standingWords(point) : `cannot be exported: ${failure.found}`,
    note: other === null ? "" : `≈ ${shortName(other)}`,
  };
}

function dotOf({ scheme, error: failure }: SchemeResult, point: FrontierPoint, isSelected: boolean): FrontierDot {
  const { place, by } = point;
  const at = { bits: point.bits.value, bytes: point.fileBytes.value };
  const error = point.error?.value ?? null;
  const said = sayings(point, failure);
  return {
    key: scheme,
    name: quote(scheme),
    look: recipeLook(scheme),
    ...at,
    error,
    interval: null,
    cap: null,
    place,
    isPartial: point.isPartial,
    isSelected,
    hasFailed: failure !== undefined,
    sentence: [
      `${quote(scheme)}: ${sizeSentence(at)}`,
      ...(error === null ? [] : [lossWords(error)]),
      said,
      ...(error !== null && point.isPartial ? ["so far"] : []),
    ].join(", "),
    verdict: verdictWords(point, by === null ? "" : shortName(by)) || said,
    note: place === "tied" || place === "beaten" ? shortVerdict(point) : "",
  };
}

function lossWords(error: number): string {
  return error === 0 ? "no error" : `relative squared error ${formatNumber(error)}`;
}

/** How one scheme stands, for its sentence. */
function sayings(point: FrontierPoint, failure: LabErrorData | undefined): string {
  if (failure !== undefined) return `cannot be exported: ${failure.found}`;
  const by = point.by === null ? "another" : shortName(point.by);
  switch (point.place) {
    case "line":
      return "on the line";
    case "beaten":
      return `beaten by ${by}: ${gainWords(point)}`;
    case "tied":
      return `the same size and error as ${by}`;
    case "waiting":
      return "its error is not compared yet";
    case "unknown":
      return "it has no finite error";
  }
}

/** The line below a name in the picture. */
function shortVerdict(point: FrontierPoint): string {
  const by = point.by === null ? "another" : shortName(point.by);
  return point.place === "tied" ? `≈ ${by}` : `${by}: ${gainWords(point)}`;
}

/** More of the beaten are counted, not named. */
const NAMED = 2;

/** The answer of the picture: who is on the line, and by whom the others are beaten. */
export function frontierCaption(
  { outcome, schemes }: Pick<CompareResult, "outcome" | "schemes">,
  points: readonly FrontierPoint[],
): Caption {
  const failed = schemes.filter((scheme) => scheme.error !== undefined).map((scheme) => scheme.scheme);
  const at = (place: FrontierPoint["place"]) =>
    points.filter((point) => point.place === place && !failed.includes(point.scheme));
  const [line, beaten, tied, waiting] = [at("line"), at("beaten"), at("tied"), at("waiting")];
  const unknown = at("unknown").map((point) => point.scheme);
  const refused = lackWords(failed, "cannot be exported", "cannot be exported");
  if (waiting.length > 0) {
    const strong =
      outcome === "cancelled"
        ? "Stopped before the errors could be compared."
        : "Sizes are exact, errors not known yet.";
    const plain = "Each hatched place stays open until every matrix is measured under every scheme.";
    return { strong, plain: joined(plain, refused) };
  }
  const plain = joined(
    beatenWords(beaten),
    tiedWords(tied),
    lackWords(unknown, "has no finite error", "have no finite error"),
    refused,
  );
  if (line.length === 0) return { strong: "There is no error to compare.", plain };
  const measured = points.some((point) => point.isPartial) ? measuredWords(schemes) : "";
  if (measured !== "") {
    const strong = outcome === "cancelled" ? `Stopped at ${measured}.` : `So far ${measured}.`;
    return { strong, plain: joined("Points still move together until the last one.", plain) };
  }
  if (beaten.length + tied.length > 0) return { strong: someWords(line, beaten, tied), plain };
  return { strong: allWords(line, points.length), plain: joined(endWords(line), plain) };
}

/** `24 of 28 matrices`, of the scheme with most of them. */
function measuredWords(schemes: readonly SchemeResult[]): string {
  const most = [...schemes].sort((a, b) => b.modules - a.modules)[0];
  return most === undefined ? "" : `${most.layers.length} of ${most.modules} matrices`;
}

function allWords(line: readonly FrontierPoint[], all: number): string {
  const [only] = line;
  if (only !== undefined && line.length === 1) return `${shortName(only.scheme)} stands alone: ${figures(only)}.`;
  if (line.length < all)
    return `All ${countWords(line.length)} that can be compared are on the line: each larger file errs less.`;
  if (line.length === 2) return "Both schemes are on the line: the larger file errs less.";
  return `All ${countWords(line.length)} schemes are on the line: each larger file errs less.`;
}

/** The two ends of the line by name. */
function endWords(line: readonly FrontierPoint[]): string {
  if (line.length === 1) return "Add another scheme to see which is worth its bits.";
  const ordered = [...line].sort((a, b) => a.bits.value - b.bits.value);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined) return "";
  return `From ${shortName(first.scheme)} (${figures(first)}) to ${shortName(last.scheme)} (${figures(last)}).`;
}

/** `5.85 bits, error 0.0124`. */
function figures({ bits, error }: FrontierPoint): string {
  const loss = error === undefined ? "" : error.value === 0 ? ", no error" : `, error ${formatNumber(error.value)}`;
  return `${formatNumber(bits.value)} bits${loss}`;
}

function someWords(
  line: readonly FrontierPoint[],
  beaten: readonly FrontierPoint[],
  tied: readonly FrontierPoint[],
): string {
  const [only] = line;
  const are =
    only !== undefined && line.length === 1
      ? `${shortName(only.scheme)} alone is on the line`
      : `${upper(countWords(line.length))} schemes are on the line`;
  if (beaten.length > 0) return `${are}; on the grey, a file no larger errs less.`;
  return `${are}; ${tied.length === 1 ? "another is" : `${countWords(tied.length)} others are`} as good as one there.`;
}

function beatenWords(beaten: readonly FrontierPoint[]): string {
  const named = beaten.slice(0, NAMED).map((point) => {
    const [own, by] = [shortName(point.scheme), point.by === null ? "another" : shortName(point.by)];
    return `${own} is beaten by ${by}: ${gainWords(point)}`;
  });
  if (named.length === 0) return "";
  const more = beaten.length - named.length;
  const rest = more === 0 ? "" : `; so ${more === 1 ? "is one" : `are ${countWords(more)}`} more`;
  return `${named.join("; ")}${rest}.`;
}

function tiedWords(tied: readonly FrontierPoint[]): string {
  const named = tied.map(({ scheme, by }) => `${shortName(scheme)} ≈ ${by === null ? "another" : shortName(by)}`);
  return named.length === 0 ? "" : `${listWords(named, NAMED)}.`;
}

function lackWords(names: readonly string[], one: string, many: string): string {
  return names.length === 0 ? "" : `${listWords(names.map(shortName), NAMED)} ${names.length === 1 ? one : many}.`;
}

function joined(...sentences: readonly string[]): string {
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

const COUNTS = [
  "no",
  "one",
  "two",
  "three",
  "four",
  "five",
  "six",
  "seven",
  "eight",
  "nine",
  "ten",
  "eleven",
  "twelve",
];

function countWords(count: number): string {
  return COUNTS[count] ?? String(count);
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const NO_LOOK: RecipeLook = { fills: [], isPruned: false };
const FULL = { family: "orig", isHollow: false } as const;
const HOLLOW = { family: "orig", isHollow: true } as const;

const METHOD_SIGNS = [
  { shape: "diamond", words: "GPTQ" },
  { shape: "triangle", words: "AWQ" },
  { shape: "square", words: "SmoothQuant" },
] as const;

/** The signs that occur, and no others. */
export function frontierLegend({ points }: FrontierData): readonly LegendItem[] {
  const dots = points.filter(({ hasFailed, place }) => !hasFailed && place !== "waiting" && place !== "unknown");
  const fills = dots.flatMap(({ look }) => look.fills);
  const families = new Set(fills.map(({ family }) => family));
  const mark = (occurs: boolean, look: RecipeLook, words: string): LegendItem[] =>
    occurs ? [{ sign: "mark", look, words }] : [];
  const other = (occurs: boolean, sign: LegendItem["sign"], words: string): LegendItem[] =>
    occurs ? [{ sign, look: NO_LOOK, words }] : [];
  return [
    ...mark(
      fills.some(({ isHollow }) => !isHollow),
      { fills: [FULL], isPruned: false },
      "rounding",
    ),
    ...METHOD_SIGNS.flatMap(({ shape, words }) =>
      mark(
        dots.some(({ look }) => look.shape === shape && look.fills.length === 1),
        { fills: [FULL], isPruned: false, shape },
        words,
      ),
    ),
    ...mark(
      fills.some(({ isHollow }) => isHollow),
      { fills: [HOLLOW], isPruned: false },
      "hollow: activations rounded too",
    ),
    ...mark(
      dots.some(({ look }) => look.fills.length > 1),
      { fills: [FULL, HOLLOW], isPruned: false },
      "halves: several schemes",
    ),
    ...mark(
      dots.some(({ look }) => look.isPruned),
      { fills: [], isPruned: true },
      "pruned",
    ),
    ...other(families.size > 1, "none", "stronger: more bits"),
    ...other(
      points.some(({ hasFailed, place }) => !hasFailed && place === "waiting"),
      "hatch",
      "not compared yet",
    ),
    ...other(
      points.some(({ hasFailed }) => hasFailed),
      "cross",
      "cannot be exported",
    ),
  ];
}

/** Figures of quantlab-4m, as `lab compare` prints them: bits per weight, bytes of the file, relative squared error. */
const EXAMPLE_ROWS = [
  ["W3A16", 4.9947, 2_292_768, 0.0568104],
  ["W4A16", 5.85131, 2_685_984, 0.0123969],
  ["W4A16_ASYM", 5.88505, 2_701_472, 0.0102037],
  ["W6A16", 7.56452, 3_472_416, 0.000711456],
  ["W8A8", 9.20737, 4_226_552, 0.0000629431],
] as const;

/** What stands there, dimmed, while there is no comparison. */
export const FRONTIER_EXAMPLE: FrontierData = {
  points: EXAMPLE_ROWS.map(([scheme, bits, bytes, error]) => ({
    key: scheme,
    name: scheme,
    look: recipeLook(scheme),
    bits,
    bytes,
    error,
    interval: null,
    cap: null,
    place: "line",
    isPartial: false,
    isSelected: false,
    hasFailed: false,
    sentence: "",
    verdict: "",
    note: "",
  })),
  original: { bits: 16.0089, bytes: 7_348_736 },
  measure: ERROR_MEASURE,
  floor: null,
  caption: { strong: "", plain: "" },
};
