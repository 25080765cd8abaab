import { scaleLinear, scaleLog } from "d3-scale";
import type { Shape } from "./chart.ts";
import { crisp } from "./frontier-axes.ts";
import { type Area, crossingsOf, type LabelGround, overlaps } from "./frontier-labels.ts";
import { DOT_RADIUS, dotShapes, spreadShapes } from "./frontier-marks.ts";
import { hasHeight, heightsOf, type PlacedDot, type Plot } from "./frontier-points.ts";
import type { ChartTheme } from "./theme.ts";

/** Narrower pictures have no room to enlarge anything. */
const NARROWEST = 720;
/** Fewer dots are told apart without. */
const CROWD = 4;
/** Dots whose middles are nearer than this touch. */
const NEAR = 2 * (DOT_RADIUS + 1);
/** A crowd as large as that has room of its own. */
const LARGEST = { width: 110, height: 80 } as const;
/** Sizes to try, as shares of the plot, best first. */
const SIZES = [
  { width: 0.48, height: 0.51 },
  { width: 0.38, height: 0.44 },
  { width: 0.32, height: 0.38 },
] as const;
const MARGIN = 8;
/** Within the frame: for its title, figures at the right, and the names. */
const PAD = { left: 64, right: 104, top: 28, bottom: 30 } as const;
const TITLE_HEIGHT = 23;
/** Of a dot in the inset. */
const INSET_SIZE = 0.9;

/** A part of the picture, enlarged. */
export interface Inset {
  readonly frame: Area;
  /** The frame without its title. */
  readonly view: Plot;
  /** What it enlarges, around the dots in the main picture. */
  readonly crowd: Area;
  readonly members: ReadonlySet<string>;
  /** The members where they lie in the frame. */
  readonly dots: readonly PlacedDot[];
  /** A point of the main picture in the frame, at its edge where it lies beyond. */
  readonly at: (bits: number, error: number) => { readonly x: number; readonly y: number };
  readonly yTicks: readonly { readonly at: number; readonly text: string }[];
}

/** The largest crowd of dots that touch, enlarged where nothing else lies; null where there is none, or no room. */
export function layOutInset(
  dots: readonly PlacedDot[],
  blocked: readonly Area[],
  line: LabelGround["lines"][number],
  plot: Plot,
  width: number,
): Inset | null {
  if (width < NARROWEST) return null;
  const crowd = largestCrowd(dots.filter(({ dot }) => (dot.error ?? 0) > 0));
  if (crowd.length < CROWD) return null;
  const area = around(crowd, 12);
  if (area.width > LARGEST.width || area.height > LARGEST.height) return null;
  const others = [...blocked, ...dots.map(({ x, y }) => ({ x: x - 12, y: y - 12, width: 24, height: 24 }))];
  const frame = freeFrame([...others, area], line, plot);
  return frame === null ? null : enlarge(crowd, area, frame);
}

function largestCrowd(dots: readonly PlacedDot[]): readonly PlacedDot[] {
  let largest: readonly PlacedDot[] = [];
  const left = new Set(dots);
  for (const seed of dots) {
    if (!left.delete(seed)) continue;
    const crowd = [seed];
    // Grows while it is walked: whoever touches a member is one.
    for (const member of crowd) {
      for (const other of left) {
        if (Math.hypot(member.x - other.x, member.y - other.y) >= NEAR) continue;
        left.delete(other);
        crowd.push(other);
      }
    }
    if (crowd.length > largest.length) largest = crowd;
  }
  return largest;
}

function around(dots: readonly PlacedDot[], by: number): Area {
  const [xs, ys] = [dots.map(({ x }) => x), dots.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs) - by, Math.min(...ys) - by];
  return { x: left, y: top, width: Math.max(...xs) + by - left, height: Math.max(...ys) + by - top };
}

/** The first place of the largest size that covers neither dots nor the line. */
function freeFrame(blocked: readonly Area[], line: LabelGround["lines"][number], plot: Plot): Area | null {
  const [across, down] = [plot.right - plot.left, plot.bottom - plot.top];
  for (const size of SIZES) {
    const [width, height] = [Math.round(across * size.width), Math.round(down * size.height)];
    const places = [
      { x: plot.right - width, y: plot.top + MARGIN },
      { x: plot.left + MARGIN, y: plot.bottom - height - MARGIN },
      { x: plot.right - width, y: plot.bottom - height - MARGIN },
    ];
    for (const { x, y } of places) {
      const frame = { x: crisp(x), y: crisp(y), width: width - 1, height };
      if (!blocked.some((other) => overlaps(frame, other)) && crossingsOf(frame, line) === 0) return frame;
    }
  }
  return null;
}

