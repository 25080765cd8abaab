import { scaleLog } from "d3-scale";
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
import { type ColumnFrame, type ColumnPlace, columnDrawing, columnFrame } from "./method-columns.ts";
import type { ChartTheme } from "./theme.ts";

/** What was moved from one module into the layers that read it. */
export interface MethodFactorColumn extends ColumnPlace {
  /** The module that is divided. */
  readonly name: string;
  readonly balance: readonly string[];
  /** Smallest and largest factor; null where none was applied. */
  readonly factors: { readonly min: number; readonly max: number } | null;
  readonly refused: string | null;
  /** What a search took; null without one. */
  readonly search: {
    readonly ratio: number;
    readonly duoScaling: boolean;
    /** The error that is left, over that without factors. */
    readonly left: number | null;
  } | null;
}

/** Mappings layer by layer; those that were left alone, which are no columns of the picture, last. */
export interface MethodFactorsData {
  readonly columns: readonly MethodFactorColumn[];
  /** The mapping whose search is shown. */
  readonly chosen: string | null;
  readonly caption: Caption;
}

const BAR = 12;
/** The axis never spans less: factors that hardly differ shall look so. */
const LEAST_SPAN = 1.25;

/** From the smallest to the largest factor of each mapping, on a log scale around 1. */
export const methodFactorsChart: Chart<MethodFactorsData> = {
  name: "method-factors",
  draw: drawMethodFactors,
  caption: (data) => data.caption,
  table: ({ columns }) => {
    const isSearched = columns.some(({ search }) => search !== null);
    return {
      columns: [
        { name: "divided", unit: "" },
        { name: "multiplied", unit: "" },
        { name: "smallest factor", unit: "" },
        { name: "largest factor", unit: "" },
        ...(isSearched
          ? [
              { name: "ratio", unit: "" },
              { name: "duo scaling", unit: "" },
              { name: "error left", unit: "% of plain rounding's" },
            ]
          : []),
        { name: "left alone", unit: "" },
      ],
      rows: columns.map(({ name, balance, factors, refused, search }) => [
        words(name),
        words(balance.join(", ")),
        figure(factors?.min, formatNumber),
        figure(factors?.max, formatNumber),
        ...(isSearched
          ? [
              figure(search?.ratio, formatNumber),
              words(search === null ? "" : search.duoScaling ? "yes" : "no"),
              figure(search?.left == null ? null : search.left * 100, formatNumber),
            ]
          : []),
        words(refused ?? ""),
      ]),
    };
  },
};

/** Lays out a bar for each mapping that was applied. */
export function drawMethodFactors({ columns, chosen }: MethodFactorsData, size: ChartSize, theme: ChartTheme): Drawing {
  const drawn = columns.filter(({ factors }) => factors !== null && factors.min > 0);
  if (drawn.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const frame = columnFrame(drawn.length, size);
  const all = drawn.flatMap(({ factors }) => (factors === null ? [] : [factors.min, factors.max]));
  const y = scaleLog()
    .domain([Math.min(1 / LEAST_SPAN, ...all) / 1.1, Math.max(LEAST_SPAN, ...all) * 1.1])
    .range([frame.bottom, frame.top]);
  const place = { columns: drawn, chosen: drawn.findIndex(({ name }) => name === chosen), frame };
  const one: Shape = { kind: "path", d: `M0 ${y(1)}H${frame.band * drawn.length}`, stroke: theme.line3 };
  return columnDrawing(place, { y, tick: (value) => formatNumber(value, 2) }, theme, {
    shapes: [one, ...drawn.flatMap((column, at) => bar(column, at, frame, y, theme))],
    marks: drawn.map((column, at) => markOf(column, at, frame, chosen)),
  });
}

function bar(
  { factors }: MethodFactorColumn,
  at: number,
  { x, band }: ColumnFrame,
  y: (factor: number) => number,
  theme: ChartTheme,
): readonly Shape[] {
  if (factors === null) return [];
  const width = Math.min(BAR, band * 0.6);
  const [top, bottom] = [y(factors.max), y(factors.min)];
  const edge = { kind: "rect" as const, x: x(at) - width / 2, width, fill: theme.ink };
  return [
    { ...edge, y: top, height: Math.max(0, bottom - top), opacity: 0.3 },
    { ...edge, y: top - 1, height: 2 },
    { ...edge, y: bottom - 1, height: 2 },
  ];
}

function markOf(
  { name, balance, factors, search }: MethodFactorColumn,
  at: number,
  { x, band, top, bottom }: ColumnFrame,
  chosen: string | null,
): Mark {
  const range =
    factors === null
      ? ""
      : factors.min === factors.max
        ? `factors all ${formatNumber(factors.min)}`
        : `factors ${formatNumber(factors.min)} to ${formatNumber(factors.max)}`;
  const found =
    search === null
      ? ""
      : `; ratio ${formatNumber(search.ratio)}, ${search.duoScaling ? "with" : "without"} duo scaling`;
  return {
    key: name,
    ...{ x: x(at) - band / 2, y: top, width: band, height: bottom - top },
    sentence: `${name} into ${balance.join(", ")}: ${range}${found}`,
    place: { row: 0, column: at },
    // Without a search there is nothing more to show of it.
    isPickable: search !== null,
    isSelected: name === chosen,
  };
}
