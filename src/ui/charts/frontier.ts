import type { Chart, ChartSize, Drawing, Mark, Shape } from "./chart.ts";
import { axisShapes, floorArea, layOutAxes, originalArea } from "./frontier-axes.ts";
import { type Inset, insetShapes, layOutInset } from "./frontier-inset.ts";
import { type Area, type LabelGround, type LabelWish, labelFill, placeLabels } from "./frontier-labels.ts";
import { type Column, columnShapes, DOT_RADIUS, dotShapes, hitMarks, spreadShapes } from "./frontier-marks.ts";
import {
  type FrontierData,
  type FrontierDot,
  hasHeight,
  type PlacedDot,
  type Plot,
  readingOrder,
} from "./frontier-points.ts";
import { frontierTable } from "./frontier-words.ts";
import type { ChartTheme } from "./theme.ts";

/** Schemes by true size and error: which of them is worth its bits. */
export const frontierChart: Chart<FrontierData> = {
  name: "frontier",
  draw: drawFrontier,
  caption: (data) => data.caption,
  table: frontierTable,
};

/** Key of the mark that stands for a crowd; no scheme is called so. */
const CROWD_KEY = " crowd";
/** Likewise of the line across. */
const FLOOR_KEY = " floor";

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Lays out the picture. It keeps to the width and is 440 pixels high, or 300 where it is narrow. */
export function drawFrontier(all: FrontierData, size: ChartSize, theme: ChartTheme): Drawing {
  const data = sized(all);
  if (data.points.length === 0) return { width: size.width, height: 0, shapes: [], marks: [] };
  const axes = layOutAxes(data, size.width);
  const { plot } = axes;
  const order = readingOrder(data.points);
  const dots = order.filter(hasHeight).map((dot): PlacedDot => ({ dot, x: axes.x(dot.bits), y: axes.y(dot.error) }));
  const columns = order.filter((dot) => !hasHeight(dot)).map((dot): Column => ({ dot, x: axes.x(dot.bits) }));
  const onLine = dots.filter(({ dot }) => dot.place === "line");
  const step = stepLine(onLine);
  const columnAreas = columns.map(({ x }) => ({ x: x - 7, y: plot.top, width: 14, height: plot.bottom - plot.top }));
  const spreads = dots.map((dot) => spreadShapes(dot, axes.y, "whole", theme));
  const spreadAreas = spreads.flatMap(({ area }) => (area === null ? [] : [area]));
  const floor = data.floor === null ? null : floorArea(axes, data.floor.words);
  const inset = layOutInset(dots, [...columnAreas, ...spreadAreas, ...(floor ? [floor] : [])], step, plot, size.width);
  const original = originalArea(axes);
  const labels = placeLabels(wishes(dots, columns, inset, theme), {
    plot,
    blocked: [
      ...dots.map(dotArea),
      ...columns.map((column) => columnHead(column, plot)),
      ...(inset === null ? [] : [inset.frame]),
      ...(original === null ? [] : [original]),
      ...(floor === null ? [] : [floor]),
    ],
    dots,
    lines: [step],
    soft: [...columnAreas, ...spreadAreas],
    colourAt: colourBelow(onLine, theme),
  });
  return {
    width: Math.max(size.width, plot.right),
    height: axes.height,
    shapes: [
      { kind: "path", d: groundPath(step, plot), fill: theme.beaten },
      ...axisShapes(axes, data, theme),
      ...columnShapes(columns, plot, theme),
      { kind: "path", d: polyline(step), stroke: theme.ink, strokeWidth: 1.5, opacity: 0.55 },
      ...spreads.flatMap(({ shapes }) => shapes),
      ...drawingOrder(dots).flatMap((dot) => dotShapes(dot, theme)),
      ...labels.flatMap((label) => label.shapes),
      ...(inset === null ? [] : enlargement(inset, onLine, theme)),
    ],
    marks: [
      // Below the others: what it covers can still be pressed.
      ...(data.floor === null || floor === null ? [] : [floorMark(data.floor.sentence, floor)]),
      ...(inset === null ? hitMarks(dots, columns, plot) : marksWithCrowd(inset, dots, columns, plot)),
    ],
  };
}

/** What has a size: a model without weights has no bits per weight. */
function sized(data: FrontierData): FrontierData {
  const { points, original } = data;
  return {
    ...data,
    points: points.filter(({ bits }) => Number.isFinite(bits)),
    original: original !== null && Number.isFinite(original.bits) ? original : null,
  };
}

function floorMark(sentence: string, area: Area): Mark {
  return { ...area, height: 24, key: FLOOR_KEY, sentence, isPickable: false, isSelected: false };
}

/** Through the dots on the line: to the right as long as nothing errs less, then down. */
function stepLine(dots: readonly Point[]): readonly Point[] {
  return dots.flatMap((dot, index) => {
    const before = dots[index - 1];
    return before === undefined ? [dot] : [{ x: dot.x, y: before.y }, dot];
  });
}

