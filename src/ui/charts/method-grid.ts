import { scaleLinear, scaleLog } from "d3-scale";
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
import { type LogScale, percentTick, shownTicks } from "./method-columns.ts";
import type { ChartTheme } from "./theme.ts";

/** Factors that were tried. */
export interface MethodGridPoint {
  /** Exponent of the activations' mean magnitudes. */
  readonly ratio: number;
  /** The weights' magnitudes count too. */
  readonly duoScaling: boolean;
  /** Mean squared difference of the outputs; null where it is not finite. */
  readonly loss: number | null;
  /** That over the one of no factors. */
  readonly relative: number | null;
}

/** A search for factors: the first point is no change. */
export interface MethodGridData {
  readonly points: readonly MethodGridPoint[];
  /** Place of the point that was taken. */
  readonly best: number;
  readonly caption: Caption;
}

const MARGIN = { left: 58, right: 16, top: 16, bottom: 38 } as const;
const TARGET = 24;
const RADIUS = 3.5;
const CHOSEN = 7;
/** Room for the word beneath the lowest point. */
const WORD = 20;
const RATIO_TICKS = [0, 0.25, 0.5, 0.75, 1] as const;

/** Error of the outputs for each point of the grid that AWQ searches. */
export const methodGridChart: Chart<MethodGridData> = {
  name: "method-grid",
  draw: drawMethodGrid,
  caption: (data) => data.caption,
  table: ({ points, best }) => ({
    columns: [
      { name: "ratio", unit: "" },
      { name: "duo scaling", unit: "" },
      { name: "mean squared difference", unit: "" },
      { name: "of that without factors", unit: "%" },
      { name: "", unit: "" },
    ],
    rows: points.map(({ ratio, duoScaling, loss, relative }, at) => [
      figure(ratio, formatNumber),
      words(duoScaling ? "yes" : "no"),
      figure(loss, formatNumber),
      figure(relative === null ? null : relative * 100, formatNumber),
      words(standing(at, best)),
    ]),
  }),
};

function standing(at: number, best: number): string {
  return [at === 0 ? "no factors" : "", at === best ? "chosen" : ""].filter(Boolean).join(", ");
}

interface Placed extends MethodGridPoint {
  readonly at: number;
  readonly relative: number;
}

