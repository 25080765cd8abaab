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
import type { ChartTheme } from "./theme.ts";

/** A part of the original that was put back. */
export interface RecoveryBar {
  readonly name: string;
  /** Share of the divergence that went; negative where it grew; null where that has no value. */
  readonly recovered: number | null;
  /** Divergence that stays, nats. */
  readonly kld: number | null;
}

/** Parts, those that heal most first. */
export interface RecoveryData {
  readonly bars: readonly RecoveryBar[];
  readonly family: string;
  /** Divergence with nothing put back, nats. */
  readonly whole: number | null;
  readonly caption: Caption;
}

const ROW = 24;
const BAR = 14;
const HEAD = 18;
/** Bars that are drawn; the table has all. */
const MOST_BARS = 24;
/** A monospaced letter of 12 pixels. */
const LETTER = 7.3;
const FIGURES = 108;

/** What comes of putting parts of the original back, one at a time. */
export const recoveryChart: Chart<RecoveryData> = {
  name: "what-heals",
  draw: drawRecovery,
  caption: (data) => data.caption,
  table: ({ bars }) => ({
    columns: [
      { name: "put back", unit: "" },
      { name: "KL that stays", unit: "nats" },
      { name: "removed", unit: "%" },
    ],
    rows: bars.map(({ name, kld, recovered }) => [
      words(name),
      figure(kld, formatNumber),
      figure(recovered, (share) => formatNumber(share * 100, 2)),
    ]),
  }),
};

/** Lays out the bars; it takes the height that they need. */
export function drawRecovery({ bars, family }: RecoveryData, size: ChartSize, theme: ChartTheme): Drawing {
  const drawn = bars.slice(0, MOST_BARS);
  const left = Math.min(size.width / 2.6, Math.max(40, ...drawn.map(({ name }) => name.length * LETTER)) + 10);
  const right = Math.max(left + 20, size.width - FIGURES);
  const shares = drawn.flatMap(({ recovered }) => recovered ?? []);
  const x = scaleLinear()
    .domain([Math.min(0, ...shares), Math.max(0.05, ...shares)])
    .range([left, right]);
  const height = HEAD + drawn.length * ROW + 4;
  const letters = Math.floor((left - 10) / LETTER);
  return {
    width: size.width,
    height,
    shapes: [
      { kind: "text", x: right + 54, y: 11, text: "removed", fill: theme.ink3, size: 11, anchor: "end" },
      { kind: "text", x: size.width, y: 11, text: "KL left", fill: theme.ink3, size: 11, anchor: "end" },
      ...drawn.flatMap((bar, at) =>
        barShapes(bar, at, { x, right, width: size.width, letters }, theme.families[family] ?? theme.ink, theme),
      ),
      { kind: "path", d: `M${x(0)} ${HEAD - 2}V${height - 4}`, stroke: theme.line3 },
    ],
    marks: drawn.map(
      (bar, at): Mark => ({
        key: bar.name,
        x: 0,
        y: HEAD + at * ROW,
        width: size.width,
        height: ROW,
        sentence: barSentence(bar),
        place: { row: at, column: 0 },
        isPickable: false,
        isSelected: false,
      }),
    ),
  };
}

interface Room {
  readonly x: (share: number) => number;
  readonly right: number;
  readonly width: number;
  /** Letters that a name may have. */
  readonly letters: number;
}

function barShapes(
  { name, recovered, kld }: RecoveryBar,
  at: number,
  { x, right, width, letters }: Room,
  fill: string,
  theme: ChartTheme,
): readonly Shape[] {
  const y = HEAD + at * ROW;
  const base = y + ROW / 2 + 4;
  // The end of a module's name tells it apart.
  const short = name.length > letters ? `…${name.slice(1 - letters)}` : name;
  const text = (at: number, own: string, isStrong: boolean): Shape => ({
    kind: "text",
    x: at,
    y: base,
    text: own,
    fill: isStrong ? theme.ink : theme.ink3,
    anchor: "end",
  });
  const bar = (share: number): Shape => ({
    kind: "rect",
    x: Math.min(x(0), x(share)),
    y: y + (ROW - BAR) / 2,
    width: Math.max(1, Math.abs(x(share) - x(0))),
    height: BAR,
    // What made it worse is hollow: it took nothing away.
    ...(share < 0 ? { stroke: theme.ink2, fill: theme.paper } : { fill }),
  });
  return [
    { kind: "text", x: 0, y: base, text: short, fill: theme.ink, size: 12, isMono: true },
    ...(recovered === null ? [] : [bar(recovered)]),
    text(right + 54, recovered === null ? "–" : `${formatNumber(recovered * 100, 2)} %`, true),
    text(width, kld === null ? "–" : formatNumber(kld, 2), false),
  ];
}

function barSentence({ name, recovered, kld }: RecoveryBar): string {
  if (recovered === null || kld === null) return `${name} put back: no finite divergence`;
  const share = formatNumber(Math.abs(recovered) * 100, 2);
  const end = recovered < 0 ? `the divergence grew by ${share} %` : `${share} % of the divergence removed`;
  return `${name} put back: ${end}, ${formatNumber(kld, 2)} nats left`;
}
