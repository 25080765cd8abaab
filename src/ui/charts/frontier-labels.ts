import type { Shape } from "./chart.ts";
import type { Plot } from "./frontier-points.ts";
import type { ChartTheme } from "./theme.ts";

/** A rectangle in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** One name beside its dot. */
export interface LabelWish {
  readonly name: string;
  /** A second line, dropped before the name is; or empty. */
  readonly note: string;
  readonly x: number;
  readonly y: number;
  /** Pixels between the dot's middle and the text. */
  readonly reach: number;
  readonly isBold: boolean;
  readonly fill: string;
  readonly noteFill: string;
  /** Its dot is a column: the name stands at the top of it. */
  readonly isColumn: boolean;
}

/** What labels keep clear of. */
export interface LabelGround {
  readonly plot: Plot;
  /** Nothing is written there. */
  readonly blocked: readonly Area[];
  /** The middles of all dots: a name never stands nearer to another dot than to its own. */
  readonly dots: readonly { readonly x: number; readonly y: number }[];
  /** Lines, as polylines of horizontal and vertical runs; text rather stays off them. */
  readonly lines: readonly (readonly { readonly x: number; readonly y: number }[])[];
  /** Text rather stays off these, but may stand there. */
  readonly soft: readonly Area[];
  /** The colour below an area. */
  readonly colourAt: (area: Area) => string;
}

/** A label where it found room. */
export interface PlacedLabel {
  readonly area: Area;
  readonly shapes: readonly Shape[];
  /** The dot that it names. */
  readonly dot: { readonly x: number; readonly y: number };
}

const SIZE = { name: 12, note: 11 } as const;
const LINE_HEIGHT = 14;
/** Of a line of text, above its baseline and below it. */
const ASCENT = 9.5;
const DESCENT = 3;
/** Dots as near as that are taken for each other. */
const NEIGHBOUR = 28;
const RIM = 2;
/** Between two names. */
const APART = 3;
/** A name takes at most this share of the plot. */
const WIDEST_SHARE = 0.42;
const COST = { line: 6, astray: 9, turned: 7, soft: 2, order: 1 } as const;

/** Where a label may stand: by its dot, nearest first. `dx` and `dy` in reaches; the text grows away from the dot. */
const PLACES = [
  { dx: -1, dy: 0.9, anchor: "end" },
  { dx: 1, dy: -0.8, anchor: "start" },
  { dx: -1, dy: 0, anchor: "end" },
  { dx: 1, dy: 0, anchor: "start" },
  { dx: 1, dy: 0.9, anchor: "start" },
  { dx: -1, dy: -0.8, anchor: "end" },
  { dx: 0, dy: 1.7, anchor: "middle" },
  { dx: 0, dy: -1.5, anchor: "middle" },
  { dx: -1.2, dy: 2, anchor: "end" },
  { dx: 1.2, dy: -2, anchor: "start" },
  { dx: 1.2, dy: 2, anchor: "start" },
  { dx: -1.2, dy: -2, anchor: "end" },
] as const;

/** Rows below the top of a column where its name may stand. */
const COLUMN_ROWS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** Places labels in the order given; one that finds no room is left out. */
export function placeLabels(wishes: readonly LabelWish[], ground: LabelGround): readonly PlacedLabel[] {
  const placed: PlacedLabel[] = [];
  for (const wish of wishes) {
    const label =
      (wish.note === "" ? null : bestPlace(wish, wish.note, ground, placed)) ?? bestPlace(wish, "", ground, placed);
    if (label !== null) placed.push(label);
  }
  return placed;
}

interface Candidate {
  readonly area: Area;
  readonly textX: number;
  readonly anchor: "start" | "middle" | "end";
  readonly order: number;
}

function bestPlace(
  wish: LabelWish,
  note: string,
  ground: LabelGround,
  placed: readonly PlacedLabel[],
): PlacedLabel | null {
  const { plot } = ground;
  const most = (plot.right - plot.left) * WIDEST_SHARE;
  const name = cutToWidth(wish.name, most, SIZE.name, wish.isBold);
  if (textWidth(note, SIZE.note, false) > most * 1.3) return null;
  const width = Math.max(textWidth(name, SIZE.name, wish.isBold), textWidth(note, SIZE.note, false));
  const height = ASCENT + DESCENT + (note === "" ? 0 : LINE_HEIGHT);
  let best: { readonly candidate: Candidate; readonly cost: number } | null = null;
  for (const candidate of candidates(wish, width, height, plot)) {
    const { area } = candidate;
    if (!isInside(area, plot)) continue;
    const roomy = grown(area, APART);
    if (ground.blocked.some((other) => overlaps(area, other)) || placed.some((other) => overlaps(roomy, other.area)))
      continue;
    const crossings = ground.lines.reduce((sum, line) => sum + crossingsOf(rimmed(area), line), 0);
    const soft = ground.soft.filter((other) => overlaps(area, other)).length;
    const astray = !wish.isColumn && isAstray(area, wish, ground.dots) ? COST.astray : 0;
    const turned = wish.isColumn ? 0 : placed.filter((other) => isTurned(area, wish, other)).length;
    const cost =
      candidate.order * COST.order + crossings * COST.line + soft * COST.soft + astray + turned * COST.turned;
    if (best === null || cost < best.cost) best = { candidate, cost };
  }
  // A second line is worth some room, not a crossing.
  if (best === null || (note !== "" && best.cost >= COST.line)) return null;
  return labelOf(wish, name, note, best.candidate, ground.colourAt(best.candidate.area));
}

