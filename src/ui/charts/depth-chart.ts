import { scaleLinear, scaleLog } from "d3-scale";
import { formatNumber, formatPercent } from "../../base/format.ts";
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

/** An error as a share of the signal's power, and in dB; null where it is not finite, the dB also where there is none. */
export interface DepthError {
  readonly relative: number | null;
  readonly signalToNoiseDb: number | null;
}

/** The error of one scheme after each decoder layer. */
export interface DepthLine {
  /** The recipe to choose. */
  readonly scheme: string;
  readonly name: string;
  readonly family: string;
  /** Activations are rounded too: hollow dots. */
  readonly isHollow: boolean;
  readonly isChosen: boolean;
  readonly layers: readonly { readonly layer: number; readonly inherited: DepthError; readonly fresh: DepthError }[];
  /** Layers that add most; their figures stand on them. */
  readonly culprits: readonly number[];
}

/** How error grows along depth under some schemes. */
export interface DepthData {
  /** The chosen one first. */
  readonly lines: readonly DepthLine[];
  readonly caption: Caption;
}

const MARGIN = { left: 62, top: 18, bottom: 26 } as const;
/** Room for the names of the lines at their right ends, and without them. */
const NAMES = { wide: 116, narrow: 12, from: 560, gap: 15, letters: 15 } as const;
/** A layer is no wider than that: few layers would be slabs. */
const BAND = 220;
/** Share of a layer's width that its own error takes, and of schemes that are not chosen. */
const CAP = { chosen: 0.56, other: 0.3, most: 76 } as const;
/** Layers narrower than that have no dot on the line; of schemes that are not chosen no edge of their own error either. */
const DOTS = { chosen: 16, other: 24 } as const;
const TARGET = 24;
/** Pixels that a number on the x axis needs. */
const TICK_ROOM = 26;
/** Pixels that `layer 12` needs. */
const WORD_ROOM = 56;

/**
 * Error of the residual stream along depth, on a log scale. The line is what a layer inherits and passes on; the bar is what it
 * adds itself, fed by the original: the tallest one is the culprit.
 */
export const depthChart: Chart<DepthData> = {
  name: "error-along-depth",
  draw: drawDepth,
  caption: (data) => data.caption,
  table: ({ lines }) => ({
    columns: [
      { name: "scheme", unit: "" },
      { name: "layer", unit: "" },
      { name: "inherited", unit: "% of power" },
      { name: "inherited", unit: "dB" },
      { name: "fresh", unit: "% of power" },
      { name: "fresh", unit: "dB" },
    ],
    rows: lines.flatMap(({ name, layers }) =>
      layers.map(({ layer, inherited, fresh }) => [
        words(name),
        figure(layer, String),
        ...[inherited, fresh].flatMap(({ relative, signalToNoiseDb }) => [
          figure(relative === null ? null : relative * 100, formatNumber),
          figure(signalToNoiseDb, formatNumber),
        ]),
      ]),
    ),
  }),
};

interface Frame {
  readonly x: (layer: number) => number;
  readonly y: (relative: number) => number;
  readonly band: number;
  readonly bottom: number;
  readonly right: number;
  /** Whether the names of the lines have room at their ends. */
  readonly hasNames: boolean;
}

/** Lays out a line and bars for each scheme, the chosen one on top. */
export function drawDepth({ lines }: DepthData, size: ChartSize, theme: ChartTheme): Drawing {
  const values = lines
    .flatMap(({ layers }) => layers.flatMap(({ inherited, fresh }) => [inherited.relative, fresh.relative]))
    .flatMap((value) => (value !== null && value > 0 ? [value] : []));
  const count = Math.max(0, ...lines.map(({ layers }) => layers.length));
  if (values.length === 0) return { ...size, shapes: [], marks: [] };
  const hasNames = size.width >= NAMES.from;
  const room = size.width - MARGIN.left - (hasNames ? NAMES.wide : NAMES.narrow);
  const band = Math.min(BAND, room / count);
  const bottom = size.height - MARGIN.bottom;
  const right = MARGIN.left + band * count;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = scaleLog()
    .domain([low / 2, high * 1.4])
    .range([bottom, MARGIN.top]);
  const place = scaleLinear()
    .domain([-0.5, count - 0.5])
    .range([MARGIN.left, right]);
  const frame: Frame = { x: place, y, band, bottom, right, hasNames };
  const ordered = [...lines].reverse();
  return {
    ...size,
    shapes: [
      ...powerLines(y, right, theme),
      ...ordered.flatMap((line) => bars(line, frame, theme)),
      { kind: "path", d: `M${MARGIN.left} ${bottom + 0.5}H${right}`, stroke: theme.line2 },
      ...layerNames(count, frame, theme),
      ...ordered.flatMap((line) => curve(line, frame, theme)),
      ...lines.flatMap((line) => culpritFigures(line, frame, theme)),
      ...lineNames(lines, frame, theme),
    ],
    marks: lines.flatMap((line, at) => marksOf(line, 2 * at, frame)),
  };
}