/** Lays out both series, with and without duo scaling, over the ratio. */
export function drawMethodGrid({ points, best }: MethodGridData, size: ChartSize, theme: ChartTheme): Drawing {
  const placed = points.flatMap((point, at): Placed[] =>
    point.relative === null || point.relative <= 0 ? [] : [{ ...point, relative: point.relative, at }],
  );
  if (placed.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const bottom = size.height - MARGIN.bottom;
  const right = size.width - MARGIN.right;
  const values = placed.map(({ relative }) => relative);
  const y = scaleLog()
    .domain([Math.min(...values) / 1.03, Math.max(...values) * 1.03])
    .range([bottom - WORD, MARGIN.top]);
  const x = scaleLinear()
    .domain([0, 1])
    .range([MARGIN.left + 10, right - 10]);
  const plain = placed.find(({ at }) => at === 0);
  const tried = placed.filter(({ at }) => at !== 0);
  const series = [false, true].map((duo) => tried.filter(({ duoScaling }) => duoScaling === duo));
  return {
    ...size,
    shapes: [
      ...axes(x, y, { bottom, right }, theme),
      ...series.flatMap((own) => curve(own, x, y, theme)),
      ...(plain === undefined ? [] : plainPoint(plain, tried.at(-1), x, y, theme)),
      ...chosenPoint(
        placed.find(({ at }) => at === best),
        x,
        y,
        theme,
      ),
    ],
    marks: placed.map((point) => markOf(point, best, x, y)),
  };
}

type Scale = (value: number) => number;

function axes(
  x: Scale,
  y: LogScale,
  { bottom, right }: { readonly bottom: number; readonly right: number },
  theme: ChartTheme,
): readonly Shape[] {
  const label = { kind: "text" as const, fill: theme.ink3, size: 11 };
  return [
    ...shownTicks(y).flatMap((value): Shape[] => [
      { kind: "path", d: `M${MARGIN.left} ${y(value)}H${right}`, stroke: theme.line },
      { ...label, x: MARGIN.left - 8, y: y(value) + 4, text: percentTick(value), anchor: "end" },
    ]),
    { kind: "path", d: `M${MARGIN.left} ${bottom + 0.5}H${right}`, stroke: theme.line2 },
    ...RATIO_TICKS.map(
      (ratio): Shape => ({ ...label, x: x(ratio), y: bottom + 15, text: String(ratio), anchor: "middle" }),
    ),
    { ...label, x: right, y: bottom + 31, text: "ratio: exponent of the activations", anchor: "end" },
  ];
}

/** With duo scaling filled and whole, without it hollow and broken. */
function curve(points: readonly Placed[], x: Scale, y: Scale, theme: ChartTheme): readonly Shape[] {
  const [first] = points;
  if (first === undefined) return [];
  const isDuo = first.duoScaling;
  const d = `M${points.map(({ ratio, relative }) => `${x(ratio).toFixed(1)} ${y(relative).toFixed(1)}`).join("L")}`;
  const line: Shape = { kind: "path", d, stroke: theme.ink2, strokeWidth: 1.5, ...(!isDuo && { dash: [5, 3] }) };
  const dots = points.map(
    ({ ratio, relative }): Shape => ({
      ...{ kind: "circle", x: x(ratio), y: y(relative), radius: RADIUS, stroke: theme.ink2, strokeWidth: 1.5 },
      fill: isDuo ? theme.ink2 : theme.paper,
    }),
  );
  return [line, ...dots];
}

/** No factors: a square, and a line at its height, named where the curve `last` ends on its other side. */
function plainPoint(
  { ratio, relative }: Placed,
  last: Placed | undefined,
  x: Scale,
  y: Scale,
  theme: ChartTheme,
): readonly Shape[] {
  const [left, right, top] = [x(ratio), x(1), y(relative)];
  const side = 2 * RADIUS + 2;
  const isBelow = last !== undefined && last.relative > relative;
  const name = { kind: "text" as const, text: "no factors", size: 11, halo: theme.paper, fill: theme.ink2 };
  return [
    { kind: "path", d: `M${left} ${top}H${right}`, stroke: theme.line3, dash: [2, 3] },
    { kind: "rect", x: left - side / 2, y: top - side / 2, width: side, height: side, fill: theme.ink },
    { ...name, x: right - 14, y: top + (isBelow ? 14 : -5), anchor: "end" },
  ];
}

/** The point that was taken: a triangle around it, and its word. */
function chosenPoint(point: Placed | undefined, x: Scale, y: Scale, theme: ChartTheme): readonly Shape[] {
  if (point === undefined) return [];
  const [left, top] = [x(point.ratio), y(point.relative)];
  const d = `M${left} ${top - CHOSEN}L${left + CHOSEN} ${top + CHOSEN - 1}L${left - CHOSEN} ${top + CHOSEN - 1}Z`;
  const isRight = point.ratio > 0.5;
  const name = { x: left + (isRight ? -12 : 12), y: top + 15, anchor: isRight ? ("end" as const) : ("start" as const) };
  return [
    { kind: "path", d, fill: theme.ink, stroke: theme.paper, strokeWidth: 1.5 },
    { kind: "text", ...name, text: "chosen", fill: theme.ink, size: 12, isBold: true, halo: theme.paper },
  ];
}

function markOf({ at, ratio, duoScaling, relative }: Placed, best: number, x: Scale, y: Scale): Mark {
  const what = at === 0 ? "no factors" : `ratio ${formatNumber(ratio)} ${duoScaling ? "with" : "without"} duo scaling`;
  const chosen = at === best ? ", chosen" : "";
  return {
    key: String(at),
    ...{ x: x(ratio) - TARGET / 2, y: y(relative) - TARGET / 2, width: TARGET, height: TARGET },
    sentence: `${what}: ${formatNumber(relative * 100)} % of the error without factors${chosen}`,
    isPickable: false,
    isSelected: false,
  };
}
