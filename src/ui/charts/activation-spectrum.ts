import { scaleLinear, scaleLog } from "d3-scale";
import { formatCount, formatNumber } from "../../base/format.ts";
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
import { decadeLines, RANKED_MARGIN, rankedPath, rankWords, WALKED } from "./ranked-curve.ts";
import type { ChartTheme } from "./theme.ts";

/** A channel of a layer's input and its largest magnitude. */
export interface ActivationChannel {
  readonly channel: number;
  readonly value: number;
  /** Of an outlier: how many times the median channel; null of all others. */
  readonly ratio: number | null;
}

/** What the channels of one layer's input reach, the loudest first. */
export interface ActivationSpectrumData {
  readonly channels: readonly ActivationChannel[];
  readonly median: number;
  /** From here on a channel is an outlier. */
  readonly threshold: number;
  readonly caption: Caption;
}

const MARGIN = RANKED_MARGIN;
/** Outliers that bear their number; further ones are counted. */
const NAMED = 6;
const LINE_HEIGHT = 15;
/** From a dot to its words. */
const LEADER = 20;
/** In front of the first dot. */
const INSET = 8;

/** Sorted channel spectrum of activations on a log scale; outliers by their number. */
export const activationSpectrumChart: Chart<ActivationSpectrumData> = {
  name: "activation-spectrum",
  draw: drawActivationSpectrum,
  caption: (data) => data.caption,
  table: ({ channels, median }) => ({
    columns: [
      { name: "input channel", unit: "" },
      { name: "largest |x|", unit: "" },
      { name: "outlier", unit: `× the median channel, ${formatNumber(median)}` },
    ],
    rows: channels.map(({ channel, value, ratio }) => [
      words(formatCount(channel)),
      figure(value, formatNumber),
      figure(ratio, formatNumber),
    ]),
  }),
};

/** Lays out the curve over rank, its outliers, and the line from which on they are some. */
export function drawActivationSpectrum(
  { channels, median, threshold }: ActivationSpectrumData,
  size: ChartSize,
  theme: ChartTheme,
): Drawing {
  const values = [...channels.map(({ value }) => value), threshold].filter((value) => value > 0);
  if (values.length === 0) return { ...size, shapes: [], marks: [] };
  const baseline = size.height - MARGIN.bottom;
  const end = size.width - MARGIN.right;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = scaleLog()
    .domain(low < high ? [low, high] : [low / 2, high * 2])
    .nice()
    .range([baseline, MARGIN.top]);
  const x = scaleLinear()
    .domain([0, Math.max(1, channels.length - 1)])
    .range([MARGIN.left + INSET, end]);
  const outliers = channels.filter(({ ratio, value }) => ratio !== null && value > 0);
  const line = { kind: "text" as const, x: end, size: 11, anchor: "end" as const, halo: theme.paper };
  const middle = channels.findIndex(({ value }) => value <= median);
  return {
    ...size,
    shapes: [
      ...decadeLines(y, end, theme),
      ...(threshold > 0
        ? ([
            { kind: "path", d: `M${MARGIN.left} ${y(threshold)}H${end}`, stroke: theme.line3, dash: [3, 3] },
            { ...line, y: y(threshold) - 5, text: "outlier: 8 × the median channel", fill: theme.ink2 },
          ] satisfies Shape[])
        : []),
      { kind: "path", d: rankedPath(channels, x, y), stroke: theme.ink, strokeWidth: 1.75 },
      ...(median > 0 && middle > 0
        ? ([
            {
              ...line,
              x: x(middle),
              y: y(median) - 8,
              anchor: "middle",
              text: `median ${formatNumber(median)}`,
              fill: theme.ink2,
            },
          ] satisfies Shape[])
        : []),
      ...outlierShapes(outliers, x, y, { bottom: baseline, right: end }, theme),
      ...rankWords(channels.length, end, baseline, theme),
    ],
    marks: channels.slice(0, WALKED).flatMap(({ channel, value, ratio }, rank): Mark[] => {
      if (!(value > 0)) return [];
      const place = rank === 0 ? "the loudest" : `number ${rank + 1}`;
      const loud = ratio === null ? "" : `, ${formatNumber(ratio)} times the median channel`;
      return [
        {
          key: String(channel),
          ...{ x: x(rank) - 6, y: y(value) - 6, width: 12, height: 12 },
          sentence: `input channel ${formatCount(channel)}: largest ${formatNumber(value)}${loud}, ${place} of ${formatCount(channels.length)}`,
          isPickable: false,
          isSelected: false,
        },
      ];
    }),
  };
}

/** A dot each, and at its right, kept apart from the others, its number and how loud it is. */
function outlierShapes(
  outliers: readonly ActivationChannel[],
  x: (rank: number) => number,
  y: (value: number) => number,
  { bottom, right }: { readonly bottom: number; readonly right: number },
  theme: ChartTheme,
): readonly Shape[] {
  const named = outliers.slice(0, NAMED);
  const rest = outliers.length - named.length;
  const dots = outliers.map(
    ({ value }, rank): Shape => ({ kind: "circle", x: x(rank), y: y(value), radius: 3.5, fill: theme.ink }),
  );
  const column = x(named.length - 1) + LEADER;
  let last = MARGIN.top - LINE_HEIGHT / 2;
  const texts = named.flatMap(({ channel, value, ratio }, rank): Shape[] => {
    const at = Math.max(y(value), last + LINE_HEIGHT);
    last = at;
    if (at > bottom) return [];
    const text = `channel ${channel}`;
    const strong = { kind: "text" as const, x: column, y: at + 4, fill: theme.ink, size: 12, halo: theme.paper };
    return [
      {
        kind: "path",
        d: `M${x(rank) + 5} ${y(value)}L${column - 4} ${at}`,
        stroke: theme.line3,
      },
      { ...strong, text, isBold: true },
      ...(right - column > 190
        ? [
            {
              ...strong,
              x: column + 8 * text.length,
              fill: theme.ink2,
              text: `${formatNumber(ratio ?? 0)} × the median`,
            },
          ]
        : []),
    ];
  });
  const more: Shape[] =
    rest > 0 && last + LINE_HEIGHT < bottom
      ? [
          {
            ...{ kind: "text", x: column, y: last + LINE_HEIGHT + 4, text: `and ${formatCount(rest)} more` },
            ...{ fill: theme.ink2, size: 12, halo: theme.paper },
          },
        ]
      : [];
  return [...texts, ...more, ...dots];
}