/** Steps of a decade that bear their figure: 1 where the axis spans many, 1, 2 and 5 where it spans few. */
function powerLines(
  y: ((value: number) => number) & { ticks(): number[]; domain(): number[] },
  right: number,
  theme: ChartTheme,
): readonly Shape[] {
  const [low = 1, high = 1] = y.domain();
  const steps = high / low > 300 ? /^1/ : /^[125]/;
  return y
    .ticks()
    .filter((value) => steps.test(value.toExponential(0)))
    .flatMap((value): Shape[] => [
      { kind: "path", d: `M${MARGIN.left} ${y(value)}H${right}`, stroke: theme.line },
      {
        ...{ kind: "text", x: MARGIN.left - 8, y: y(value) + 4, text: `${formatNumber(value * 100, 1)} %` },
        ...{ fill: theme.ink3, size: 11, anchor: "end" },
      },
    ]);
}

function layerNames(count: number, { x, band, bottom }: Frame, theme: ChartTheme): readonly Shape[] {
  const step = [1, 2, 5, 10, 20, 50].find((every) => every * band >= TICK_ROOM) ?? 100;
  return Array.from({ length: Math.ceil(count / step) }, (_, at): Shape => {
    const layer = at * step;
    const isWord = band >= WORD_ROOM || layer === 0;
    return {
      ...{ kind: "text", x: x(layer), y: bottom + 16, text: isWord ? `layer ${layer}` : String(layer) },
      ...{ fill: theme.ink3, size: 11, anchor: "middle" },
    };
  });
}

/** What each layer adds: a strong edge at its value, under it a pale face for the chosen scheme. */
function bars({ layers, family, isChosen, culprits }: DepthLine, frame: Frame, theme: ChartTheme): readonly Shape[] {
  const { x, y, band, bottom } = frame;
  const fill = theme.families[family] ?? theme.ink;
  const width = Math.min(CAP.most, band * (isChosen ? CAP.chosen : CAP.other));
  return layers.flatMap(({ layer, fresh: { relative } }): Shape[] => {
    if (relative === null || relative <= 0) return [];
    const [left, top] = [x(layer) - width / 2, y(relative)];
    const edge = { kind: "rect" as const, x: left, width, fill };
    if (!isChosen && band < DOTS.other) return [];
    if (!isChosen) return [{ ...edge, y: top - 0.75, height: 1.5, opacity: 0.7 }];
    const isCulprit = culprits.includes(layer);
    return [
      { ...edge, y: top, height: Math.max(0, bottom - top), opacity: isCulprit ? 0.5 : 0.18 },
      { ...edge, y: top - 1.5, height: 3 },
    ];
  });
}

/** What is inherited: a line with a dot at each layer; it breaks where it is not finite. */
function curve(line: DepthLine, { x, y, band }: Frame, theme: ChartTheme): readonly Shape[] {
  const { layers, family, isHollow, isChosen } = line;
  const stroke = theme.families[family] ?? theme.ink;
  let d = "";
  let isOpen = false;
  const dots: Shape[] = [];
  for (const { layer, inherited } of layers) {
    const { relative } = inherited;
    if (relative === null || relative <= 0) {
      isOpen = false;
      continue;
    }
    const at = { x: x(layer), y: y(relative) };
    d += `${isOpen ? "L" : "M"}${at.x.toFixed(1)} ${at.y.toFixed(1)}`;
    isOpen = true;
    if (band < (isChosen ? DOTS.chosen : DOTS.other)) continue;
    const radius = isChosen ? 4.5 : 2;
    dots.push({
      kind: "circle",
      ...at,
      radius,
      stroke,
      strokeWidth: isChosen ? 2 : 1,
      fill: isHollow ? theme.paper : stroke,
    });
  }
  if (d === "") return [];
  const ground: Shape[] = isChosen ? [{ kind: "path", d, stroke: theme.paper, strokeWidth: 6 }] : [];
  return [
    ...ground,
    { kind: "path", d, stroke, strokeWidth: isChosen ? 2.5 : 1, ...(!isChosen && { opacity: 0.8 }) },
    ...dots,
  ];
}

