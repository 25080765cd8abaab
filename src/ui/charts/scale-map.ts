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
import { imageShape, pixelOf } from "./pixels.ts";
import { rangeWords } from "./range-words.ts";
import { type ChartTheme, MAGNITUDE_STEPS } from "./theme.ts";

/** One number for each cell, or block of cells, of a table. Row-major. */
export interface CellMap {
  readonly rows: number;
  readonly columns: number;
  /** Rows and columns of the table that one cell stands for. */
  readonly rowsPerCell: number;
  readonly columnsPerCell: number;
  readonly values: Float32Array;
}

/** How coarse the steps of each group are, and how many of its levels it uses: rows of the matrix by groups of its inputs. */
export interface ScaleMapData {
  /** The largest of each cell. */
  readonly scales: CellMap;
  /** The fewest of each cell. */
  readonly usedLevels: CellMap;
  readonly levels: number;
  readonly groupSize: number;
  readonly matrixRows: number;
  readonly smallest: number;
  readonly largest: number;
  readonly caption: Caption;
}

const MARGIN = { left: 74, right: 2, top: 4, bottom: 20 } as const;
/** Height of one stripe: the groups of the same inputs in all rows. */
const STRIPE = { min: 3, max: 22, together: 150 } as const;
const BAND_GAP = 14;
/** Blocks along the rows that say themselves. */
const MARK_COLUMNS = 24;

/** Scales of all groups as an image, log colour, and beneath it the levels that each group uses. */
export const scaleMapChart: Chart<ScaleMapData> = {
  name: "scale-map",
  draw: drawScaleMap,
  caption: (data) => data.caption,
  table: (data) => ({
    columns: [
      { name: "rows", unit: "" },
      { name: "groups", unit: "" },
      { name: "largest scale", unit: "" },
      { name: "fewest levels", unit: `of ${data.levels}` },
    ],
    rows: blocksOf(data).map((block) => [
      words(block.rows),
      words(block.groups),
      figure(block.scale, formatNumber),
      figure(block.levels, formatCount),
    ]),
  }),
};

