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
import { colourSteps, imageShape, pixelOf } from "./pixels.ts";
import { rangeWords } from "./range-words.ts";
import { type ChartTheme, MAGNITUDE_STEPS } from "./theme.ts";

/** One column of a strip: a channel, or some neighbouring ones. */
export interface StripColumn {
  /** Its first channel, and the one after its last. */
  readonly start: number;
  readonly end: number;
  readonly largest: number;
  readonly token: number;
  /** Tokens at which it is much louder than most. */
  readonly loudTokens: number;
}

/** Magnitudes of the tokens of a window by the channels of a layer's input. */
export interface ActivationStripData {
  readonly tokens: number;
  readonly columns: readonly StripColumn[];
  /** [tokens, columns]. */
  readonly values: Float32Array;
  /** Columns whose number stands above them, the most notable first. */
  readonly named: readonly StripColumn[];
  /** Magnitudes at the ends of the ramp; null where all is 0. */
  readonly ramp: { readonly from: number; readonly to: number } | null;
  readonly caption: Caption;
}

const MARGIN = { left: 52, right: 2, top: 26, bottom: 44 } as const;
/** Height of all tokens together, and of one of few. */
const BAND = { most: 300, token: 6 } as const;
/** Blocks that say themselves. */
const BLOCKS = { rows: 10, columns: 24 } as const;
/** A number above the strip. */
const NAME = { most: 10, letter: 7, gap: 8 } as const;
const RAMP = { width: 12, height: 10 } as const;
const TARGET = 24;

/** What goes into one layer, token by token: channels run to the right, tokens downwards, log colour. */
export const activationStripChart: Chart<ActivationStripData> = {
  name: "activation-strip",
  draw: drawActivationStrip,
  caption: (data) => data.caption,
  table: ({ columns, tokens }) => ({
    columns: [
      { name: "input channel", unit: "" },
      { name: "largest |x|", unit: "" },
      { name: "at token", unit: "" },
      { name: "loud at", unit: `of ${formatCount(tokens)} tokens` },
    ],
    rows: columns.map(({ start, end, largest, token, loudTokens }) => [
      words(rangeWords(start, end)),
      figure(largest, formatNumber),
      figure(token, formatCount),
      figure(loudTokens, formatCount),
    ]),
  }),
};

