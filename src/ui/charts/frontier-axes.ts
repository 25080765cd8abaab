import { scaleLinear, scaleLog } from "d3-scale";
import { formatBytes, formatNumber } from "../../base/format.ts";
import type { Shape } from "./chart.ts";
import { type Area, textWidth } from "./frontier-labels.ts";
import { type FrontierData, hasHeight, heightsOf, type Plot } from "./frontier-points.ts";
import { sizeSentence } from "./frontier-words.ts";
import type { ChartTheme } from "./theme.ts";

/** From this width on a picture has its larger form. */
const WIDE = 600;
/** Room around the plot; figures and title of the x axis stand below it. */
const MARGIN = { left: 46, leftOfWords: 58, right: 2, top: 6, bottom: 56 } as const;
const HEIGHT = { wide: 440, narrow: 300 } as const;
/** Between the outermost dots and the edges of the plot, for their names. */
const PAD = { wide: 44, narrow: 20, top: 30, bottom: 28 } as const;
/** The row of what has no error at all, below the decades. */
const ZERO_ROW = 38;
/** Closer values are not stretched over the whole picture: a hair's difference must look like one. */
const LEAST = { bits: 2, errors: 10 } as const;
/** Pixels between two ticks of the x axis, about; d3 may take up to twice as many ticks as it is asked for. */
const TICK_ROOM = { wide: 130, narrow: 60 } as const;
/** Half a figure below a tick. */
const TICK_HALF = 16;
/** Smaller ticks are written as powers. */
const SMALLEST_PLAIN = 1e-5;

/** Where sizes and errors lie. */
export interface Axes {
  readonly width: number;
  readonly height: number;
  readonly isWide: boolean;
  readonly plot: Plot;
  readonly x: (bits: number) => number;
  readonly y: (error: number) => number;
  readonly xTicks: readonly { readonly at: number; readonly bits: string; readonly bytes: string }[];
  /** The unit that all sizes share, or empty: then each bears its own. */
  readonly bytesUnit: string;
  readonly yTicks: readonly { readonly at: number; readonly text: string }[];
  /** Of the row without error; null where nothing is without. */
  readonly zeroAt: number | null;
  /** Of the original, which may lie beyond the plot. */
  readonly originalAt: number | null;
  /** Of the error that is there without any scheme; null where there is none. */
  readonly floorAt: number | null;
}

export function layOutAxes(data: FrontierData, width: number): Axes {
  const isWide = width >= WIDE;
  const height = isWide ? HEIGHT.wide : HEIGHT.narrow;
  const errors = data.points.flatMap((point) => (hasHeight(point) ? heightsOf(point) : []));
  const floor = data.floor?.error ?? 0;
  const hasZero = errors.includes(0);
  const left = hasZero ? MARGIN.leftOfWords : MARGIN.left;
  const plot = {
    left,
    right: Math.max(left + 2 * PAD.narrow + 1, width - MARGIN.right),
    top: MARGIN.top,
    bottom: height - MARGIN.bottom,
  };
  const zeroAt = hasZero ? plot.bottom - ZERO_ROW / 2 : null;
  const x = bitsScale(data, plot, isWide ? PAD.wide : PAD.narrow);
  const logBottom = zeroAt === null ? plot.bottom : plot.bottom - ZERO_ROW;
  const y = errorScale(
    [...errors, floor].filter((error) => error > 0),
    plot.top,
    logBottom,
  );
  const xTicks = sizeTicks(data, x, plot);
  const { original } = data;
  const originalAt = original === null ? null : x(original.bits);
  return {
    width,
    height,
    isWide,
    plot,
    x: (bits) => x(bits),
    y: (error) => (error === 0 ? (zeroAt ?? logBottom) : y(error)),
    ...xTicks,
    yTicks: errorTicks(y).map(({ value, text }) => ({ at: y(value), text })),
    zeroAt,
    originalAt,
    floorAt: floor > 0 ? y(floor) : null,
  };
}

function bitsScale({ points, original }: FrontierData, plot: Plot, pad: number) {
  const bits = points.map((point) => point.bits);
  if (bits.length === 0) bits.push(original?.bits ?? 0);
  const [first, last] = widened(Math.min(...bits), Math.max(...bits));
  return scaleLinear()
    .domain([first, last])
    .range([plot.left + pad, plot.right - pad]);
}

function widened(first: number, last: number): readonly [number, number] {
  const lack = LEAST.bits - (last - first);
  return lack > 0 ? [first - lack / 2, last + lack / 2] : [first, last];
}

/** A logarithmic scale over the whole height, on which the errors keep away from its ends. */
function errorScale(errors: readonly number[], top: number, bottom: number) {
  const [least, most] = errors.length === 0 ? [1e-4, 1e-1] : [Math.min(...errors), Math.max(...errors)];
  const isClose = most < least * LEAST.errors;
  const inner = scaleLog()
    .domain(isClose ? [least / 3, most * 3] : [least, most])
    .range([bottom - PAD.bottom, top + PAD.top]);
  return scaleLog()
    .domain([inner.invert(bottom), inner.invert(top)])
    .range([bottom, top]);
}

