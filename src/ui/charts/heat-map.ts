import { scaleLinear, scaleQuantize } from "d3-scale";
import { formatPercent } from "../../base/format.ts";
import {
  type Caption,
  type Chart,
  type ChartSize,
  type ChartTable,
  type Drawing,
  figure,
  HATCH,
  type Mark,
  type Shape,
  words,
} from "./chart.ts";
import { type ChartTheme, MAGNITUDE_STEPS } from "./theme.ts";

/**
 * A place without a cell is a matrix that the model does not have, or that is left alone. `refused`: the scheme does not
 * apply to it, which is no failure of the run.
 */
export type CellState = "measured" | "waiting" | "refused" | "failed";

/** One matrix, or several that share a place. */
export interface HeatMapCell {
  /** What Enter selects. */
  readonly key: string;
  readonly row: number;
  readonly column: number;
  readonly state: CellState;
  /** Null unless measured and finite. */
  readonly value: number | null;
  /** The value in words for the cell: `17.6`. */
  readonly label: string;
  /** What is spoken and shown beside the pointer. */
  readonly sentence: string;
  /** The sentence says something out of the ordinary: a notch points at it. */
  readonly isNotched: boolean;
}

/** What a row or a column comes to as a whole: a bar at its end. */
export interface HeatMapTotal {
  readonly at: number;
  /** Of all rows or columns together, 0 to 1; null while it is not known, and where there is none. */
  readonly share: number | null;
  readonly isWaiting: boolean;
  /** `layer 0`, `o_proj`. */
  readonly name: string;
  readonly sentence: string;
}

/** A grid of values of which one end is good, and single cells beneath it that belong to no column. */
export interface HeatMapData {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** What the columns are: `layer`. */
  readonly columnWord: string;
  readonly cells: readonly HeatMapCell[];
  readonly rowTotals: readonly HeatMapTotal[];
  readonly columnTotals: readonly HeatMapTotal[];
  /** What the bars are: `share of all error`. */
  readonly totalWord: string;
  /** Cells without a column, each with its own row after those of the grid. */
  readonly loners: readonly { readonly name: string; readonly cell: HeatMapCell }[];
  /** Values at the pale and at the strong end of the ramp; `good` is the larger. */
  readonly domain: { readonly good: number; readonly bad: number };
  readonly unit: string;
  readonly selected: string | null;
  readonly caption: Caption;
}

const GAP = 2;
/** Narrower cells could not be touched; wider ones would be slabs. */
const CELL_WIDTH = { min: 24, max: 112 } as const;
const HEAD = 20;
const LABEL = { min: 84, max: 220, letter: 7, pad: 12 } as const;
/** Room at the right for the bars of the rows with their figures. */
const SIDE = { gap: 16, width: 92, bar: 44 } as const;
/** Room below for the bars of the columns with their figures. */
const BELOW = { gap: 8, bar: 28, text: 14 } as const;
const LONER_GAP = 14;
/** Legs of the notch in a cell's corner, and how far it keeps inside the ring of the selected cell. */
const NOTCH = { leg: 8, inset: 3 } as const;
/** A figure of four digits in 11 px, in a wide face. */
const FIGURE_WIDTH = 30;
/** A share, `22.7 %`, in 11 px. */
const SHARE_WIDTH = 46;
/** In cells as narrow as that only the worst few bear their figure; in narrower ones none does. */
const LABELLED_WORST = 8;
/** Of more cells the faces are painted on the canvas. */
const MAX_CELL_SHAPES = 400;

/** Signal over error, or another figure of which more is better, of every matrix: layers by module kinds. */
export const heatMapChart: Chart<HeatMapData> = {
  name: "heat-map",
  draw: drawHeatMap,
  caption: (data) => data.caption,
  table: heatMapTable,
};

/** Where the cells lie. */
interface Grid {
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly hasSide: boolean;
  readonly labelWidth: number;
  /** Below the last row of the grid. */
  readonly bottom: number;
}

