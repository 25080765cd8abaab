import { scaleLinear, scaleLog } from "d3-scale";
import { formatCount } from "../../base/format.ts";
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

/** Where weights lie between the levels of a scheme, and how often each level is taken. */
export interface HistogramData {
  /** Counts, `binsPerLevel` to a level, from half a level below the lowest. */
  readonly weights: readonly number[];
  readonly binsPerLevel: number;
  readonly firstLevel: number;
  readonly codes: readonly number[];
  /** The number family, which colours the comb. */
  readonly family: string;
  readonly caption: Caption;
}

const MARGIN = { left: 44, right: 12, top: 22, bottom: 22 } as const;
/** Of the room between two levels, so that a comb stays a comb. */
const TOOTH_SHARE = 0.32;

/** The weights as an outline over the levels that they become, a comb; counts on a log scale. */
export const histogramChart: Chart<HistogramData> = {
  name: "histogram",
  draw: drawHistogram,
  caption: (data) => data.caption,
  table: ({ codes, firstLevel }) => ({
    columns: [
      { name: "level", unit: "" },
      { name: "weights that take it", unit: "" },
    ],
    rows: codes.map((count, index) => [words(formatLevel(firstLevel + index)), figure(count, formatCount)]),
  }),
};

/** Lays out a histogram with a logarithmic count: outline of the weights, comb of the codes. */
export function drawHistogram(data: HistogramData, size: ChartSize, theme: ChartTheme): Drawing {
  const { codes, firstLevel } = data;
  const most = Math.max(1, ...codes, ...data.weights);
  const baseline = size.height - MARGIN.bottom;
  const end = size.width - MARGIN.right;
  const lowest = firstLevel - 0.5;
  const x = scaleLinear()
    .domain([lowest, lowest + Math.max(codes.length, data.weights.length / data.binsPerLevel)])
    .range([MARGIN.left, end]);
  // Half a count is the floor: an empty bin lies on the line, a single weight above it.
  const y = scaleLog().domain([0.5, most]).range([baseline, MARGIN.top]);
  const heightOf = (count: number): number => (count > 0 ? y(count) : baseline);
  const room = x(1) - x(0);
  const tooth = Math.max(1, room * TOOTH_SHARE);
  const comb = codes.flatMap((count, index): Shape[] => {
    if (count === 0) return [];
    const left = x(firstLevel + index) - tooth / 2;
    const fill = theme.families[data.family] ?? theme.ink;
    return [{ kind: "rect", x: left, y: y(count), width: tooth, height: baseline - y(count), fill }];
  });
  const steps = data.weights.map((count, bin) => {
    const right = x(lowest + (bin + 1) / data.binsPerLevel);
    return `V${heightOf(count).toFixed(1)}H${right.toFixed(1)}`;
  });
  const outline = `M${MARGIN.left} ${baseline}${steps.join("")}V${baseline}`;
  const marks = codes.map(
    (count, index): Mark => ({
      key: String(firstLevel + index),
      x: x(firstLevel + index) - room / 2,
      y: MARGIN.top,
      width: room,
      height: baseline - MARGIN.top,
      sentence: `level ${formatLevel(firstLevel + index)}: ${count === 0 ? "no weight" : count === 1 ? "1 weight" : `${formatCount(count)} weights`}`,
      isPickable: false,
      isSelected: false,
    }),
  );
  return {
    ...size,
    shapes: [
      ...grid(y.ticks().filter(isPowerOfTen), y, end, theme),
      ...comb,
      { kind: "path", d: outline, stroke: theme.ink, strokeWidth: 1 },
      { kind: "path", d: `M${MARGIN.left} ${baseline + 0.5}H${end}`, stroke: theme.line2 },
      ...x
        .ticks(8)
        .filter(Number.isInteger)
        .map((level) => levelName(level, x(level), baseline, theme)),
      ...peak(data, x, y, theme),
    ],
    marks,
  };
}

function isPowerOfTen(value: number): boolean {
  return /^10*$/.test(String(value));
}

function grid(
  counts: readonly number[],
  y: (count: number) => number,
  end: number,
  theme: ChartTheme,
): readonly Shape[] {
  return counts.flatMap((count): Shape[] => {
    const text = { kind: "text" as const, x: MARGIN.left - 6, y: y(count) + 4, text: formatCount(count) };
    return [
      { kind: "path", d: `M${MARGIN.left} ${y(count)}H${end}`, stroke: theme.line },
      { ...text, fill: theme.ink3, size: 11, anchor: "end" },
    ];
  });
}

function levelName(level: number, x: number, baseline: number, theme: ChartTheme): Shape {
  const text = formatLevel(level);
  return { kind: "text", x, y: baseline + 15, text, fill: theme.ink3, size: 11, anchor: "middle" };
}

/** The level taken most often, by name. */
function peak(
  { codes, firstLevel }: HistogramData,
  x: (level: number) => number,
  y: (count: number) => number,
  theme: ChartTheme,
): readonly Shape[] {
  const highest = Math.max(...codes, 0);
  if (highest === 0) return [];
  const level = firstLevel + codes.indexOf(highest);
  const text = `level ${formatLevel(level)}: ${formatCount(highest)}`;
  const place = { x: x(level), y: y(highest) - 6, anchor: "middle" as const };
  return [{ kind: "text", ...place, text, fill: theme.ink, halo: theme.paper, size: 11, isBold: true }];
}

function formatLevel(value: number): string {
  return String(value).replace("-", "−");
}
