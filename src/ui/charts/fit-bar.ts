import { scaleLinear } from "d3-scale";
import { formatBytes } from "../../base/format.ts";
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

/** Bytes of what has to fit, and of where. */
export interface FitBarData {
  readonly weights: number;
  /** Null where it is not known. */
  readonly cache: number | null;
  readonly usable: number;
  /** The number family of the weights, which colours them. */
  readonly family: string;
  readonly caption: Caption;
}

/** Thinner parts would not be seen at all. */
const THINNEST = 2;
const HEIGHT = 18;
/** The bar inside the line that marks its end. */
const BAR = { top: 4, height: 10 } as const;

/** Weights and cache against the memory of a GPU. */
export const fitBarChart: Chart<FitBarData> = {
  name: "memory",
  draw: drawFitBar,
  caption: (data) => data.caption,
  table: (data) => ({
    columns: [
      { name: "memory", unit: "" },
      { name: "size", unit: "bytes" },
    ],
    rows: [
      ...partsOf(data).map(({ name, bytes }) => [words(name), figure(bytes, (value) => formatBytes(value))]),
      [words("usable"), figure(data.usable, (value) => formatBytes(value))],
    ],
  }),
};

function partsOf(data: FitBarData): readonly { readonly name: string; readonly bytes: number }[] {
  const weights = { name: "weights", bytes: data.weights };
  return data.cache === null ? [weights] : [weights, { name: "keys and values", bytes: data.cache }];
}

/** Lays out weights and cache against usable memory; the bar ends at whichever is larger. */
export function drawFitBar(data: FitBarData, { width }: ChartSize, theme: ChartTheme): Drawing {
  const parts = partsOf(data);
  const end = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const x = scaleLinear()
    .domain([0, Math.max(end, data.usable)])
    .range([0, width]);
  const capacity = x(data.usable);
  const fills = [theme.families[data.family] ?? theme.ink, theme.ink3];
  const shapes: Shape[] = [
    { kind: "rect", x: 0, y: BAR.top, width: capacity, height: BAR.height, fill: theme.sunk, stroke: theme.line },
  ];
  const marks: Mark[] = [];
  let left = 0;
  for (const [index, { name, bytes }] of parts.entries()) {
    const part = Math.max(THINNEST, x(bytes));
    const box = { x: left, y: BAR.top, width: part, height: BAR.height };
    shapes.push({ kind: "rect", ...box, fill: fills[index] ?? theme.ink });
    marks.push(mark(name, { ...box, y: 0, height: HEIGHT }, `${name}: ${formatBytes(bytes)}`));
    left += part + 1;
  }
  shapes.push({ kind: "path", d: `M${capacity - 0.75} 0v${HEIGHT}`, stroke: theme.ink, strokeWidth: 1.5 });
  const edge = { x: Math.max(0, capacity - 12), y: 0, width: 12, height: HEIGHT };
  return {
    width,
    height: HEIGHT,
    shapes,
    marks: [...marks, mark("usable", edge, `usable: ${formatBytes(data.usable)}`)],
  };
}

function mark(key: string, box: Pick<Mark, "x" | "y" | "width" | "height">, sentence: string): Mark {
  return { key, ...box, sentence, isPickable: false, isSelected: false };
}
