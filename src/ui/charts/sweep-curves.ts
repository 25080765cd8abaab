import { scaleLinear, scaleLog } from "d3-scale";
import { type MethodShape, shapePath } from "../parts/scheme-mark.ts";
import type { ChartSize, Drawing, Mark, Shape } from "./chart.ts";
import { type LogScale, percentTick, shownTicks } from "./method-columns.ts";
import type { ChartTheme } from "./theme.ts";

// What pictures of a sweep share: curves over what is varied, all as shares of one reference, which is a line at 100 %.

/** One figure over the reference's; null where that has no value. */
export interface SweepCurvePoint {
  /** Place on the x axis. */
  readonly at: number;
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** What is spoken of it. */
  readonly sentence: string;
}

/** A curve of one kind of figure. `main` has the recipe's colour and shape; the others are thin, whole or broken. */
export interface SweepCurve {
  readonly name: string;
  readonly look: "main" | "whole" | "broken";
  readonly points: readonly SweepCurvePoint[];
}

/** What is drawn. */
export interface SweepCurves {
  readonly curves: readonly SweepCurve[];
  readonly x: {
    readonly isLog: boolean;
    readonly ticks: readonly { readonly at: number; readonly text: string }[];
    readonly title: string;
  };
  /** Name of the line at 100 %. */
  readonly reference: string;
  /** The place that is pointed out, and its word. */
  readonly chosen: { readonly at: number; readonly word: string } | null;
  /** Places that bear a ≈, and what that says of them. */
  readonly like: { readonly at: readonly number[]; readonly words: string };
  /** Colour class of the recipe, its method's shape, and whether it rounds activations too. */
  readonly family: string;
  readonly shape: MethodShape | null;
  readonly isHollow: boolean;
}

const MARGIN = { left: 58, right: 16, top: 20, bottom: 38 } as const;
/** Room for the names of the curves at their ends, where there is any. */
const NAMES = { wide: 148, from: 560, gap: 14 } as const;
/** Room beneath the lowest point for its word. */
const WORD = 20;
const TARGET = 24;
const RADIUS = 3;
/** A low end further down would make a whisker of the whole picture; it is cut there, and told in words. */
const LOWEST_WHISKER = 4;
/** Pixels that a number on the x axis needs. */
const TICK_ROOM = 26;

/** `column`: its place among the points of its curve. */
type Placed = SweepCurvePoint & { readonly value: number; readonly column: number };
type Scale = (value: number) => number;

interface Frame {
  readonly x: Scale;
  readonly y: LogScale;
  readonly bottom: number;
  readonly right: number;
  readonly hasNames: boolean;
}