/** Lays out the map. Columns shrink to 24 px, then the map becomes wider than its box and pans beside its names. */
export function drawHeatMap(data: HeatMapData, size: ChartSize, theme: ChartTheme): Drawing {
  const grid = layOut(data, size.width);
  const { cellWidth, cellHeight, bottom } = grid;
  const belowTop = bottom + BELOW.gap;
  const hasBelow = data.columnTotals.length > 0;
  const lonersTop = (hasBelow ? belowTop + BELOW.bar + BELOW.text : bottom) + (data.loners.length > 0 ? LONER_GAP : 0);
  const step = scaleQuantize<number>()
    .domain([data.domain.bad, data.domain.good])
    .range(Array.from({ length: MAGNITUDE_STEPS }, (_, index) => MAGNITUDE_STEPS - 1 - index));
  const labelled = labelledCells(data, cellWidth);
  const faces: Shape[] = [];
  // Column by column, as they come while a comparison runs: those that stand then keep their place in the list, and the page.
  const figures: Shape[][] = data.columns.map(() => []);
  const ofLoners: Shape[] = [];
  const rings: Shape[] = [];
  const marks: Mark[] = [];
  const place = (cell: HeatMapCell, x: number, y: number, width: number, written: Shape[] = []): void => {
    const box = { x, y, width: width - GAP, height: cellHeight - GAP };
    const at = cell.value === null ? null : step(cell.value);
    faces.push(face(box, cell, at, theme));
    written.push(...inscription(box, cell, at, labelled.has(cell), theme));
    if (cell.key === data.selected) rings.push(...ring(box, theme));
    marks.push({
      ...box,
      key: cell.key,
      sentence: cell.sentence,
      place: { row: cell.row, column: cell.column },
      isPickable: cell.state !== "waiting",
      isSelected: cell.key === data.selected,
    });
  };
  for (const cell of data.cells) {
    place(cell, cell.column * cellWidth, HEAD + cell.row * cellHeight, cellWidth, figures[cell.column]);
  }
  for (const [index, { cell }] of data.loners.entries()) {
    place(cell, 0, lonersTop + index * cellHeight, Math.max(cellWidth, FIGURE_WIDTH + 26), ofLoners);
  }
  const columns = columnBars(data, grid, belowTop, theme);
  const rows = rowBars(data, grid, theme);
  const isDense = faces.length > MAX_CELL_SHAPES;
  return {
    width: data.columns.length * cellWidth + (grid.hasSide ? SIDE.gap + SIDE.width : 0),
    height: lonersTop + data.loners.length * cellHeight,
    ...(isDense ? { dense: faces } : {}),
    shapes: [
      ...(isDense ? [] : faces),
      ...columnNames(data, cellWidth, theme),
      ...columns.shapes,
      ...rows.shapes,
      ...figures.flat(),
      ...ofLoners,
      ...rings,
    ],
    pinned: { width: grid.labelWidth, shapes: rowNames(data, grid, lonersTop, belowTop, theme) },
    marks: [...marks, ...columns.marks, ...rows.marks],
  };
}

function layOut(data: HeatMapData, width: number): Grid {
  const count = Math.max(1, data.columns.length);
  const longest = Math.max(0, ...data.rows.map(letters), ...data.loners.map(({ name }) => letters(name)));
  const labelWidth = clamp(longest * LABEL.letter + LABEL.pad, LABEL.min, width < 600 ? 110 : LABEL.max);
  const room = Math.max(0, width - labelWidth);
  const hasSide = data.rowTotals.length > 0 && room >= count * CELL_WIDTH.min + SIDE.gap + SIDE.width;
  const forCells = room - (hasSide ? SIDE.gap + SIDE.width : 0);
  const cellHeight = data.columns.length > 12 ? 24 : 32;
  return {
    cellWidth: Math.floor(clamp(forCells / count, CELL_WIDTH.min, CELL_WIDTH.max)),
    cellHeight,
    hasSide,
    labelWidth,
    bottom: data.rows.length === 0 ? 0 : HEAD + data.rows.length * cellHeight - GAP,
  };
}

/** Cells that bear their figure: all where they are wide, the worst few where they are narrow; a dash always has room. */
function labelledCells(data: HeatMapData, cellWidth: number): ReadonlySet<HeatMapCell> {
  const own = data.cells.filter((cell) => cell.state !== "waiting");
  const always = own.filter((cell) => cell.value === null);
  const loners = data.loners.map(({ cell }) => cell);
  const fits = cellWidth >= FIGURE_WIDTH + 4 ? own : cellWidth >= FIGURE_WIDTH ? worst(own) : [];
  return new Set([...always, ...fits, ...loners]);
}