/** Lays out the strip; it takes the height that its tokens need. */
export function drawActivationStrip(data: ActivationStripData, size: ChartSize, theme: ChartTheme): Drawing {
  const { tokens, columns, ramp } = data;
  const width = Math.max(1, size.width - MARGIN.left - MARGIN.right);
  // Where there are fewer pixels than values, the loudest of each pixel is shown: none may be lost.
  const across = Math.min(columns.length, Math.floor(width));
  const down = Math.min(tokens, BAND.most);
  if (across === 0 || down === 0) return { ...size, shapes: [], marks: [] };
  const height = down * Math.max(1, Math.min(BAND.token, Math.floor(BAND.most / down)));
  const box = { x: MARGIN.left, y: MARGIN.top, width, height };
  const bottom = MARGIN.top + height;
  const colours = theme.magnitude.map(pixelOf);
  const none = colours[0] ?? 0;
  const colour = colourOf(ramp, colours);
  const x = scaleLinear()
    .domain([0, columns.length])
    .range([MARGIN.left, MARGIN.left + width]);
  const y = scaleLinear().domain([0, tokens]).range([MARGIN.top, bottom]);
  return {
    width: size.width,
    height: bottom + MARGIN.bottom,
    dense: [
      imageShape(box, across, down, (row, column) => {
        const value = loudest(data, part(row, down, tokens), part(column, across, columns.length));
        return value > 0 ? colour(value) : none;
      }),
    ],
    shapes: [
      { kind: "rect", ...box, stroke: theme.line2 },
      ...tokenTicks(y, tokens, height, theme),
      ...channelTicks(data, x, bottom, theme),
      ...names(data, x, size.width, theme),
      ...(ramp === null ? [] : rampShapes(ramp, size.width, bottom + 30, theme)),
    ],
    marks: [...nameMarks(data, x, size.width), ...blockMarks(data, x, y)],
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Values `from` to `to` that the part `at` of `parts` stands for; at least one. */
function part(at: number, parts: number, all: number): Span {
  const from = Math.floor((at * all) / parts);
  return { from, to: Math.max(from + 1, Math.floor(((at + 1) * all) / parts)) };
}

function loudest({ values, columns }: ActivationStripData, rows: Span, across: Span): number {
  let most = 0;
  for (let row = rows.from; row < rows.to; row++) {
    for (let column = across.from; column < across.to; column++) {
      most = Math.max(most, values[row * columns.length + column] ?? 0);
    }
  }
  return most;
}

/** Steps of the ramp by ratio. */
function colourOf(ramp: ActivationStripData["ramp"], colours: readonly number[]): (value: number) => number {
  if (ramp === null) return () => colours[0] ?? 0;
  const place = scaleLog().domain([ramp.from, ramp.to]).range([0, MAGNITUDE_STEPS]);
  const step = colourSteps(0, MAGNITUDE_STEPS, colours);
  return (value) => step(place(value));
}

function tokenTicks(
  y: ((token: number) => number) & { ticks(count: number): number[] },
  tokens: number,
  height: number,
  theme: ChartTheme,
): readonly Shape[] {
  const at = tokens === 1 ? [0] : y.ticks(Math.max(2, Math.min(6, height / 50))).filter(Number.isInteger);
  return at
    .filter((token) => token < tokens)
    .map(
      (token): Shape => ({
        ...{ kind: "text", x: MARGIN.left - 8, y: y(token) + (token === 0 ? 9 : 4) },
        ...{ text: token === 0 ? "token 0" : formatCount(token), fill: theme.ink3, size: 11, anchor: "end" },
      }),
    );
}

function channelTicks(
  { columns }: ActivationStripData,
  x: ((column: number) => number) & { ticks(count: number): number[] },
  bottom: number,
  theme: ChartTheme,
): readonly Shape[] {
  const room = x(columns.length) - x(0);
  return x
    .ticks(Math.max(2, Math.min(8, room / 110)))
    .filter((column) => Number.isInteger(column) && column < columns.length)
    .map((column): Shape => {
      const channel = formatCount(columns[column]?.start ?? 0);
      return {
        ...{ kind: "text", x: x(column), y: bottom + 14, text: column === 0 ? `channel ${channel}` : channel },
        ...{ fill: theme.ink3, size: 11, anchor: column === 0 ? "start" : "middle" },
      };
    });
}

/** Where the numbers above the strip stand: over their columns, moved aside where they would touch. */
function placed(
  { named, columns }: ActivationStripData,
  x: (column: number) => number,
  right: number,
): readonly { readonly column: StripColumn; readonly text: string; readonly at: number; readonly middle: number }[] {
  const own = named.slice(0, NAME.most).toSorted((a, b) => a.start - b.start);
  const texts = own.map((column) => {
    const text = column.end - column.start <= 1 ? formatCount(column.start) : `${column.start}–${column.end - 1}`;
    const index = columns.indexOf(column);
    return { column, text, at: (x(index) + x(index + 1)) / 2, width: text.length * NAME.letter };
  });
  let last = Number.NEGATIVE_INFINITY;
  return texts.flatMap(({ column, text, at, width }) => {
    const middle = Math.max(Math.min(at, right - width / 2), last + NAME.gap + width / 2);
    // What has no room keeps its place in the table.
    if (middle + width / 2 > right) return [];
    last = middle + width / 2;
    return [{ column, text, at, middle }];
  });
}

function names(
  data: ActivationStripData,
  x: (column: number) => number,
  right: number,
  theme: ChartTheme,
): readonly Shape[] {
  return placed(data, x, right).flatMap(({ text, at, middle }): Shape[] => [
    { kind: "path", d: `M${middle} ${MARGIN.top - 9}L${at} ${MARGIN.top - 1}`, stroke: theme.ink, strokeWidth: 1.25 },
    { kind: "text", x: middle, y: MARGIN.top - 12, text, fill: theme.ink, size: 12, anchor: "middle", isBold: true },
  ]);
}

/** Colours from quiet to loud with the magnitudes at both ends. */
function rampShapes(
  { from, to }: { readonly from: number; readonly to: number },
  width: number,
  y: number,
  theme: ChartTheme,
): readonly Shape[] {
  const text = { kind: "text" as const, y: y + RAMP.height - 1, fill: theme.ink3, size: 11 };
  const length = RAMP.width * MAGNITUDE_STEPS;
  const [low, high] = [`up to ${formatNumber(from)}`, formatNumber(to)];
  const left = MARGIN.left + low.length * 6 + 6;
  return [
    { ...text, x: MARGIN.left, text: low },
    ...theme.magnitude.map(
      (fill, step): Shape => ({
        kind: "rect",
        x: left + step * RAMP.width,
        y,
        width: RAMP.width,
        height: RAMP.height,
        fill,
      }),
    ),
    { kind: "rect", x: left, y, width: length, height: RAMP.height, stroke: theme.line2 },
    { ...text, x: left + length + 6, text: high },
    ...(width > 420 ? [{ ...text, x: width - MARGIN.right, text: "|x|, log colour", anchor: "end" as const }] : []),
  ];
}

function columnWords({ start, end }: StripColumn): string {
  return end - start <= 1 ? `channel ${formatCount(start)}` : `channels ${rangeWords(start, end)}`;
}

/** The named columns, reached through their numbers. */
function nameMarks(data: ActivationStripData, x: (column: number) => number, right: number): readonly Mark[] {
  return placed(data, x, right).map(({ column, middle }, at): Mark => {
    const { largest, token, loudTokens } = column;
    return {
      key: `column ${column.start}`,
      ...{ x: middle - TARGET / 2, y: 0, width: TARGET, height: TARGET },
      sentence: `${columnWords(column)}: loud at ${formatCount(loudTokens)} of ${formatCount(data.tokens)} tokens, largest ${formatNumber(largest)} at token ${formatCount(token)}`,
      place: { row: 0, column: at },
      isPickable: false,
      isSelected: false,
    };
  });
}

function blockMarks(
  data: ActivationStripData,
  x: (column: number) => number,
  y: (token: number) => number,
): readonly Mark[] {
  const rows = Math.min(BLOCKS.rows, data.tokens);
  const across = Math.min(BLOCKS.columns, data.columns.length);
  return Array.from({ length: rows * across }, (_, index): Mark => {
    const [row, column] = [Math.floor(index / across), index % across];
    const [tokens, cells] = [part(row, rows, data.tokens), part(column, across, data.columns.length)];
    const [first, last] = [data.columns[cells.from], data.columns[cells.to - 1]];
    const channels = rangeWords(first?.start ?? 0, last?.end ?? 0);
    return {
      key: `block ${row} ${column}`,
      ...{
        x: x(cells.from),
        y: y(tokens.from),
        width: x(cells.to) - x(cells.from),
        height: y(tokens.to) - y(tokens.from),
      },
      sentence: `tokens ${rangeWords(tokens.from, tokens.to)}, channels ${channels}: largest ${formatNumber(loudest(data, tokens, cells))}`,
      place: { row: row + 1, column },
      isPickable: false,
      isSelected: false,
    };
  });
}