/** Lays out the curves on a log scale; nothing where no figure has a share. */
export function drawSweepCurves(data: SweepCurves, size: ChartSize, theme: ChartTheme): Drawing {
  const curves = data.curves.map((curve) => ({ ...curve, placed: placedOf(curve) }));
  const placed = curves.flatMap((curve) => curve.placed);
  if (placed.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const hasNames = size.width >= NAMES.from;
  const bottom = size.height - MARGIN.bottom;
  const right = size.width - (hasNames ? NAMES.wide : MARGIN.right);
  const frame = { ...scales(data, placed, right, bottom), bottom, right, hasNames };
  return {
    ...size,
    shapes: [
      ...axes(data, frame, theme),
      ...curves.filter(({ look }) => look !== "main").flatMap((curve) => thinCurve(curve, frame, theme)),
      ...curves.filter(({ look }) => look === "main").flatMap((curve) => mainCurve(curve, data, frame, theme)),
      ...curveNames(curves, data, frame, theme),
    ],
    marks: curves.flatMap(({ placed }, row) => placed.map((point) => markOf(point, row, data, frame))),
  };
}

function placedOf({ points }: SweepCurve): readonly Placed[] {
  return points.flatMap((point, column) =>
    point.value === null || point.value <= 0 ? [] : [{ ...point, value: point.value, column }],
  );
}

function scales({ x }: SweepCurves, placed: readonly Placed[], right: number, bottom: number): Pick<Frame, "x" | "y"> {
  const values = [1, ...placed.map(({ value }) => value)];
  const least = Math.min(...values);
  const lows = placed.flatMap(({ low }) => (low === null ? [] : [Math.max(low, least / LOWEST_WHISKER)]));
  const highs = placed.flatMap(({ high }) => high ?? []);
  const places = x.ticks.map(({ at }) => at);
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const scale = x.isLog ? scaleLog() : scaleLinear();
  // A single place stands in the middle.
  const domain = first < last ? [first, last] : x.isLog ? [first / 2, first * 2] : [first - 1, first + 1];
  return {
    x: scale.domain(domain).range([MARGIN.left + 16, right - 16]),
    y: scaleLog()
      .domain([Math.min(least, ...lows) / 1.05, Math.max(...values, ...highs) * 1.05])
      .range([bottom - WORD, MARGIN.top]),
  };
}

function axes({ x: axis, reference, curves }: SweepCurves, frame: Frame, theme: ChartTheme): readonly Shape[] {
  const { x, y, bottom, right } = frame;
  const label = { kind: "text" as const, fill: theme.ink3, size: 11 };
  // On the side of the line that the curves leave free where they begin.
  const above = curves.filter(({ points }) => (points[0]?.value ?? 0) > 1).length;
  const nameAt = above > 0 && 2 * above >= curves.length ? 13 : -5;
  let last = Number.NEGATIVE_INFINITY;
  const places = axis.ticks.flatMap(({ at, text }): Shape[] => {
    const place = x(at);
    if (place - last < TICK_ROOM) return [{ kind: "path", d: `M${place} ${bottom}v4`, stroke: theme.line3 }];
    last = place;
    return [{ ...label, x: place, y: bottom + 15, text, anchor: "middle" }];
  });
  return [
    ...shownTicks(y).flatMap((value): Shape[] => [
      { kind: "path", d: `M${MARGIN.left} ${y(value)}H${right}`, stroke: theme.line },
      { ...label, x: MARGIN.left - 8, y: y(value) + 4, text: percentTick(value), anchor: "end" },
    ]),
    { kind: "path", d: `M${MARGIN.left} ${bottom + 0.5}H${right}`, stroke: theme.line2 },
    { kind: "path", d: `M${MARGIN.left} ${y(1)}H${right}`, stroke: theme.ink2, dash: [2, 3] },
    { ...label, x: MARGIN.left + 4, y: y(1) + nameAt, text: reference, fill: theme.ink2, halo: theme.paper },
    ...places,
    { ...label, x: right, y: bottom + 31, text: axis.title, anchor: "end" },
  ];
}

function lineOf(placed: readonly Placed[], { x, y }: Frame): string {
  return `M${placed.map(({ at, value }) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`;
}

function thinCurve(
  { look, placed }: { readonly look: SweepCurve["look"]; readonly placed: readonly Placed[] },
  frame: Frame,
  theme: ChartTheme,
): readonly Shape[] {
  if (placed.length === 0) return [];
  const isWhole = look === "whole";
  const dots = placed.map(
    ({ at, value }): Shape => ({
      ...{ kind: "circle", x: frame.x(at), y: frame.y(value), radius: RADIUS, stroke: theme.ink2, strokeWidth: 1.5 },
      fill: isWhole ? theme.ink2 : theme.paper,
    }),
  );
  const d = lineOf(placed, frame);
  return [{ kind: "path", d, stroke: theme.ink2, strokeWidth: 1.25, ...(!isWhole && { dash: [5, 3] }) }, ...dots];
}

/** The divergence: whiskers are its intervals, a ring and a word stand at the place that is pointed out, ≈ above its like. */
function mainCurve(
  { placed }: { readonly placed: readonly Placed[] },
  { chosen, like, family, shape, isHollow }: SweepCurves,
  frame: Frame,
  theme: ChartTheme,
): readonly Shape[] {
  if (placed.length === 0) return [];
  const { x, y } = frame;
  const stroke = theme.families[family] ?? theme.ink;
  const floor = y.domain()[0] ?? 0;
  const ends = ({ value, low, high }: Placed) => ({
    top: y(high ?? value),
    bottom: y(Math.max(low ?? value, floor)),
  });
  const paint = { stroke, strokeWidth: 2, fill: isHollow ? theme.paper : stroke };
  return [
    ...placed.flatMap((point): Shape[] => {
      if (point.low === null || point.high === null) return [];
      const { top, bottom } = ends(point);
      const d = `M${x(point.at)} ${bottom}V${top}m-3 0h6M${x(point.at) - 3} ${bottom}h6`;
      return [{ kind: "path", d, stroke, strokeWidth: 1 }];
    }),
    { kind: "path", d: lineOf(placed, frame), stroke, strokeWidth: 2.5 },
    ...placed.map((point): Shape => {
      const place = { x: x(point.at), y: y(point.value) };
      return shape === null
        ? { kind: "circle", ...place, radius: 4.4, ...paint }
        : { kind: "path", d: shapePath(shape, place.x, place.y), ...paint };
    }),
    ...placed.flatMap((point): Shape[] => {
      const word = { kind: "text" as const, x: x(point.at), fill: theme.ink, halo: theme.paper };
      if (point.at === chosen?.at) {
        const anchor = anchorAt(word.x, frame);
        return [
          { kind: "circle", x: word.x, y: y(point.value), radius: 9, stroke: theme.ink, strokeWidth: 1.5 },
          { ...word, y: ends(point).bottom + 15, text: chosen.word, size: 12, anchor, isBold: true },
        ];
      }
      if (!like.at.includes(point.at)) return [];
      return [{ ...word, y: ends(point).top - 4, text: "≈", size: 12, anchor: "middle" }];
    }),
  ];
}

/** A word at an edge of the picture stands inwards. */
function anchorAt(x: number, { right }: Frame): "start" | "middle" | "end" {
  return x < MARGIN.left + TARGET ? "start" : x > right - TARGET ? "end" : "middle";
}

/** Each curve by its name at its end, kept apart from the others. */
function curveNames(
  curves: readonly (SweepCurve & { readonly placed: readonly Placed[] })[],
  { family }: SweepCurves,
  { y, right, hasNames }: Frame,
  theme: ChartTheme,
): readonly Shape[] {
  if (!hasNames) return [];
  const ends = curves.flatMap(({ name, look, placed }) => {
    const last = placed.at(-1);
    return last === undefined ? [] : [{ name, look, at: y(last.value) }];
  });
  let lowest = Number.NEGATIVE_INFINITY;
  return ends
    .sort((one, other) => one.at - other.at)
    .map(({ name, look, at }): Shape => {
      lowest = Math.max(at, lowest + NAMES.gap);
      const isMain = look === "main";
      const fill = isMain ? (theme.families[family] ?? theme.ink) : theme.ink2;
      return { kind: "text", x: right + 4, y: lowest + 4, text: name, fill, size: isMain ? 12 : 11, isBold: isMain };
    });
}

function markOf(point: Placed, row: number, { chosen, like }: SweepCurves, { x, y }: Frame): Mark {
  const isMain = row === 0;
  const standing =
    isMain && point.at === chosen?.at
      ? `, ${chosen.word}`
      : isMain && like.at.includes(point.at)
        ? `, ${like.words}`
        : "";
  return {
    key: `${row} ${point.column}`,
    ...{ x: x(point.at) - TARGET / 2, y: y(point.value) - TARGET / 2, width: TARGET, height: TARGET },
    sentence: `${point.sentence}${standing}`,
    place: { row, column: point.column },
    isPickable: false,
    isSelected: false,
  };
}