function worst(cells: readonly HeatMapCell[]): readonly HeatMapCell[] {
  const ranked = cells.filter((cell) => cell.value !== null).sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
  return ranked.slice(0, LABELLED_WORST);
}

type Box = Pick<Mark, "x" | "y" | "width" | "height">;

function face(box: Box, cell: HeatMapCell, step: number | null, theme: ChartTheme): Shape {
  const rect = { kind: "rect" as const, ...box, radius: 2 };
  if (cell.state === "waiting") return { ...rect, fill: HATCH, stroke: theme.line };
  if (step === null) return { ...rect, fill: theme.paper, stroke: theme.line2 };
  return { ...rect, fill: theme.magnitude[step] ?? theme.paper };
}

/** Around the selected cell. */
function ring({ x, y, width, height }: Box, theme: ChartTheme): readonly Shape[] {
  const inner = { x: x + 2, y: y + 2, width: width - 4, height: height - 4, radius: 1 };
  return [
    { kind: "rect", x, y, width, height, radius: 3, stroke: theme.ink, strokeWidth: 2.5 },
    { kind: "rect", ...inner, stroke: theme.paper, strokeWidth: 1.5 },
  ];
}

/** What is written on a cell: its figure, a cross, a notch. */
function inscription(
  { x, y, width, height }: Box,
  cell: HeatMapCell,
  step: number | null,
  isLabelled: boolean,
  theme: ChartTheme,
): readonly Shape[] {
  const isFar = step !== null && step >= MAGNITUDE_STEPS / 2;
  const ink = step === null ? theme.ink3 : isFar ? theme.onFar : theme.onNear;
  const shapes: Shape[] = [];
  if (cell.isNotched) {
    const { leg, inset } = NOTCH;
    const d = `M${x + width - leg - inset} ${y + inset}h${leg}v${leg}z`;
    shapes.push({ kind: "path", d, fill: step === null ? theme.ink : ink });
  }
  if (cell.state === "failed" || (isLabelled && cell.state !== "waiting")) {
    const isFailed = cell.state === "failed";
    const text = isFailed ? "✕" : cell.label;
    const fill = isFailed ? theme.fail : ink;
    shapes.push({ kind: "text", x: x + width / 2, y: y + height / 2 + 4, text, fill, anchor: "middle" });
  }
  return shapes;
}

function columnNames(data: HeatMapData, cellWidth: number, theme: ChartTheme): readonly Shape[] {
  if (data.rows.length === 0) return [];
  return data.columns.map((name, column) => ({
    kind: "text",
    x: column * cellWidth + (cellWidth - GAP) / 2,
    y: 13,
    text: cellWidth >= 52 ? `${data.columnWord} ${name}` : name,
    fill: theme.ink3,
    size: 11,
    anchor: "middle",
  }));
}

function rowNames(
  data: HeatMapData,
  { labelWidth, cellHeight }: Grid,
  lonersTop: number,
  belowTop: number,
  theme: ChartTheme,
): readonly Shape[] {
  const right = { kind: "text" as const, x: labelWidth - 10, anchor: "end" as const, fill: theme.ink2 };
  const middle = cellHeight / 2 + 3;
  const most = Math.floor((labelWidth - LABEL.pad) / LABEL.letter);
  const mono = { ...right, size: 11.5, isMono: true };
  return [
    ...data.rows.map((name, row) => ({ ...mono, y: HEAD + row * cellHeight + middle, text: cut(name, most) })),
    ...(data.columnTotals.length > 0
      ? [{ ...right, y: belowTop + 11, text: "share", size: 11, fill: theme.ink3 }]
      : []),
    ...data.loners.map(({ name }, index) => ({
      ...mono,
      y: lonersTop + index * cellHeight + middle,
      text: cut(name, most),
    })),
  ];
}

interface Bars {
  readonly shapes: readonly Shape[];
  readonly marks: readonly Mark[];
}

function columnBars(data: HeatMapData, { cellWidth }: Grid, top: number, theme: ChartTheme): Bars {
  const length = barLength(data.columnTotals, BELOW.bar);
  const row = data.rows.length + data.loners.length;
  const parts = data.columnTotals.map((total): Bars => {
    const box = { x: total.at * cellWidth, y: top, width: cellWidth - GAP, height: BELOW.bar };
    const bar = barOf(total, length, box.height);
    const text: Shape[] =
      total.isWaiting || cellWidth < SHARE_WIDTH
        ? []
        : [sideText(box.x + box.width / 2, top + bar + 12, shareText(total), "middle", theme)];
    return {
      shapes: [barShape({ ...box, height: bar }, total, theme), ...text],
      marks: [totalMark(box, total, `column ${total.at}`, { row, column: total.at })],
    };
  });
  return joined(parts);
}

