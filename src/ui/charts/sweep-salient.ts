import { scaleLinear } from "d3-scale";
import { formatNumber } from "../../base/format.ts";
import {
  type Caption,
  type Chart,
  type ChartSize,
  type Drawing,
  figure,
  type Mark,
  type Shape,
  words,
} from "./chart.ts";
import type { SweepRange } from "./sweep-strength.ts";
import type { ChartTheme } from "./theme.ts";

/** Channels kept by one choice. */
export interface SweepChoice {
  readonly name: string;
  /** Nothing is kept: what the others are held against. */
  readonly isPlain: boolean;
  /** Mean KL divergence in nats, at 95 %; null where it is not finite. */
  readonly kld: number | null;
  readonly interval: SweepRange | null;
  /** Where it lies beside the plain one, which is held fast, at 95 % by their paired difference. */
  readonly beside: SweepRange | null;
  /** What it takes from the divergence of the plain one, at 95 %. */
  readonly gain: { readonly value: number; readonly interval: SweepRange | null } | null;
  /** What it does, in words; empty for the plain one. */
  readonly outcome: string;
}

/** Ways to choose channels beside each other. */
export interface SweepSalientData {
  readonly choices: readonly SweepChoice[];
  readonly family: string;
  readonly caption: Caption;
}

const ROW = 34;
const BAR = 16;
const HEAD = 18;
const CAP = 4;
/** A letter of 12 pixels. */
const LETTER = 6.6;
const FIGURES = 64;

/** Divergence with a few channels kept, by what they are chosen by, beside none kept. */
export const sweepSalientChart: Chart<SweepSalientData> = {
  name: "salient-channels",
  draw: drawSweepSalient,
  caption: (data) => data.caption,
  table: ({ choices }) => ({
    columns: [
      { name: "kept", unit: "" },
      { name: "mean KLD", unit: "nats" },
      { name: "95 %, low", unit: "nats" },
      { name: "95 %, high", unit: "nats" },
      { name: "less than none", unit: "nats" },
      { name: "95 %, low", unit: "nats" },
      { name: "95 %, high", unit: "nats" },
      { name: "", unit: "" },
    ],
    rows: choices.map(({ name, kld, interval, gain, outcome }) => [
      words(name),
      figure(kld, formatNumber),
      figure(interval?.low, formatNumber),
      figure(interval?.high, formatNumber),
      figure(gain?.value, formatNumber),
      figure(gain?.interval?.low, formatNumber),
      figure(gain?.interval?.high, formatNumber),
      words(outcome),
    ]),
  }),
};

/** Lays out a bar for each choice, with the interval of its difference from none; it takes the height that they need. */
export function drawSweepSalient({ choices, family }: SweepSalientData, size: ChartSize, theme: ChartTheme): Drawing {
  const left = Math.max(40, ...choices.map(({ name }) => name.length * LETTER)) + 10;
  const right = Math.max(left + 20, size.width - FIGURES);
  const ends = choices.flatMap(({ kld, beside }) => [kld ?? 0, beside?.high ?? 0]);
  const x = scaleLinear()
    .domain([0, Math.max(...ends) || 1])
    .range([left, right]);
  const height = HEAD + choices.length * ROW + 4;
  const plain = choices.find(({ isPlain }) => isPlain)?.kld ?? null;
  const fill = theme.families[family] ?? theme.ink;
  return {
    width: size.width,
    height,
    shapes: [
      { kind: "text", x: size.width, y: 11, text: "mean KLD", fill: theme.ink3, size: 11, anchor: "end" },
      ...choices.flatMap((choice, at) => barShapes(choice, at, { x, left, width: size.width, fill }, theme)),
      { kind: "path", d: `M${x(0)} ${HEAD - 2}V${height - 4}`, stroke: theme.line3 },
      ...(plain === null
        ? []
        : [{ kind: "path" as const, d: `M${x(plain)} ${HEAD}V${height - 4}`, stroke: theme.ink2, dash: [2, 3] }]),
    ],
    marks: choices.map(
      (choice, at): Mark => ({
        key: choice.name,
        ...{ x: 0, y: HEAD + at * ROW, width: size.width, height: ROW },
        sentence: sentenceOf(choice),
        place: { row: at, column: 0 },
        isPickable: false,
        isSelected: false,
      }),
    ),
  };
}

interface Room {
  readonly x: (kld: number) => number;
  readonly left: number;
  readonly width: number;
  readonly fill: string;
}

function barShapes(
  { name, kld, beside, isPlain }: SweepChoice,
  at: number,
  { x, left, width, fill }: Room,
  theme: ChartTheme,
): readonly Shape[] {
  const middle = HEAD + at * ROW + ROW / 2;
  const base = middle + 4;
  const paint = isPlain ? { fill: theme.paper, stroke: fill, strokeWidth: 1.5 } : { fill };
  const box = { x: left, y: middle - BAR / 2, height: BAR };
  const bar: Shape[] = kld === null ? [] : [{ kind: "rect", ...box, width: Math.max(1, x(kld) - left), ...paint }];
  const whisker: Shape[] =
    beside === null
      ? []
      : // On its bar and beyond it: paper beneath keeps it apart from both.
        [
          { stroke: theme.paper, strokeWidth: 4 },
          { stroke: theme.ink, strokeWidth: 1.5 },
        ].map((stroke) => ({
          kind: "path",
          d: whiskerPath(x(Math.max(0, beside.low)), x(beside.high), middle),
          ...stroke,
        }));
  return [
    { kind: "text", x: 0, y: base, text: name, fill: theme.ink, size: 12 },
    ...bar,
    ...whisker,
    {
      ...{ kind: "text", x: width, y: base, text: kld === null ? "–" : formatNumber(kld) },
      ...{ fill: theme.ink, size: 12, anchor: "end" },
    },
  ];
}

function whiskerPath(low: number, high: number, y: number): string {
  return `M${low} ${y - CAP}v${2 * CAP}M${high} ${y - CAP}v${2 * CAP}M${low} ${y}H${high}`;
}

function sentenceOf({ name, kld, interval, outcome }: SweepChoice): string {
  if (kld === null) return `${name}: mean KLD not finite`;
  const range = interval === null ? "" : `, 95 % ${formatNumber(interval.low)} … ${formatNumber(interval.high)}`;
  return `${name}: mean KLD ${formatNumber(kld)} nats${range}${outcome === "" ? "" : `; ${outcome}`}`;
}