/** Lays out two bands of stripes: rows of the matrix run to the right, groups of its inputs downwards. */
export function drawScaleMap(data: ScaleMapData, size: ChartSize, theme: ChartTheme): Drawing {
  const { scales, usedLevels } = data;
  const width = Math.max(1, size.width - MARGIN.left - MARGIN.right);
  const stripe = Math.min(STRIPE.max, Math.max(STRIPE.min, Math.floor(STRIPE.together / scales.columns)));
  const band = stripe * scales.columns;
  const columns = Math.min(scales.rows, Math.floor(width));
  const colours = theme.magnitude.map(pixelOf);
  const none = pixelOf(theme.paper);
  const scaleStep = stepsOf(data.smallest, data.largest);
  const levelStep = scaleLinear().domain([data.levels, 0]).range([0, MAGNITUDE_STEPS]);
  const image = (
    map: CellMap,
    y: number,
    step: (value: number) => number,
    isWorse: (a: number, b: number) => boolean,
  ) =>
    imageShape({ x: MARGIN.left, y, width, height: band }, columns, map.columns, (group, at) => {
      const value = pooled(map, span(at, columns, map.rows), { from: group, to: group + 1 }, isWorse);
      return Number.isFinite(value) ? (colours[clampStep(step(value))] ?? none) : none;
    });
  const second = MARGIN.top + band + BAND_GAP;
  const bottom = second + band;
  const x = scaleLinear()
    .domain([0, data.matrixRows])
    .range([MARGIN.left, MARGIN.left + width]);
  return {
    width: size.width,
    height: bottom + MARGIN.bottom,
    dense: [
      image(scales, MARGIN.top, scaleStep, isMore),
      image(usedLevels, second, (value) => levelStep(value), isLess),
    ],
    shapes: [
      bandName("scale", MARGIN.top + band / 2, theme),
      bandName("levels used", second + band / 2, theme),
      ...x.ticks(Math.max(2, Math.min(8, width / 110))).map(
        (row): Shape => ({
          kind: "text",
          x: x(row),
          y: bottom + 14,
          text: row === 0 ? "row 0" : formatCount(row),
          fill: theme.ink3,
          size: 11,
          anchor: row === 0 ? "start" : "middle",
        }),
      ),
    ],
    marks: blocksOf(data).map(
      (block, index): Mark => ({
        key: String(index),
        x: x(block.from),
        y: MARGIN.top + block.group * stripe,
        width: x(block.to) - x(block.from),
        height: stripe,
        sentence: `rows ${block.rows}, inputs ${block.inputs}: largest scale ${formatNumber(block.scale)}, fewest levels ${formatCount(block.levels)} of ${data.levels}`,
        place: { row: block.group, column: block.column },
        isPickable: false,
        isSelected: false,
      }),
    ),
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Cells `from` to `to` that the part `at` of `parts` stands for; at least one. */
function span(at: number, parts: number, cells: number): Span {
  const from = Math.floor((at * cells) / parts);
  return { from, to: Math.max(from + 1, Math.floor(((at + 1) * cells) / parts)) };
}

/** The worst value of some cells: what is pooled must not hide a bad group. */
function pooled(map: CellMap, rows: Span, columns: Span, isWorse: (a: number, b: number) => boolean): number {
  let worst = map.values[rows.from * map.columns + columns.from] ?? Number.NaN;
  for (let row = rows.from; row < rows.to; row++) {
    for (let column = columns.from; column < columns.to; column++) {
      const value = map.values[row * map.columns + column] ?? Number.NaN;
      if (isWorse(value, worst)) worst = value;
    }
  }
  return worst;
}

const isMore = (a: number, b: number): boolean => a > b;
const isLess = (a: number, b: number): boolean => a < b;

interface Block extends Span {
  readonly group: number;
  readonly column: number;
  readonly rows: string;
  readonly groups: string;
  readonly inputs: string;
  readonly scale: number;
  readonly levels: number;
}

/** Both maps in blocks that can be walked and read aloud. */
function blocksOf({ scales, usedLevels, groupSize, matrixRows }: ScaleMapData): readonly Block[] {
  const parts = Math.min(MARK_COLUMNS, scales.rows);
  return Array.from({ length: scales.columns }, (_, group) =>
    Array.from({ length: parts }, (__, column): Block => {
      const cells = span(column, parts, scales.rows);
      const own = { from: group, to: group + 1 };
      const [from, to] = [cells.from * scales.rowsPerCell, Math.min(matrixRows, cells.to * scales.rowsPerCell)];
      const firstGroup = group * scales.columnsPerCell;
      const endGroup = (group + 1) * scales.columnsPerCell;
      return {
        ...{ from, to, group, column },
        rows: rangeWords(from, to),
        groups: rangeWords(firstGroup, endGroup),
        inputs: rangeWords(firstGroup * groupSize, endGroup * groupSize),
        scale: pooled(scales, cells, own, isMore),
        levels: pooled(usedLevels, cells, own, isLess),
      };
    }),
  ).flat();
}

/** Steps of the ramp over positive scales, by their ratio; all in the middle where they are equal. */
function stepsOf(smallest: number, largest: number): (value: number) => number {
  if (!(largest > smallest)) return () => MAGNITUDE_STEPS / 2;
  const scale = smallest > 0 ? scaleLog() : scaleLinear();
  const map = scale.domain([smallest, largest]).range([0, MAGNITUDE_STEPS]);
  return (value) => map(value);
}

function clampStep(step: number): number {
  return Math.min(MAGNITUDE_STEPS - 1, Math.max(0, Math.floor(step)));
}

function bandName(text: string, y: number, theme: ChartTheme): Shape {
  return { kind: "text", x: MARGIN.left - 8, y: y + 4, text, fill: theme.ink3, size: 11, anchor: "end" };
}
