import { scaleLinear, scaleQuantize } from "d3-scale";
import { html, nothing, svg, type TemplateResult } from "lit";

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

/** A grid of values of which one end is good. */
export interface HeatMapData {
  readonly rows: readonly string[];
  /** The last row sums up each column: it stands apart, has no ticks beside it and cannot be picked. */
  readonly hasTotals: boolean;
  readonly columns: readonly string[];
  /** What the columns are, `layer`; empty for a plain list. */
  readonly columnWord: string;
  readonly cells: readonly HeatMapCell[];
  /** Values at the pale and at the strong end of the ramp; `good` is the larger. */
  readonly domain: { readonly good: number; readonly bad: number };
}

/** Pixels of the box the picture may fill. */
export interface HeatMapSize {
  readonly width: number;
  /** Leave room for names at the left. */
  readonly labelWidth: number;
}

export interface DrawnCell {
  readonly cell: HeatMapCell;
  readonly x: number;
  readonly y: number;
  /** 0 good … 9 worst, or null where there is no value. */
  readonly step: number | null;
  readonly showsLabel: boolean;
  /** In the row that sums up. */
  readonly isTotal: boolean;
}

export interface DrawnTick {
  readonly key: string;
  readonly x: number;
  readonly y: number;
}

/** Where everything lies. Pure data, tested apart from the page. */
export interface HeatMapDrawing {
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly mapWidth: number;
  readonly height: number;
  readonly cells: readonly DrawnCell[];
  readonly rowLabels: readonly { readonly text: string; readonly y: number; readonly isTotal: boolean }[];
  readonly columnLabels: readonly { readonly text: string; readonly x: number }[];
  /** Every value on one line per row, where there is room beside the map; else null. */
  readonly strip: {
    readonly width: number;
    readonly ticks: readonly DrawnTick[];
    readonly axis: readonly { readonly text: string; readonly x: number }[];
  } | null;
}

/** Steps of the magnitude ramp, `--m0` to `--m9`. */
export const RAMP_STEPS = 10;

const GAP = 2;
/** Narrower cells could not be touched; wider ones would be slabs. */
const CELL_WIDTH = { min: 24, max: 112 } as const;
const HEAD = 20;
/** Between the matrices and the row that sums them up. */
const TOTALS_GAP = 6;
/** Legs of the notch in a cell's corner. */
const NOTCH = 8;
/** Keeps the notch inside the ring of the selected cell. */
const NOTCH_INSET = 3;
/** A figure of four digits in 11 px, in a wide face. */
const LABEL_WIDTH = 30;
/** In cells as narrow as that only the worst few bear their figure; in narrower ones none does. */
const LABELLED_WORST = 8;
const STRIP = { gap: 24, min: 150, max: 300, pad: 6 } as const;

/** Lays out the map. Columns shrink to 24 px, then the map becomes wider than its box and pans. */
export function drawHeatMap(data: HeatMapData, size: HeatMapSize): HeatMapDrawing {
  const count = Math.max(1, data.columns.length);
  const room = Math.max(0, size.width - size.labelWidth);
  const cellWidth = Math.floor(clamp(room / count, CELL_WIDTH.min, CELL_WIDTH.max));
  const cellHeight = data.columns.length > 12 ? 24 : 32;
  const mapWidth = cellWidth * count;
  // A quantizing scale wants its domain ascending; more signal is better, so the steps descend.
  const step = scaleQuantize<number>()
    .domain([data.domain.bad, data.domain.good])
    .range(Array.from({ length: RAMP_STEPS }, (_, index) => RAMP_STEPS - 1 - index));
  const totals = data.hasTotals ? data.rows.length - 1 : null;
  const topOf = (row: number): number => HEAD + row * cellHeight + (row === totals ? TOTALS_GAP : 0);
  const worst = [...data.cells]
    .filter((cell) => cell.value !== null && cell.row !== totals)
    .sort((a, b) => Number(a.value) - Number(b.value))
    .slice(0, LABELLED_WORST);
  const inner = cellWidth - GAP;
  const labelled = new Set(inner >= LABEL_WIDTH + 4 ? data.cells : inner >= LABEL_WIDTH ? worst : []);
  const cells = data.cells.map((cell) => ({
    cell,
    x: cell.column * cellWidth,
    y: topOf(cell.row),
    step: cell.value === null ? null : step(cell.value),
    showsLabel: labelled.has(cell) || (cell.state === "measured" && cell.value === null),
    isTotal: cell.row === totals,
  }));
  const height = topOf(data.rows.length - 1) + cellHeight;
  return {
    cellWidth,
    cellHeight,
    mapWidth,
    height,
    cells,
    rowLabels: data.rows.map((text, row) => ({ text, y: topOf(row) + cellHeight / 2, isTotal: row === totals })),
    columnLabels: columnLabels(data, cellWidth),
    strip: drawStrip(data, room - mapWidth - STRIP.gap, cellHeight),
  };
}

