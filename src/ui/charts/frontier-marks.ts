import { type RecipeLook, type SchemeFill, shapePath } from "../parts/scheme-mark.ts";
import { HATCH, type Mark, type Paint, type Shape } from "./chart.ts";
import { crisp } from "./frontier-axes.ts";
import type { Area } from "./frontier-labels.ts";
import { type FrontierDot, hasHeight, heightsOf, type PlacedDot, type Plot } from "./frontier-points.ts";
import type { ChartTheme } from "./theme.ts";

/** Of a dot, its outline included. */
export const DOT_RADIUS = 6.2;
const RING_RADIUS = 10.2;
/** Marks of the page are drawn in a box of 14; here they are a little larger. */
const SCALE = 1.18;
/** Of what has a size but no height. */
const COLUMN_WIDTH = 12;
/** A touch needs this much. */
const TARGET = 24;
/** Dots that are nearer than this share one target in slices. */
const SAME_PLACE = 4;

/** One dot: circle or the shape of a method, hollow, two halves, cross, and a ring where it is chosen. `size` 1 is that of the main picture. */
export function dotShapes({ dot, x, y }: PlacedDot, theme: ChartTheme, size = 1): readonly Shape[] {
  const scale = SCALE * size;
  const shapes: Shape[] = [];
  // A rim of paper keeps dots apart that lie on each other.
  shapes.push({ kind: "circle", x, y, radius: (DOT_RADIUS + 1) * size, fill: theme.paper, opacity: 0.8 });
  shapes.push(...bodyShapes(dot.look, x, y, scale, theme));
  // Not settled: a broken outline.
  if (dot.isPartial) {
    const dash = [3 * size, 2.6 * size];
    shapes.push({ kind: "circle", x, y, radius: DOT_RADIUS * size, stroke: theme.paper, strokeWidth: 2.4, dash });
  }
  if (dot.isSelected) {
    shapes.push({ kind: "circle", x, y, radius: RING_RADIUS * size, stroke: theme.ink, strokeWidth: 1.5 });
  }
  return shapes;
}

/** Half the widths of the bars at the ends of a whisker and on top of it. */
const BAR = { whisker: 4, cap: 3.5 } as const;

/**
 * The whisker of a dot, its ends marked, and above it, thinner, a line up to its cap.
 * @param part the enlarged picture has no room for caps
 */
export function spreadShapes(
  { dot, x }: PlacedDot,
  y: (error: number) => number,
  part: "whole" | "whisker",
  theme: ChartTheme,
): { readonly shapes: readonly Shape[]; readonly area: Area | null } {
  if (!hasHeight(dot)) return { shapes: [], area: null };
  const heights = heightsOf(dot);
  const [error = 0, ...ends] = heights.map(y);
  const [low = error, high = error] = dot.interval === null ? [] : ends;
  const cap = dot.cap === null || part === "whisker" ? null : Math.min(high, ...ends);
  const stroke = familyColour(dot.look.fills[0]?.family ?? "orig", theme);
  const shapes: Shape[] = [];
  if (cap !== null && cap < high) {
    const d = `M${x} ${high}V${cap}M${x - BAR.cap} ${cap}h${2 * BAR.cap}`;
    shapes.push({ kind: "path", d, stroke, strokeWidth: 1, opacity: 0.6 });
  }
  if (dot.interval !== null) {
    const bars = [low, high].map((end) => `M${x - BAR.whisker} ${end}h${2 * BAR.whisker}`).join("");
    shapes.push({ kind: "path", d: `M${x} ${low}V${high}${bars}`, stroke, strokeWidth: 1.5 });
  }
  const top = cap ?? high;
  if (shapes.length === 0) return { shapes, area: null };
  return { shapes, area: { x: x - BAR.whisker, y: top, width: 2 * BAR.whisker, height: low - top } };
}

function bodyShapes(look: RecipeLook, x: number, y: number, scale: number, theme: ChartTheme): Shape[] {
  const { fills, isPruned, shape } = look;
  const [only, last] = fills;
  const shapes: Shape[] = [];
  if (only !== undefined && last !== undefined) {
    const [gap, half, radius] = [0.6 * scale, 4.3 * scale, 4.35 * scale];
    const left = `M${x - gap} ${y - half}a${radius} ${radius} 0 0 0 0 ${2 * half}z`;
    const right = `M${x + gap} ${y - half}a${radius} ${radius} 0 0 1 0 ${2 * half}z`;
    shapes.push({ kind: "path", d: left, ...fillPaint(only, 1.4 * scale, theme) });
    shapes.push({ kind: "path", d: right, ...fillPaint(last, 1.4 * scale, theme) });
  } else if (only !== undefined && shape !== undefined) {
    shapes.push({ kind: "path", d: shapePath(shape, x, y, scale), ...fillPaint(only, 1.4 * scale, theme) });
  } else if (only !== undefined) {
    shapes.push({ kind: "circle", x, y, radius: 4.4 * scale, ...fillPaint(only, 2 * scale, theme) });
  }
  if (isPruned) {
    const isInside = only !== undefined && !only.isHollow;
    const arm = (only === undefined ? 4.5 : 2.4) * scale;
    const stroke = isInside ? theme.paper : familyColour(only?.family ?? "orig", theme);
    shapes.push({ kind: "path", d: crossPath(x, y, arm), stroke, strokeWidth: 1.8 * scale });
  }
  return shapes;
}

function fillPaint(fill: SchemeFill, strokeWidth: number, theme: ChartTheme): Paint {
  const colour = familyColour(fill.family, theme);
  return { fill: fill.isHollow ? theme.paper : colour, stroke: colour, strokeWidth };
}