function* candidates(wish: LabelWish, width: number, height: number, plot: Plot): Generator<Candidate> {
  const { x, y, reach } = wish;
  if (wish.isColumn) {
    for (const row of COLUMN_ROWS) {
      const top = plot.top + 5 + row * (LINE_HEIGHT + 2);
      for (const [side, anchor] of (["start", "end"] as const).entries()) {
        const left = anchor === "start" ? x + reach : x - reach - width;
        const textX = anchor === "start" ? left : left + width;
        yield { area: { x: left, y: top, width, height }, textX, anchor, order: 2 * row + side };
      }
    }
    return;
  }
  for (const [order, { dx, dy, anchor }] of PLACES.entries()) {
    const textX = x + dx * reach;
    const left = anchor === "start" ? textX : anchor === "end" ? textX - width : textX - width / 2;
    // A block of two lines hangs below its dot and stands above it.
    const top = y + dy * reach - (dy < 0 ? height - 4 : dy > 0 ? 6 : height / 2);
    yield { area: { x: left, y: top, width, height }, textX, anchor, order };
  }
}

function labelOf(wish: LabelWish, name: string, note: string, at: Candidate, halo: string): PlacedLabel {
  const { area, textX: x, anchor } = at;
  const text = { kind: "text" as const, x, anchor, halo };
  const shapes: Shape[] = [
    { ...text, y: area.y + ASCENT, text: name, fill: wish.fill, size: SIZE.name, isBold: wish.isBold },
  ];
  if (note !== "")
    shapes.push({ ...text, y: area.y + ASCENT + LINE_HEIGHT, text: note, fill: wish.noteFill, size: SIZE.note });
  return { area, shapes, dot: { x: wish.x, y: wish.y } };
}

/** Colours of names: on the line, as good as on it, beaten. */
export function labelFill(place: string, theme: ChartTheme): string {
  return place === "line" ? theme.ink : theme.ink2;
}

export function overlaps(one: Area, other: Area): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

/** Whether a reader would take the name for that of another dot. */
function isAstray(area: Area, own: PlacedLabel["dot"], dots: LabelGround["dots"]): boolean {
  const reach = distance(area, own);
  return dots.some((dot) => (dot.x !== own.x || dot.y !== own.y) && distance(area, dot) < reach);
}

/** Whether two names stand above each other the other way round than their dots, which are near each other. */
function isTurned(area: Area, own: PlacedLabel["dot"], other: PlacedLabel): boolean {
  const [across, down] = [Math.abs(own.x - other.dot.x), own.y - other.dot.y];
  if (across > NEIGHBOUR || Math.abs(down) > NEIGHBOUR || down === 0) return false;
  const isStacked = area.x < other.area.x + other.area.width && other.area.x < area.x + area.width;
  return isStacked && area.y > other.area.y !== down > 0;
}

function distance({ x, y, width, height }: Area, dot: PlacedLabel["dot"]): number {
  const across = Math.max(x - dot.x, 0, dot.x - x - width);
  const down = Math.max(y - dot.y, 0, dot.y - y - height);
  return Math.hypot(across, down);
}

function grown({ x, y, width, height }: Area, by: number): Area {
  return { x: x - by, y: y - by / 2, width: width + 2 * by, height: height + by };
}

/** With the outline that keeps a text apart from what it lies on. */
function rimmed({ x, y, width, height }: Area): Area {
  return { x: x - RIM, y: y - RIM, width: width + 2 * RIM, height: height + 2 * RIM };
}

function isInside({ x, y, width, height }: Area, plot: Plot): boolean {
  return x >= plot.left + 2 && x + width <= plot.right && y >= plot.top && y + height <= plot.bottom - 1;
}

/** How many runs of a polyline pass through an area. */
export function crossingsOf(area: Area, line: LabelGround["lines"][number]): number {
  return line.slice(1).filter((to, index) => {
    const from = line[index] ?? to;
    const run = {
      x: Math.min(from.x, to.x) - 0.5,
      y: Math.min(from.y, to.y) - 0.5,
      width: Math.abs(from.x - to.x) + 1,
      height: Math.abs(from.y - to.y) + 1,
    };
    return overlaps(area, run);
  }).length;
}

/** Widths of letters by their kind, in heights of the type: those of DejaVu Sans, the widest face that a page falls back to. */
const LETTERS: readonly (readonly [RegExp, number])[] = [
  [/[ijlI.,:;|'!()[\]ftr\u2009 ]/, 0.38],
  [/[mwMW@%=≈…—]/, 0.95],
  [/[A-Z]/, 0.72],
  [/[\u0000-\u02ff\u2190-\u22ff]/, 0.63],
];
const WIDEST_LETTER = 1;
const BOLD = 1.13;

/** About how wide a text is in pixels; a picture cannot measure. */
export function textWidth(text: string, size: number, isBold: boolean): number {
  let width = 0;
  for (const letter of text) width += LETTERS.find(([kind]) => kind.test(letter))?.[1] ?? WIDEST_LETTER;
  return width * size * (isBold ? BOLD : 1);
}

function cutToWidth(text: string, most: number, size: number, isBold: boolean): string {
  if (textWidth(text, size, isBold) <= most) return text;
  const letters = [...text];
  while (letters.length > 1 && textWidth(`${letters.join("")}…`, size, isBold) > most) letters.pop();
  return `${letters.join("").trimEnd()}…`;
}