function rowBars(data: HeatMapData, { cellWidth, cellHeight, hasSide }: Grid, theme: ChartTheme): Bars {
  if (!hasSide) return { shapes: [], marks: [] };
  const length = barLength(data.rowTotals, SIDE.bar);
  const left = data.columns.length * cellWidth + SIDE.gap;
  const inset = cellHeight > 24 ? 8 : 5;
  const parts = data.rowTotals.map((total): Bars => {
    const y = HEAD + total.at * cellHeight;
    const box = { x: left, y, width: SIDE.width, height: cellHeight - GAP };
    const bar = barOf(total, length, SIDE.bar);
    const rect = { x: left, y: y + inset, width: bar, height: cellHeight - GAP - 2 * inset };
    const text: Shape[] = total.isWaiting
      ? []
      : [sideText(left + bar + 6, y + cellHeight / 2 + 3, shareText(total), "start", theme)];
    return {
      shapes: [barShape(rect, total, theme), ...text],
      marks: [totalMark(box, total, `row ${total.at}`, { row: total.at, column: data.columns.length })],
    };
  });
  return joined(parts);
}

function barLength(totals: readonly HeatMapTotal[], most: number): (share: number) => number {
  const largest = Math.max(...totals.map(({ share }) => share ?? 0), Number.MIN_VALUE);
  return scaleLinear().domain([0, largest]).range([0, most]);
}

function barOf({ share, isWaiting }: HeatMapTotal, length: (share: number) => number, whole: number): number {
  if (isWaiting) return whole;
  return share === null ? 0 : Math.max(1, length(share));
}

function shareText({ share }: HeatMapTotal): string {
  return share === null ? "–" : formatPercent(share);
}

function barShape(box: Box, { isWaiting }: HeatMapTotal, theme: ChartTheme): Shape {
  const rect = { kind: "rect" as const, ...box };
  return isWaiting ? { ...rect, fill: HATCH, stroke: theme.line } : { ...rect, fill: theme.ink3 };
}

function sideText(x: number, y: number, text: string, anchor: "start" | "middle", theme: ChartTheme): Shape {
  return { kind: "text", x, y, text, anchor, size: 11, fill: theme.ink2 };
}

function totalMark(box: Box, { sentence }: HeatMapTotal, key: string, place: NonNullable<Mark["place"]>): Mark {
  return { ...box, key: `total ${key}`, sentence, place, isPickable: false, isSelected: false };
}

function joined(parts: readonly Bars[]): Bars {
  return { shapes: parts.flatMap(({ shapes }) => shapes), marks: parts.flatMap(({ marks }) => marks) };
}

function heatMapTable(data: HeatMapData): ChartTable {
  const row = (name: string, column: string, cell: HeatMapCell) => [
    words(name),
    words(column),
    figure(cell.value, () => cell.label),
    words(cell.sentence),
  ];
  const total = (name: string, column: string, { share, sentence }: HeatMapTotal) => [
    words(name),
    words(column),
    figure(null, formatPercent),
    words(share === null ? sentence : `${formatPercent(share)} ${data.totalWord}: ${sentence}`),
  ];
  return {
    columns: [
      { name: "matrix", unit: "" },
      { name: data.columnWord, unit: "" },
      { name: "signal over error", unit: data.unit },
      { name: "in words", unit: "" },
    ],
    rows: [
      ...data.cells.map((cell) => row(data.rows[cell.row] ?? "", data.columns[cell.column] ?? "", cell)),
      ...data.loners.map(({ name, cell }) => row(name, "", cell)),
      ...data.columnTotals.map((each) => total("together", data.columns[each.at] ?? "", each)),
      ...data.rowTotals.map((each) => total(data.rows[each.at] ?? "", "all", each)),
    ],
  };
}

function cut(text: string, most: number): string {
  return letters(text) <= most ? text : `${[...text].slice(0, Math.max(1, most - 1)).join("")}…`;
}

function letters(text: string): number {
  return [...text].length;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}