function sizeTicks(
  data: FrontierData,
  x: ReturnType<typeof bitsScale>,
  plot: Plot,
): Pick<Axes, "xTicks" | "bytesUnit"> {
  const outer = scaleLinear()
    .domain([x.invert(plot.left), x.invert(plot.right)])
    .range([plot.left, plot.right]);
  const room = plot.right - plot.left >= WIDE ? TICK_ROOM.wide : TICK_ROOM.narrow;
  const count = Math.max(2, Math.floor((plot.right - plot.left) / room));
  const write = outer.tickFormat(count);
  const values = outer.ticks(count).filter((value) => value >= 0 && x(value) <= plot.right - TICK_HALF);
  // Bytes and bits of one file are in the same proportion as those of any other of this model.
  const known = data.original ?? data.points[0];
  const toBytes = scaleLinear()
    .domain([0, known?.bits ?? 1])
    .range([0, known?.bytes ?? 0]);
  const sizes = values.map((value) => formatBytes(toBytes(value)).split(" "));
  const units = new Set(sizes.map(([, unit = ""]) => unit));
  const bytesUnit = units.size === 1 ? ([...units][0] ?? "") : "";
  return {
    bytesUnit,
    xTicks: values.map((value, index) => {
      const [text = "", unit = ""] = sizes[index] ?? [];
      return { at: x(value), bits: write(value), bytes: bytesUnit === "" ? `${text} ${unit}` : text };
    }),
  };
}

/** Powers of ten; between them 2 and 5 where fewer than two powers are in view. */
function errorTicks(y: ReturnType<typeof errorScale>): readonly { readonly value: number; readonly text: string }[] {
  const all = y.ticks();
  const powers = all.filter((value) => leading(value) === 1);
  const shown = powers.length >= 2 ? powers : all.filter((value) => [1, 2, 5].includes(leading(value)));
  const isPlain = shown.every((value) => value >= SMALLEST_PLAIN);
  return shown.map((value) => ({ value, text: errorTick(value, isPlain) }));
}

/** The first digit: 2 of 0.002. */
function leading(value: number): number {
  return Number(value.toExponential(0).charAt(0));
}

function errorTick(value: number, isPlain: boolean): string {
  if (value >= 1e-3 || isPlain) return value.toFixed(6).replace(/\.?0+$/, "");
  return value.toExponential(0).replace("-", "−");
}

/** Lines, figures and titles of both axes. */
export function axisShapes({ plot, isWide, ...axes }: Axes, data: FrontierData, theme: ChartTheme): readonly Shape[] {
  const { left, right, bottom } = plot;
  const label = { kind: "text" as const, fill: theme.ink3, size: 11 };
  const shapes: Shape[] = [];
  for (const { at, text } of axes.yTicks) {
    shapes.push({ kind: "path", d: `M${left} ${crisp(at)}H${right}`, stroke: theme.line });
    shapes.push({ ...label, x: left - 6, y: at + 4, text, anchor: "end" });
  }
  if (axes.zeroAt !== null) {
    shapes.push({ kind: "path", d: `M${left} ${crisp(axes.zeroAt)}H${right}`, stroke: theme.line2, dash: [2, 3] });
    shapes.push({ ...label, x: left - 6, y: axes.zeroAt + 4, text: data.measure.none, anchor: "end" });
  }
  shapes.push({ kind: "path", d: `M${left} ${crisp(bottom)}H${right}`, stroke: theme.line2 });
  for (const { at, bits, bytes } of axes.xTicks) {
    shapes.push({ kind: "path", d: `M${crisp(at)} ${bottom}v4`, stroke: theme.line2 });
    shapes.push({ ...label, x: at, y: bottom + 16, text: bits, anchor: "middle" });
    shapes.push({ ...label, x: at, y: bottom + 30, text: bytes, anchor: "middle" });
  }
  if (data.floor !== null && axes.floorAt !== null) {
    const [at, words] = [axes.floorAt, data.floor.words];
    shapes.push({ kind: "path", d: `M${left} ${crisp(at)}H${right}`, stroke: theme.ink2, dash: [1.5, 3] });
    shapes.push({ ...label, fill: theme.ink2, x: left + 4, y: at + 13, text: words, halo: theme.paper });
  }
  const unit = axes.bytesUnit === "" ? "file" : axes.bytesUnit;
  const title = isWide ? `bits per weight of the whole file, ${unit} below · linear` : `bits per weight, ${unit} below`;
  const foot = { ...label, fill: theme.ink2, y: bottom + 49 };
  shapes.push({ ...foot, x: left, text: title });
  const at = axes.originalAt;
  if (data.original === null || at === null) return shapes;
  const arrow = at > right ? " ▸" : "";
  const room = right - left - textWidth(title, 11, false) - TICK_HALF;
  const long = `original: ${sizeSentence(data.original)}${arrow}`;
  const short = `original: ${formatNumber(data.original.bits)}${arrow}`;
  shapes.push({ ...foot, x: right, text: textWidth(long, 11, false) <= room ? long : short, anchor: "end" });
  if (at >= left && at <= right) {
    const side = at - left > ORIGINAL_ROOM ? -1 : 1;
    const word = { text: ORIGINAL, anchor: side < 0 ? ("end" as const) : ("start" as const), halo: theme.paper };
    const d = `M${crisp(at)} ${plot.top}V${bottom}`;
    shapes.push({ kind: "path", d, stroke: theme.line3, dash: [2, 3] });
    shapes.push({ ...label, ...word, x: at + 5 * side, y: plot.top + 12 });
  }
  return shapes;
}

/** Where the words of the floor stand, below its line. */
export function floorArea({ floorAt: at, plot }: Axes, words: string): Area | null {
  return at === null ? null : { x: plot.left, y: at - 2, width: textWidth(words, 11, false) + 8, height: 18 };
}

const ORIGINAL = "original";
const ORIGINAL_ROOM = 60;

/** Where the word beside the line of the original may stand. */
export function originalArea({ originalAt: at, plot }: Axes): Area | null {
  if (at === null || at < plot.left || at > plot.right) return null;
  const x = at - plot.left > ORIGINAL_ROOM ? at - ORIGINAL_ROOM : at;
  return { x, y: plot.top, width: ORIGINAL_ROOM, height: 18 };
}

/** Of a line one pixel wide, so that it covers one pixel. */
export function crisp(at: number): number {
  return Math.round(at) + 0.5;
}
