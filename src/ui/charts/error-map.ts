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
import type { CellMap } from "./scale-map.ts";
import type { ChartTheme } from "./theme.ts";

/** Pixels a weight; `fit`: the whole matrix. */
export type Zoom = "fit" | 1 | 2 | 4 | 8 | 16;

/** From far to near. */
export const ZOOMS: readonly Zoom[] = ["fit", 1, 2, 4, 8, 16];

/** Which part of a matrix is seen: the first row and column, and how near. */
export interface ErrorView {
  readonly row: number;
  readonly column: number;
  readonly zoom: Zoom;
}

/** Weights of a part of a matrix, with what is left of the error in each. Row-major. */
export interface ErrorPart {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
  readonly errors: Float32Array;
  readonly weights: Float32Array;
}

/** Rows and columns of a matrix. */
export type Rectangle = Omit<ErrorPart, "errors" | "weights">;

/** The error W − Q of a matrix: all of it in blocks, and a part of it weight by weight. */
export interface ErrorMapData {
  readonly matrixRows: number;
  readonly matrixColumns: number;
  /** Root mean square of each block. */
  readonly overview: CellMap;
  /** Magnitude at both ends of the ramp; what is larger has their colour. */
  readonly rampEnd: number;
  /** Null until it came. Where it does not cover the view, the rest is hatched. */
  readonly part: ErrorPart | null;
  readonly view: ErrorView;
  readonly caption: Caption;
}

const MAP = { size: 96, gap: 16, blocks: 4 } as const;
/** Two lines of words. */
const BOTTOM = 36;
/** Pixels of the finest screens and of files to one of the drawing. */
const FINEST = 2;
/** Weights are reached one by one from this many pixels each. */
const SMALLEST_MARK = 8;
/** Key of the mark of a block of the minimap. */
const BLOCK = /^block (\d+) (\d+)$/;

/** The error matrix at 1:1 and nearer, signed, with a minimap of all of it. */
export const errorMapChart: Chart<ErrorMapData> = {
  name: "error-map",
  draw: drawErrorMap,
  caption: (data) => data.caption,
  table: ({ overview, matrixRows, matrixColumns }) => ({
    columns: [
      { name: "rows", unit: "" },
      { name: "inputs", unit: "" },
      { name: "rms error", unit: "" },
    ],
    rows: Array.from(overview.values, (value, index) => {
      const [row, column] = [Math.floor(index / overview.columns), index % overview.columns];
      return [
        words(cellRange(row, overview.rowsPerCell, matrixRows)),
        words(cellRange(column, overview.columnsPerCell, matrixColumns)),
        figure(Number.isFinite(value) ? value : null, formatNumber),
      ];
    }),
  }),
};

/** The part of a matrix that a picture of that size shows from a view: what has to be asked for. */
export function visiblePart(
  view: ErrorView,
  size: ChartSize,
  matrix: { readonly rows: number; readonly columns: number },
): Rectangle | null {
  if (view.zoom === "fit") return null;
  const { width, height } = areaOf(size);
  const rows = Math.min(matrix.rows, Math.floor(height / view.zoom));
  const columns = Math.min(matrix.columns, Math.floor(width / view.zoom));
  return {
    row: clamp(view.row, matrix.rows - rows),
    column: clamp(view.column, matrix.columns - columns),
    rows,
    columns,
  };
}

/** Whether what was read holds all that is seen. */
export function covers(part: Rectangle | null, seen: Rectangle): boolean {
  return (
    part !== null &&
    part.row <= seen.row &&
    part.column <= seen.column &&
    part.row + part.rows >= seen.row + seen.rows &&
    part.column + part.columns >= seen.column + seen.columns
  );
}

/** The view that a pressed block of the minimap leads to, or null where the key is none. */
export function viewOfBlock(key: string, view: ErrorView, matrix: { rows: number; columns: number }): ErrorView | null {
  const found = BLOCK.exec(key);
  if (found === null) return null;
  const at = (block: string | undefined, length: number): number => Math.floor((Number(block) * length) / MAP.blocks);
  return {
    row: at(found[1], matrix.rows),
    column: at(found[2], matrix.columns),
    zoom: view.zoom === "fit" ? 1 : view.zoom,
  };
}