function familyColour(family: string, theme: ChartTheme): string {
  return theme.families[family] ?? theme.ink;
}

function crossPath(x: number, y: number, arm: number): string {
  return `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x + arm} ${y - arm}L${x - arm} ${y + arm}`;
}

/** What has a size but no height: hatched while it waits, soft with a cross where it failed, empty with a dash elsewhere. */
export interface Column {
  readonly dot: FrontierDot;
  readonly x: number;
}

/** Columns as high as the plot. Those that touch are drawn as one. */
export function columnShapes(columns: readonly Column[], plot: Plot, theme: ChartTheme): readonly Shape[] {
  const height = plot.bottom - plot.top;
  const of = (kind: ColumnKind): readonly Column[] => columns.filter(({ dot }) => columnKind(dot) === kind);
  const rects = (kind: ColumnKind, paint: Paint): Shape[] =>
    joined(of(kind)).map(({ x, width }) => ({ kind: "rect", x, y: plot.top, width, height, ...paint }));
  const [middle, arm] = [plot.top + 12, 4.2];
  return [
    ...rects("waiting", { fill: HATCH, stroke: theme.line }),
    ...rects("unknown", { fill: theme.sunk }),
    ...rects("failed", { fill: theme.fail, opacity: 0.1 }),
    ...of("unknown").map(
      ({ x }): Shape => ({
        kind: "path",
        d: `M${x - arm} ${crisp(middle)}h${2 * arm}`,
        stroke: theme.ink3,
        strokeWidth: 1.6,
      }),
    ),
    ...of("failed").map(
      ({ x }): Shape => ({ kind: "path", d: crossPath(x, middle, arm), stroke: theme.fail, strokeWidth: 1.8 }),
    ),
    ...columns
      .filter(({ dot }) => dot.isSelected)
      .map(({ x }): Shape => {
        const box = { x: crisp(x - COLUMN_WIDTH / 2) - 2, y: plot.top, width: COLUMN_WIDTH + 3, height };
        return { kind: "rect", ...box, radius: 3, stroke: theme.ink, strokeWidth: 1.5 };
      }),
  ];
}

type ColumnKind = "waiting" | "unknown" | "failed";

function columnKind(dot: FrontierDot): ColumnKind {
  if (dot.hasFailed) return "failed";
  return dot.place === "unknown" ? "unknown" : "waiting";
}

function joined(columns: readonly Column[]): readonly { readonly x: number; readonly width: number }[] {
  const spans: { x: number; width: number }[] = [];
  for (const middle of columns.map(({ x }) => x).sort((a, b) => a - b)) {
    const start = middle - COLUMN_WIDTH / 2;
    const last = spans.at(-1);
    if (last !== undefined && start < last.x + last.width) last.width = start + COLUMN_WIDTH - last.x;
    else spans.push({ x: start, width: COLUMN_WIDTH });
  }
  return spans;
}

/** Places that can be reached and pressed. */
export function hitMarks(dots: readonly PlacedDot[], columns: readonly Column[], plot: Plot): readonly Mark[] {
  const boxes = [
    ...dots.map(({ dot, x, y }) => ({ dot, x, y, top: y - TARGET / 2, bottom: y + TARGET / 2 })),
    ...columns.map(({ dot, x }) => ({ dot, x, y: plot.top, top: plot.top, bottom: plot.bottom })),
  ].map(({ dot, x, y, top, bottom }) => ({ dot, x, y, left: x - TARGET / 2, right: x + TARGET / 2, top, bottom }));
  for (const [index, one] of boxes.entries()) {
    for (const other of boxes.slice(index + 1)) partBoxes(one, other);
  }
  sliceSame(boxes);
  return boxes.map(({ dot, left, right, top, bottom }) => ({
    key: dot.key,
    x: left,
    y: top,
    width: Math.max(1, right - left),
    height: Math.max(1, bottom - top),
    sentence: dot.sentence,
    isPickable: true,
    isSelected: dot.isSelected,
  }));
}

interface Box {
  readonly x: number;
  readonly y: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Two targets that overlap meet half way between their dots, so that each can be pressed. */
function partBoxes(one: Box, other: Box): void {
  const overlaps = one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
  if (!overlaps || isSamePlace(one, other)) return;
  const isAcross = Math.abs(one.x - other.x) >= Math.abs(one.y - other.y);
  if (isAcross) {
    const [left, right] = one.x <= other.x ? [one, other] : [other, one];
    const middle = (left.x + right.x) / 2;
    left.right = Math.min(left.right, middle);
    right.left = Math.max(right.left, middle);
  } else {
    const [upper, lower] = one.y <= other.y ? [one, other] : [other, one];
    const middle = (upper.y + lower.y) / 2;
    upper.bottom = Math.min(upper.bottom, middle);
    lower.top = Math.max(lower.top, middle);
  }
}

function isSamePlace(one: Box, other: Box): boolean {
  return Math.abs(one.x - other.x) < SAME_PLACE && Math.abs(one.y - other.y) < SAME_PLACE;
}

/** Dots at one place share its target from left to right. */
function sliceSame(boxes: readonly Box[]): void {
  const seen = new Set<Box>();
  for (const box of boxes) {
    if (seen.has(box)) continue;
    const group = boxes.filter((other) => !seen.has(other) && isSamePlace(box, other));
    for (const member of group) seen.add(member);
    if (group.length < 2) continue;
    const left = Math.min(...group.map((member) => member.left));
    const width = (Math.max(...group.map((member) => member.right)) - left) / group.length;
    for (const [index, member] of group.entries()) {
      member.left = left + index * width;
      member.right = member.left + width;
    }
  }
}
