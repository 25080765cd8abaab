import { formatCount, formatNumber } from "../../base/format.ts";
import type { ErrorWindow } from "../../engine/error-window.ts";
import type { MatrixSheet } from "../../engine/sheet.ts";
import type { Caption } from "../charts/chart.ts";
import { type ErrorMapData, type ErrorView, type Rectangle, ZOOMS, type Zoom } from "../charts/error-map.ts";

/** Weights along a side of a part that is asked for, at most: what the engine hands out at once. */
const MAX_SIDE = 1024;

/** The error map of a sheet. */
export function errorMapOf(sheet: MatrixSheet, part: ErrorWindow | null, view: ErrorView): ErrorMapData {
  return {
    matrixRows: sheet.rows,
    matrixColumns: sheet.cols,
    overview: sheet.error.rms,
    rampEnd: rampEndOf(sheet),
    part,
    view,
    caption: errorCaption(sheet),
  };
}

/** Of the blocks of a matrix, this share is not louder than the one that sets the ramp. */
const QUIET_SHARE = 0.95;
/** A rounded weight is off by at most √3 of the rms error of its kind; a little more is drawn apart. */
const REACH = 2;

const rampEnds = new WeakMap<MatrixSheet, number>();

/** Where the ramp ends: a few loud groups must not make all others look flat. Never beyond the largest error. */
function rampEndOf(sheet: MatrixSheet): number {
  const known = rampEnds.get(sheet);
  if (known !== undefined) return known;
  const { rms, largest } = sheet.error;
  const finite = finiteOf(rms.values);
  const loud = valueAtRank(finite, Math.floor((finite.length - 1) * QUIET_SHARE));
  const end = loud > 0 ? Math.min(largest, REACH * loud) : largest;
  rampEnds.set(sheet, end);
  return end;
}

/** By hand and by index: `filter` of a typed array takes forty times as long. */
function finiteOf(values: Float32Array): Float32Array {
  const finite = new Float32Array(values.length);
  let count = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? Number.NaN;
    if (Number.isFinite(value)) finite[count++] = value;
  }
  return finite.subarray(0, count);
}

/**
 * What would stand at `rank` if the values were sorted; they are moved about. Sorting a quarter of a million takes longer than a
 * frame may.
 */
export function valueAtRank(values: Float32Array, rank: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >> 1] ?? 0;
    let [left, right] = [from, to];
    while (left <= right) {
      while ((values[left] ?? 0) < pivot) left++;
      while ((values[right] ?? 0) > pivot) right--;
      if (left > right) break;
      const kept = values[left] ?? 0;
      values[left++] = values[right] ?? 0;
      values[right--] = kept;
    }
    if (rank <= right) to = right;
    else if (rank >= left) from = left;
    else break;
  }
  return values[rank] ?? 0;
}

function errorCaption({ error }: MatrixSheet): Caption {
  const { largest, largestAt } = error;
  if (largestAt === null) return { strong: "It comes back without any error.", plain: "" };
  return {
    strong: `Largest error ${formatNumber(largest)}, at row ${formatCount(largestAt.row)}, input ${formatCount(largestAt.column)}.`,
    plain: "Original less what is loaded back: violet below zero, orange above.",
  };
}

/** What to ask for so that `seen` can be shown: with its surroundings, so that a step aside is there at once. */
export function partToAsk(seen: Rectangle, matrix: { readonly rows: number; readonly columns: number }): Rectangle {
  const widened = (from: number, length: number, end: number): readonly [number, number] => {
    const wanted = Math.min(end, MAX_SIDE, 3 * length);
    return [Math.max(0, Math.min(end - wanted, from - Math.floor((wanted - length) / 2))), wanted];
  };
  const [row, rows] = widened(seen.row, seen.rows, matrix.rows);
  const [column, columns] = widened(seen.column, seen.columns, matrix.columns);
  return { row, column, rows, columns };
}

/** One step nearer or farther, about the middle of what is seen. */
export function zoomed(view: ErrorView, step: -1 | 1): ErrorView {
  const next = ZOOMS[ZOOMS.indexOf(view.zoom) + step];
  return next === undefined ? view : { ...view, zoom: next };
}

/** Moved by a share of what is seen. */
export function moved(view: ErrorView, seen: Rectangle | null, down: number, across: number): ErrorView {
  if (seen === null) return view;
  const step = (length: number): number => Math.max(1, Math.floor(length / 2));
  return {
    ...view,
    row: Math.max(0, seen.row + down * step(seen.rows)),
    column: Math.max(0, seen.column + across * step(seen.columns)),
  };
}

/** How near a view is, in words. */
export function zoomWords(zoom: Zoom): string {
  return zoom === "fit" ? "whole" : `${zoom}:1`;
}
