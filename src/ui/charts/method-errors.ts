import { scaleLog } from "d3-scale";
import { formatCount, formatNumber, formatPercent } from "../../base/format.ts";
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
import { type ColumnFrame, type ColumnPlace, columnDrawing, columnFrame, percentTick } from "./method-columns.ts";
import type { ChartTheme } from "./theme.ts";

/** What a method did to one matrix. */
export interface MethodErrorColumn extends ColumnPlace {
  readonly module: string;
  /** Error of the outputs as a share of their power: without the method, and with it; null where there is no value. */
  readonly plain: number | null;
  readonly method: number | null;
  /** The second over the first. */
  readonly ratio: number | null;
  readonly isWorse: boolean;
  /** Rows of the matrix that both are computed on. */
  readonly rows: number | null;
  readonly hessian: {
    readonly channels: number;
    readonly deadChannels: number;
    readonly tokens: number;
    readonly condition: number | null;
    /** Of the tokens beside the channels. */
    readonly words: string;
  } | null;
  /** Why the method was not possible. */
  readonly fallback: string | null;
}

/** Matrices layer by layer; those without errors, which are no columns of the picture, last. */
export interface MethodErrorsData {
  readonly columns: readonly MethodErrorColumn[];
  /** What the first error is of: `plain rounding`. */
  readonly plainName: string;
  readonly methodName: string;
  readonly chosen: string | null;
  readonly caption: Caption;
}

const RADIUS = 3.5;
const DIAMOND = 5;
/** Step of the signed ramp for what grew: red is for failures. */
const WORSE = 11;

/** Output error of each matrix, without the method and with it. */
export const methodErrorsChart: Chart<MethodErrorsData> = {
  name: "method-output-error",
  draw: drawMethodErrors,
  caption: (data) => data.caption,
  table: ({ columns, plainName, methodName }) => ({
    columns: [
      { name: "matrix", unit: "" },
      { name: plainName, unit: "% of output power" },
      { name: methodName, unit: "% of output power" },
      { name: `${methodName} over ${plainName}`, unit: "×" },
      { name: "rows measured", unit: "" },
      { name: "channels", unit: "" },
      { name: "dead channels", unit: "" },
      { name: "tokens", unit: "" },
      { name: "condition, at least", unit: "" },
      { name: "not done", unit: "" },
    ],
    rows: columns.map(({ module, plain, method, ratio, rows, hessian, fallback }) => [
      words(module),
      figure(plain === null ? null : plain * 100, formatNumber),
      figure(method === null ? null : method * 100, formatNumber),
      figure(ratio, formatNumber),
      figure(rows, formatCount),
      figure(hessian?.channels, formatCount),
      figure(hessian?.deadChannels, formatCount),
      figure(hessian?.tokens, formatCount),
      figure(hessian?.condition, formatNumber),
      words(fallback ?? ""),
    ]),
  }),
};

/** Lays out a column for each matrix that has an error. */
export function drawMethodErrors(data: MethodErrorsData, size: ChartSize, theme: ChartTheme): Drawing {
  const columns = data.columns.filter(({ plain, method }) => isDrawn(plain) || isDrawn(method));
  const values = columns.flatMap(({ plain, method }) => [plain, method].filter(isDrawn));
  if (values.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const frame = columnFrame(columns.length, size);
  const y = scaleLog()
    .domain([Math.min(...values) / 1.4, Math.max(...values) * 1.4])
    .range([frame.bottom, frame.top]);
  const chosen = columns.findIndex(({ module }) => module === data.chosen);
  return columnDrawing({ columns, chosen, frame }, { y, tick: percentTick }, theme, {
    shapes: columns.flatMap((column, at) => dumbbell(column, frame.x(at), y, theme)),
    marks: columns.map((column, at) => markOf(column, at, frame, data)),
  });
}

/** What is 0 or no number has no place on a log scale. */
function isDrawn(error: number | null): error is number {
  return error !== null && error > 0;
}

function dumbbell(
  { plain, method, isWorse }: MethodErrorColumn,
  x: number,
  y: (error: number) => number,
  theme: ChartTheme,
): readonly Shape[] {
  const colour = isWorse ? (theme.sign[WORSE] ?? theme.ink) : theme.ink;
  const line: Shape[] =
    isDrawn(plain) && isDrawn(method)
      ? [{ kind: "path", d: `M${x} ${y(plain)}V${y(method)}`, stroke: isWorse ? colour : theme.ink3, strokeWidth: 2 }]
      : [];
  const before: Shape[] = isDrawn(plain)
    ? [{ kind: "circle", x, y: y(plain), radius: RADIUS, stroke: theme.ink2, strokeWidth: 1.5, fill: theme.paper }]
    : [];
  const after: Shape[] = isDrawn(method)
    ? [
        {
          ...{ kind: "path", d: diamond(x, y(method)), stroke: colour, strokeWidth: 1.5 },
          // Worse is told by its form too, not by colour alone.
          fill: isWorse ? theme.paper : colour,
        },
      ]
    : [];
  return [...line, ...before, ...after];
}

function diamond(x: number, y: number): string {
  return `M${x} ${y - DIAMOND}L${x + DIAMOND} ${y}L${x} ${y + DIAMOND}L${x - DIAMOND} ${y}Z`;
}

function markOf(
  column: MethodErrorColumn,
  at: number,
  { x, band, top, bottom }: ColumnFrame,
  { plainName, methodName, chosen }: MethodErrorsData,
): Mark {
  const { module, plain, method, ratio, isWorse, hessian } = column;
  const share = (error: number | null): string => (error === null ? "not finite" : formatPercent(error));
  const change = ratio === null ? "" : `, ${formatNumber(ratio)} ×${isWorse ? ", worse" : ""}`;
  const meter = hessian === null ? "" : `; ${hessian.words}`;
  return {
    key: module,
    ...{ x: x(at) - band / 2, y: top, width: band, height: bottom - top },
    sentence: `${module}: output error ${share(plain)} by ${plainName}, ${share(method)} by ${methodName}${change}${meter}`,
    place: { row: 0, column: at },
    isPickable: true,
    isSelected: module === chosen,
  };
}