/** The share of the worst layers of the chosen scheme, on their bars. */
function culpritFigures(line: DepthLine, { x, y, band }: Frame, theme: ChartTheme): readonly Shape[] {
  if (!line.isChosen) return [];
  const worst = line.culprits
    .flatMap((layer) => {
      const relative = line.layers.find((own) => own.layer === layer)?.fresh.relative ?? 0;
      return relative > 0 ? [{ layer, relative }] : [];
    })
    .sort((a, b) => b.relative - a.relative);
  return worst.slice(0, band >= WORD_ROOM ? 4 : 1).map(
    ({ layer, relative }): Shape => ({
      ...{ kind: "text", x: x(layer), y: y(relative) + 20, text: formatPercent(relative) },
      ...{ fill: theme.ink, size: 12, anchor: "middle", isBold: true, halo: theme.paper },
    }),
  );
}

/** Each line by its name at its end, kept apart from the others; where there is no room, the chosen one alone above its line. */
function lineNames(lines: readonly DepthLine[], { x, y, right, hasNames }: Frame, theme: ChartTheme): readonly Shape[] {
  const ends = lines.flatMap((line) => {
    const last = line.layers.findLast(({ inherited }) => (inherited.relative ?? 0) > 0);
    return last === undefined ? [] : [{ line, layer: last.layer, at: y(last.inherited.relative ?? 1) }];
  });
  const text = ({ name, isChosen, family }: DepthLine) => ({
    kind: "text" as const,
    text: name.length > NAMES.letters ? `${name.slice(0, NAMES.letters - 1)}…` : name,
    fill: isChosen ? (theme.families[family] ?? theme.ink) : theme.ink2,
    size: isChosen ? 12 : 11,
    isBold: isChosen,
    halo: theme.paper,
  });
  if (!hasNames) {
    return ends
      .filter(({ line }) => line.isChosen)
      .map(({ line, layer, at }) => ({ ...text(line), x: x(layer) + 6, y: at - 10, anchor: "end" as const }));
  }
  let lowest = Number.NEGATIVE_INFINITY;
  return ends
    .sort((a, b) => a.at - b.at)
    .map(({ line, at }) => {
      lowest = Math.max(at, lowest + NAMES.gap);
      return { ...text(line), x: right + 4, y: lowest + 4 };
    });
}

function marksOf({ scheme, name, layers, isChosen }: DepthLine, row: number, { x, y, band }: Frame): readonly Mark[] {
  const width = Math.min(TARGET, Math.max(6, band));
  const mark = (
    what: string,
    at: number,
    index: number,
    layer: number,
    { relative }: DepthError,
    sentence: string,
  ): Mark[] =>
    relative === null || relative <= 0
      ? []
      : [
          {
            key: `${what} ${layer} ${scheme}`,
            ...{ x: x(index) - width / 2, y: y(relative) - TARGET / 2, width, height: TARGET },
            sentence,
            place: { row: at, column: index },
            isPickable: !isChosen,
            isSelected: false,
          },
        ];
  return [
    ...layers.flatMap(({ layer, inherited }, index) =>
      mark(
        "inherited",
        row,
        index,
        layer,
        inherited,
        `${name}: error after layer ${layer} is ${errorWords(inherited)}`,
      ),
    ),
    ...layers.flatMap(({ layer, fresh }, index) =>
      mark("fresh", row + 1, index, layer, fresh, `${name}: layer ${layer} alone adds ${errorWords(fresh)}`),
    ),
  ];
}

function errorWords({ relative, signalToNoiseDb }: DepthError): string {
  const decibels = signalToNoiseDb === null ? "" : `, ${formatNumber(signalToNoiseDb)} dB`;
  return `${formatPercent(relative ?? 0)} of the signal's power${decibels}`;
}