/** Everything that is no smaller and errs no less than a dot on the line. */
function groundPath(step: readonly Point[], plot: Plot): string {
  const [first, last] = [step[0], step.at(-1)];
  if (first === undefined || last === undefined) return "";
  return `${polyline(step)}H${plot.right}V${plot.top}H${first.x}z`;
}

function polyline(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

/** A line that was pressed into a frame, without the runs along its edges. */
function runsWithin(step: readonly Point[], { left, right, top, bottom }: Plot): string {
  const isEdge = (from: Point, to: Point): boolean =>
    (from.x === to.x && (to.x <= left || to.x >= right)) || (from.y === to.y && (to.y <= top || to.y >= bottom));
  return step
    .slice(1)
    .map((to, index) => ({ from: step[index] ?? to, to }))
    .filter(({ from, to }) => !isEdge(from, to))
    .map(({ from, to }) => polyline([from, to]))
    .join("");
}

/** The colour that lies below a text: that of the beaten ground only where all of it is. */
function colourBelow(onLine: readonly Point[], theme: ChartTheme): LabelGround["colourAt"] {
  return ({ x, y, height }) => (onLine.some((dot) => dot.x <= x && y + height <= dot.y) ? theme.beaten : theme.paper);
}

/** What is beaten lies below, the chosen one on top. */
function drawingOrder(dots: readonly PlacedDot[]): readonly PlacedDot[] {
  return [...dots].sort((a, b) => rank(b.dot) - rank(a.dot));
}

/** Who is named first and drawn last. */
function rank({ isSelected, place }: FrontierDot): number {
  if (isSelected) return 0;
  return place === "line" ? 1 : place === "tied" ? 2 : 3;
}

function wishes(
  dots: readonly PlacedDot[],
  columns: readonly Column[],
  inset: Inset | null,
  theme: ChartTheme,
): readonly LabelWish[] {
  const named = dots.filter(({ dot }) => inset === null || !inset.members.has(dot.key) || dot.isSelected);
  return [
    ...[...named]
      .sort((a, b) => rank(a.dot) - rank(b.dot))
      .map((dot) => wish(dot, dot.dot.isSelected ? 13 : 10, theme)),
    ...columns.map(({ dot, x }) => ({ ...wish({ dot, x, y: 0 }, 10, theme), isColumn: true })),
  ];
}

function wish({ dot, x, y }: PlacedDot, reach: number, theme: ChartTheme): LabelWish {
  const { name, note, place } = dot;
  return {
    name,
    note,
    x,
    y,
    reach,
    isBold: place === "line",
    fill: labelFill(place, theme),
    noteFill: theme.ink3,
    isColumn: false,
  };
}

function dotArea({ dot, x, y }: PlacedDot): Area {
  const reach = DOT_RADIUS + (dot.isSelected ? 4 : 0);
  return { x: x - reach, y: y - reach, width: 2 * reach, height: 2 * reach };
}

/** Where a column bears its sign; the chosen one keeps its outline free. */
function columnHead({ dot, x }: Column, { top, bottom }: Plot): Area {
  if (dot.isSelected) return { x: x - 9, y: top, width: 18, height: bottom - top };
  return { x: x - 6, y: top, width: 12, height: dot.place === "waiting" ? 0 : 22 };
}

function enlargement(inset: Inset, onLine: readonly PlacedDot[], theme: ChartTheme): readonly Shape[] {
  const { view } = inset;
  const step = stepLine(onLine.map(({ dot }) => inset.at(dot.bits, dot.error ?? 0)));
  const names = placeLabels(
    [...inset.dots]
      .sort((a, b) => rank(a.dot) - rank(b.dot))
      .map((dot) => wish(dot, dot.dot.isSelected ? 12 : 9, theme)),
    {
      plot: { ...view, right: view.right - 4 },
      blocked: inset.dots.map(dotArea),
      dots: inset.dots,
      lines: [step],
      soft: inset.yTicks.map(({ at }) => ({ x: view.right - 40, y: at - 14, width: 40, height: 14 })),
      colourAt: colourBelow(step, theme),
    },
  );
  return insetShapes(
    inset,
    groundPath(step, view),
    runsWithin(step, view),
    names.flatMap((label) => label.shapes),
    theme,
  );
}

/** Members of a crowd are reached where they are enlarged; the crowd itself says so. */
function marksWithCrowd(
  inset: Inset,
  dots: readonly PlacedDot[],
  columns: readonly Column[],
  plot: Plot,
): readonly Mark[] {
  const apart = dots.filter(({ dot }) => !inset.members.has(dot.key));
  const names = inset.dots.map(({ dot }) => dot.name).join(", ");
  const crowd: Mark = {
    ...inset.crowd,
    key: CROWD_KEY,
    sentence: `${inset.dots.length} schemes close together, enlarged beside: ${names}`,
    isPickable: false,
    isSelected: false,
  };
  return [...hitMarks(apart, columns, plot), crowd, ...hitMarks(inset.dots, [], plot)];
}