function columnLabels(data: HeatMapData, cellWidth: number): HeatMapDrawing["columnLabels"] {
  if (data.columnWord === "") return [];
  return data.columns.map((name, column) => ({
    text: cellWidth >= 52 ? `${data.columnWord} ${name}` : name,
    x: column * cellWidth + (cellWidth - GAP) / 2,
  }));
}

function drawStrip(data: HeatMapData, room: number, cellHeight: number): HeatMapDrawing["strip"] {
  if (room < STRIP.min || data.columns.length < 2) return null;
  const width = Math.min(room, STRIP.max);
  const x = scaleLinear()
    .domain([data.domain.good, data.domain.bad])
    .range([STRIP.pad, width - STRIP.pad])
    .clamp(true);
  return {
    width,
    ticks: data.cells.flatMap((cell) =>
      cell.value === null || (data.hasTotals && cell.row === data.rows.length - 1)
        ? []
        : [{ key: cell.key, x: x(cell.value), y: HEAD + cell.row * cellHeight }],
    ),
    axis: x.ticks(4).map((value) => ({ text: x.tickFormat(4)(value), x: x(value) })),
  };
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

/** Which way an arrow key goes. */
export type Walk = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown" | "Home" | "End";

/** The cell that a key leads to from `from`: the next one in its direction, over gaps; itself at an edge. */
export function walkCells(cells: readonly HeatMapCell[], from: string, key: Walk): string {
  const here = cells.find((cell) => cell.key === from) ?? cells[0];
  if (here === undefined) return from;
  const inRow = cells.filter((cell) => cell.row === here.row).sort((a, b) => a.column - b.column);
  const inColumn = cells.filter((cell) => cell.column === here.column).sort((a, b) => a.row - b.row);
  const next = {
    ArrowLeft: () => inRow.findLast((cell) => cell.column < here.column),
    ArrowRight: () => inRow.find((cell) => cell.column > here.column),
    ArrowUp: () => inColumn.findLast((cell) => cell.row < here.row),
    ArrowDown: () => inColumn.find((cell) => cell.row > here.row),
    Home: () => inRow[0],
    End: () => inRow.at(-1),
  }[key]();
  return (next ?? here).key;
}

/** Whether a key walks. */
export function isWalk(key: string): key is Walk {
  return ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(key);
}

/** What the picture does when it is used. */
export interface HeatMapHandlers {
  readonly onPick: (key: string) => void;
  readonly onFocus: (key: string) => void;
  readonly onKey: (event: KeyboardEvent) => void;
}

/** The picture as a template. Rows stay in place while the map pans beneath them. */
export function heatMapTemplate(
  drawing: HeatMapDrawing,
  state: { readonly selected: string | null; readonly focused: string | null; readonly name: string },
  handlers: HeatMapHandlers,
): TemplateResult {
  const inner = drawing.cellWidth - GAP;
  const rowHeight = drawing.cellHeight - GAP;
  const has = (key: string | null): boolean => drawing.cells.some((drawn) => drawn.cell.key === key);
  const focusable = [state.focused, state.selected].find(has) ?? drawing.cells[0]?.cell.key;
  return html`
    <div class="rows" aria-hidden="true">
      ${drawing.rowLabels.map((label) => html`<span class="row-label ${drawing.cellHeight > 24 ? "tall" : ""} ${label.isTotal ? "total" : ""}"><bdi>${label.text}</bdi></span>`)}
    </div>
    <div class="pan">
      <svg class="map" width=${drawing.mapWidth} height=${drawing.height} role="group" aria-label=${state.name} @keydown=${handlers.onKey}>
        <defs>
          <pattern id="waiting" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <path class="hatch" d="M0 0v5"></path>
          </pattern>
        </defs>
        <g aria-hidden="true">
          ${drawing.columnLabels.map((label) => svg`<text class="axis" x=${label.x} y="13">${label.text}</text>`)}
        </g>
        ${drawing.cells.map(
          (drawn) => svg`<g
            class=${cellClass(drawn, drawn.cell.key === state.selected)}
            role=${drawn.isTotal ? "img" : "button"}
            tabindex=${drawn.cell.key === focusable ? 0 : -1}
            aria-pressed=${drawn.isTotal ? nothing : drawn.cell.key === state.selected}
            aria-label=${drawn.cell.sentence}
            data-key=${drawn.cell.key}
            data-tip=${drawn.cell.sentence}
            @click=${drawn.isTotal ? nothing : () => handlers.onPick(drawn.cell.key)}
            @focus=${() => handlers.onFocus(drawn.cell.key)}>
            <rect class="face" x=${drawn.x} y=${drawn.y} width=${inner} height=${rowHeight} rx="2"
              fill=${drawn.cell.state === "waiting" ? "url(#waiting)" : nothing}></rect>
            ${
              drawn.cell.key === state.selected
                ? svg`<rect class="ring" x=${drawn.x} y=${drawn.y} width=${inner} height=${rowHeight} rx="3"></rect>
                  <rect class="ring inside" x=${drawn.x + 2} y=${drawn.y + 2} width=${inner - 4} height=${rowHeight - 4} rx="1"></rect>`
                : nothing
            }
            ${drawn.cell.isNotched ? svg`<path class="notch" d="M${drawn.x + inner - NOTCH - NOTCH_INSET} ${drawn.y + NOTCH_INSET}h${NOTCH}v${NOTCH}z"></path>` : nothing}
            ${
              drawn.cell.state === "failed" || drawn.cell.state === "refused" || drawn.showsLabel
                ? svg`<text x=${drawn.x + inner / 2} y=${drawn.y + rowHeight / 2 + 4}>${drawn.cell.state === "failed" ? "✕" : drawn.cell.label}</text>`
                : nothing
            }
          </g>`,
        )}
      </svg>
    </div>
    ${drawing.strip === null ? nothing : stripTemplate(drawing, drawing.strip, state.selected)}
  `;
}

function stripTemplate(
  drawing: HeatMapDrawing,
  strip: NonNullable<HeatMapDrawing["strip"]>,
  selected: string | null,
): TemplateResult {
  const tick = drawing.cellHeight - 12;
  return html`<svg class="strip" width=${strip.width} height=${drawing.height} aria-hidden="true">
    ${strip.axis.map((mark) => svg`<path class="grid" d="M${mark.x} ${HEAD}V${drawing.height}"></path><text class="axis" x=${mark.x} y="13">${mark.text}</text>`)}
    ${drawing.rowLabels.filter((label) => !label.isTotal).map((label) => svg`<path class="base" d="M0 ${label.y}H${strip.width}"></path>`)}
    ${strip.ticks.map((mark) => svg`<path class="tick ${mark.key === selected ? "selected" : ""}" d="M${mark.x} ${mark.y + 5}v${tick}"></path>`)}
  </svg>`;
}

function cellClass(drawn: DrawnCell, isSelected: boolean): string {
  const without = drawn.cell.state === "measured" ? "blank" : drawn.cell.state;
  const step = drawn.step === null ? without : `m${drawn.step}`;
  const side = drawn.step !== null && drawn.step >= RAMP_STEPS / 2 ? "far" : "near";
  return `cell ${step} ${side}${isSelected ? " selected" : ""}${drawn.isTotal ? " total" : ""}`;
}
