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

/** One input channel of a matrix: a column of its weights. */
export interface SpectrumChannel {
  readonly channel: number;
  readonly value: number;
}

/** Two curves over the input channels, each sorted on its own, largest first. */
export interface SpectrumData {
  readonly weights: readonly SpectrumChannel[];
  readonly errors: readonly SpectrumChannel[];
  readonly family: string;
  readonly caption: Caption;
}

const MARGIN = RANKED_MARGIN;
/** Channels at the head of the curve that bear their number. */
const NAMED = 3;
/** The name of a curve begins at this share of its length. */
const NAME_FROM = 0.7;

/** Sorted channel spectrum: the largest weight of each input channel, and the error left in it, on a log scale. */
export const spectrumChart: Chart<SpectrumData> = {
  name: "channel-spectrum",
  draw: drawSpectrum,
  caption: (data) => data.caption,
  table: ({ weights, errors }) => {
    const errorOf = new Map(errors.map(({ channel, value }) => [channel, value]));
    return {
      columns: [
        { name: "input channel", unit: "" },
        { name: "largest weight", unit: "" },
        { name: "rms error", unit: "" },
      ],
      rows: weights.map(({ channel, value }) => [
        words(formatCount(channel)),
        figure(value, formatNumber),
        figure(errorOf.get(channel) ?? null, formatNumber),
      ]),
    };
  },
};

/** Lays out both curves over rank. */
export function drawSpectrum({ weights, errors, family }: SpectrumData, size: ChartSize, theme: ChartTheme): Drawing {
  const values = [...weights, ...errors].map(({ value }) => value).filter((value) => value > 0);
  const baseline = size.height - MARGIN.bottom;
  const end = size.width - MARGIN.right;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0) return { ...size, shapes: [], marks: [] };
  const y = scaleLog()
    .domain(low < high ? [low, high] : [low / 2, high * 2])
    .nice()
    .range([baseline, MARGIN.top]);
  const x = scaleLinear()
    .domain([0, Math.max(1, weights.length - 1)])
    .range([MARGIN.left + 6, end]);
  const colour = theme.families[family] ?? theme.ink;
  return {
    ...size,
    shapes: [
      ...decadeLines(y, end, theme),
      { kind: "path", d: rankedPath(weights, x, y), stroke: theme.ink, strokeWidth: 1.5 },
      { kind: "path", d: rankedPath(errors, x, y), stroke: colour, strokeWidth: 1.5 },
      ...endName("largest weight", weights, x, y, theme.ink, theme),
      ...endName("rms error", errors, x, y, colour, theme),
      ...heads(weights, x, y, theme),
      ...rankWords(weights.length, end, baseline, theme),
    ],
    marks: weights.slice(0, WALKED).flatMap(({ channel, value }, rank): Mark[] =>
      value > 0
        ? [
            {
              key: String(channel),
              x: x(rank) - 6,
              y: y(value) - 6,
              width: 12,
              height: 12,
              sentence: `input channel ${channel}: largest weight ${formatNumber(value)}, ${rank === 0 ? "the largest" : `number ${rank + 1}`} of ${formatCount(weights.length)}`,
              isPickable: false,
              isSelected: false,
            },
          ]
        : [],
    ),
  };
}

type Scale = (value: number) => number;

function endName(
  text: string,
  channels: readonly SpectrumChannel[],
  x: Scale,
  y: Scale,
  fill: string,
  theme: ChartTheme,
): readonly Shape[] {
  // Above the place where the name begins: the curve falls from there on.
  const start = channels[Math.floor(channels.length * NAME_FROM)];
  if (start === undefined || !(start.value > 0)) return [];
  const place = { x: x(channels.length - 1), y: y(start.value) - 7, anchor: "end" as const };
  return [{ kind: "text", ...place, text, fill, size: 11, isBold: true, halo: theme.paper }];
}

/** The channels at the head of the curve, by number. */
function heads(weights: readonly SpectrumChannel[], x: Scale, y: Scale, theme: ChartTheme): readonly Shape[] {
  const named = weights.slice(0, NAMED).filter(({ value }) => value > 0);
  const [first] = named;
  if (first === undefined) return [];
  const dots = named.map(
    ({ value }, rank): Shape => ({ kind: "circle", x: x(rank), y: y(value), radius: 3, fill: theme.ink }),
  );
  const text = named.map(({ channel }) => channel).join(", ");
  const place = { x: x(0) + 14, y: Math.max(MARGIN.top + 4, y(first.value) - 4) };
  return [...dots, { kind: "text", ...place, text, fill: theme.ink, size: 11, isBold: true, halo: theme.paper }];
}