function areaOf({ width, height }: ChartSize): ChartSize {
  const hasMap = width >= 300;
  return { width: Math.max(1, width - (hasMap ? MAP.size + MAP.gap : 0)), height: Math.max(1, height - BOTTOM) };
}

/** Lays out the part in view, and the minimap where there is room. */
export function drawErrorMap(data: ErrorMapData, size: ChartSize, theme: ChartTheme): Drawing {
  const area = areaOf(size);
  const matrix = { rows: data.matrixRows, columns: data.matrixColumns };
  const seen = visiblePart(data.view, size, matrix);
  const main = seen === null ? fitted(data, area, theme) : near(data, seen, theme);
  const map = size.width < 300 ? null : minimap(data, seen, area.width + MAP.gap, theme);
  return {
    ...size,
    dense: [...main.dense, ...(map?.dense ?? [])],
    shapes: [
      ...main.shapes,
      ...main.words.map(
        (text, line): Shape => ({
          kind: "text",
          x: 0,
          y: size.height - 20 + 14 * line,
          text,
          fill: theme.ink3,
          size: 11,
        }),
      ),
      ...(map?.shapes ?? []),
    ],
    marks: [...main.marks, ...(map?.marks ?? [])],
  };
}

interface Part {
  readonly dense: readonly Shape[];
  readonly shapes: readonly Shape[];
  readonly marks: readonly Mark[];
}

/** All of the matrix by the rms error of its blocks, in its own proportions. */
function fitted(data: ErrorMapData, area: ChartSize, theme: ChartTheme): Part & { readonly words: readonly string[] } {
  const box = fitBox(data, area);
  const said = `all ${formatCount(data.matrixRows)} rows and ${formatCount(data.matrixColumns)} inputs, rms error`;
  return {
    dense: [overviewImage(data, { x: 0, y: 0, ...box }, theme)],
    shapes: [],
    marks: [{ key: "all", x: 0, y: 0, ...box, sentence: said, isPickable: false, isSelected: false }],
    words: [said],
  };
}

/** Some weights, one by one. */
function near(data: ErrorMapData, seen: Rectangle, theme: ChartTheme): Part & { readonly words: readonly string[] } {
  const zoom = data.view.zoom === "fit" ? 1 : data.view.zoom;
  const { part } = data;
  const box = { x: 0, y: 0, width: seen.columns * zoom, height: seen.rows * zoom };
  const where = `rows ${rangeWords(seen.row, seen.row + seen.rows)} of ${formatCount(data.matrixRows)}, inputs ${rangeWords(seen.column, seen.column + seen.columns)} of ${formatCount(data.matrixColumns)}`;
  const ramp = `strongest colours from ±${formatNumber(data.rampEnd)} on`;
  const said = `${where}; ${ramp}`;
  const whole: Mark = { key: "part", ...box, sentence: said, isPickable: false, isSelected: false };
  if (part === null || !covers(part, seen)) {
    const hatched: Shape = { kind: "rect", ...box, fill: "hatch", stroke: theme.line };
    return { dense: [], shapes: [hatched], marks: [whole], words: [where, "being read"] };
  }
  const at = (row: number, column: number): number =>
    (seen.row + row - part.row) * part.columns + seen.column + column - part.column;
  const colour = signed(data.rampEnd, theme);
  const none = pixelOf(theme.paper);
  return {
    dense: [
      imageShape(box, seen.columns, seen.rows, (row, column) => {
        const error = part.errors[at(row, column)] ?? Number.NaN;
        return Number.isFinite(error) ? colour(error) : none;
      }),
    ],
    shapes: [{ kind: "rect", ...box, stroke: theme.line2 }],
    marks: zoom < SMALLEST_MARK ? [whole] : weightMarks(part, seen, zoom, at),
    words: [where, ramp],
  };
}