function enlarge(crowd: readonly PlacedDot[], area: Area, frame: Area): Inset {
  const bits = crowd.map(({ dot }) => dot.bits);
  const errors = crowd.flatMap(({ dot }) => (hasHeight(dot) ? heightsOf({ ...dot, cap: null }) : []));
  const view = {
    left: frame.x,
    right: frame.x + frame.width,
    top: frame.y + TITLE_HEIGHT,
    bottom: frame.y + frame.height,
  };
  const x = scaleLinear()
    .domain(widened(bits))
    .range([view.left + PAD.left, view.right - PAD.right]);
  const [least, most] = [Math.min(...errors), Math.max(...errors)];
  const y = scaleLog()
    .domain(least === most ? [least / 1.1, most * 1.1] : [least, most])
    .range([view.bottom - PAD.bottom, view.top + PAD.top]);
  const wholeX = scaleLinear()
    .domain([x.invert(view.left), x.invert(view.right)])
    .range([view.left, view.right])
    .clamp(true);
  const wholeY = scaleLog()
    .domain([y.invert(view.bottom), y.invert(view.top)])
    .range([view.bottom, view.top])
    .clamp(true);
  const inner = scaleLinear().domain([y.invert(view.bottom - 8), y.invert(view.top + 16)]);
  const ticks = inner.ticks(3);
  const write = inner.tickFormat(3);
  return {
    frame,
    view,
    crowd: area,
    members: new Set(crowd.map(({ dot }) => dot.key)),
    dots: movedApart(crowd.map(({ dot }) => ({ dot, x: x(dot.bits), y: y(dot.error ?? 0) }))),
    at: (size, error) => ({ x: wholeX(size), y: error <= 0 ? view.bottom : wholeY(error) }),
    yTicks: ticks.map((value) => ({ at: y(value), text: write(value) })),
  };
}

function widened(values: readonly number[]): readonly [number, number] {
  const [first, last] = [Math.min(...values), Math.max(...values)];
  return first === last ? [first - 0.5, last + 0.5] : [first, last];
}

/** Here, and here only, dots of one size move sideways until they no longer hide each other. */
function movedApart(dots: readonly PlacedDot[]): readonly PlacedDot[] {
  const placed: PlacedDot[] = [];
  for (const dot of [...dots].sort((a, b) => a.x - b.x || a.y - b.y)) {
    let { x } = dot;
    while (placed.some((other) => Math.hypot(other.x - x, other.y - dot.y) < NEAR + 1)) x += 2;
    placed.push({ ...dot, x });
  }
  return placed;
}

/** The frame with its title and lines; `ground` and `line` are what of the main picture lies within. */
export function insetShapes(
  inset: Inset,
  ground: string,
  line: string,
  names: readonly Shape[],
  theme: ChartTheme,
): readonly Shape[] {
  const { frame, crowd } = inset;
  const right = frame.x + frame.width;
  const label = { kind: "text" as const, size: 11 };
  const title = `${inset.dots.length} close together, enlarged`;
  const box = { kind: "rect" as const, ...frame, radius: 2 };
  return [
    { kind: "path", d: bracket(crowd, frame), stroke: theme.line },
    { kind: "rect", ...crowd, radius: 2, stroke: theme.line2 },
    { ...box, fill: theme.paper },
    { kind: "path", d: ground, fill: theme.beaten },
    ...inset.yTicks.flatMap(({ at, text }): Shape[] => [
      { kind: "path", d: `M${frame.x} ${crisp(at)}H${right}`, stroke: theme.line },
      { ...label, x: right - 6, y: at - 4, text, fill: theme.ink3, anchor: "end" },
    ]),
    { kind: "path", d: line, stroke: theme.ink, strokeWidth: 1.5, opacity: 0.55 },
    { ...box, stroke: theme.line2 },
    { ...label, x: frame.x + 10, y: frame.y + 16, text: title, fill: theme.ink2 },
    ...inset.dots.flatMap((dot) => spreadShapes(dot, (error) => inset.at(0, error).y, "whisker", theme).shapes),
    ...inset.dots.flatMap((dot) => dotShapes(dot, theme, INSET_SIZE)),
    ...names,
  ];
}

/** Two lines from the crowd to the frame, corner to corner on the sides that face each other. */
function bracket(crowd: Area, frame: Area): string {
  const [crowdRight, crowdBottom] = [crowd.x + crowd.width, crowd.y + crowd.height];
  const [right, bottom] = [frame.x + frame.width, frame.y + frame.height];
  if (frame.x >= crowdRight)
    return `M${crowdRight} ${crowd.y}L${frame.x} ${frame.y}M${crowdRight} ${crowdBottom}L${frame.x} ${bottom}`;
  if (right <= crowd.x)
    return `M${crowd.x} ${crowd.y}L${right} ${frame.y}M${crowd.x} ${crowdBottom}L${right} ${bottom}`;
  const [from, to] = frame.y >= crowdBottom ? [crowdBottom, frame.y] : [crowd.y, bottom];
  return `M${crowd.x} ${from}L${frame.x} ${to}M${crowdRight} ${from}L${right} ${to}`;
}