function weightMarks(
  part: ErrorPart,
  seen: Rectangle,
  zoom: number,
  at: (row: number, column: number) => number,
): readonly Mark[] {
  const marks: Mark[] = [];
  for (let row = 0; row < seen.rows; row++) {
    for (let column = 0; column < seen.columns; column++) {
      const index = at(row, column);
      const [error, weight] = [part.errors[index] ?? Number.NaN, part.weights[index] ?? Number.NaN];
      marks.push({
        key: `weight ${seen.row + row} ${seen.column + column}`,
        ...{ x: column * zoom, y: row * zoom, width: zoom, height: zoom },
        sentence: `row ${formatCount(seen.row + row)}, input ${formatCount(seen.column + column)}: error ${formatNumber(error)} of weight ${formatNumber(weight)}`,
        place: { row, column },
        isPickable: false,
        isSelected: false,
      });
    }
  }
  return marks;
}

/** All of the matrix, small, with the view on it; its blocks are what a key or a press goes to. */
function minimap(data: ErrorMapData, seen: Rectangle | null, x: number, theme: ChartTheme): Part {
  const y = 0;
  const box = { x, y, width: MAP.size, height: MAP.size };
  const across = MAP.size / data.matrixColumns;
  const down = MAP.size / data.matrixRows;
  const frame: Shape[] =
    seen === null
      ? []
      : [
          {
            kind: "rect",
            x: x + seen.column * across,
            y: y + seen.row * down,
            width: Math.max(3, seen.columns * across),
            height: Math.max(3, seen.rows * down),
            stroke: theme.ink,
            strokeWidth: 2,
          },
        ];
  const step = MAP.size / MAP.blocks;
  const marks = Array.from({ length: MAP.blocks * MAP.blocks }, (_, index): Mark => {
    const [row, column] = [Math.floor(index / MAP.blocks), index % MAP.blocks];
    const part = (block: number, length: number): string =>
      rangeWords(Math.floor((block * length) / MAP.blocks), Math.floor(((block + 1) * length) / MAP.blocks));
    return {
      key: `block ${row} ${column}`,
      ...{ x: x + column * step, y: y + row * step, width: step, height: step },
      sentence: `Minimap: go to rows ${part(row, data.matrixRows)}, inputs ${part(column, data.matrixColumns)}`,
      // Below every weight, so that walking the weights does not run into it.
      place: { row: data.matrixRows + row, column: data.matrixColumns + column },
      isPickable: true,
      isSelected: false,
    };
  });
  return {
    dense: [overviewImage(data, box, theme)],
    shapes: [{ kind: "rect", ...box, stroke: theme.line2 }, ...frame],
    marks,
  };
}

function overviewImage(
  { overview }: ErrorMapData,
  box: { x: number; y: number; width: number; height: number },
  theme: ChartTheme,
): Shape {
  const { values } = overview;
  let largest = 0;
  for (let at = 0; at < values.length; at++) largest = Math.max(largest, values[at] ?? 0);
  const colour = colourSteps(0, largest > 0 ? largest : 1, theme.magnitude.map(pixelOf));
  const none = pixelOf(theme.paper);
  // What is drawn without smoothing shows one value a pixel: the values between two pixels need no colour.
  const columns = Math.min(overview.columns, Math.ceil(box.width * FINEST));
  const rows = Math.min(overview.rows, Math.ceil(box.height * FINEST));
  return imageShape(box, columns, rows, (row, column) => {
    const [fromRow, fromColumn] = [middle(row, rows, overview.rows), middle(column, columns, overview.columns)];
    const value = values[fromRow * overview.columns + fromColumn] ?? Number.NaN;
    return Number.isFinite(value) ? colour(value) : none;
  });
}

/** The one of `all` in the middle of the part `at` of `parts`. */
function middle(at: number, parts: number, all: number): number {
  return Math.floor(((at + 0.5) * all) / parts);
}

/** Colour of an error: paper at 0, violet below, orange above. */
function signed(rampEnd: number, theme: ChartTheme): (error: number) => number {
  const end = rampEnd > 0 ? rampEnd : 1;
  return colourSteps(-end, end, theme.sign.map(pixelOf));
}

function fitBox(data: ErrorMapData, area: ChartSize): { readonly width: number; readonly height: number } {
  const scale = Math.min(area.width / data.matrixColumns, area.height / data.matrixRows);
  return { width: Math.max(8, data.matrixColumns * scale), height: Math.max(8, data.matrixRows * scale) };
}

function cellRange(cell: number, per: number, end: number): string {
  return rangeWords(cell * per, Math.min(end, (cell + 1) * per));
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(value, max));
}
