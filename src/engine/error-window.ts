import { LabError } from "../base/errors.ts";

/** Rows and columns of a window, at most: more than a screen has, and 4 MiB for each of its two lists. */
export const MAX_WINDOW = 1024;

/** A rectangle of a matrix. What lies beyond the matrix or `MAX_WINDOW` is cut off. */
export interface WindowRequest {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly columns: number;
}

/** What is lost in a rectangle of a matrix, weight by weight; the rectangle is the part of the request that there is. */
export interface ErrorWindow extends WindowRequest {
  /** The recipe as it is written. */
  readonly recipe: string;
  /** W − Q, [rows, columns], row-major: of the original weight and what is loaded back in its place. */
  readonly errors: Float32Array<ArrayBuffer>;
  /** W, [rows, columns]. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * The part of a window that lies in a matrix [rows, cols] and within `MAX_WINDOW`. Empty where they do not meet.
 * @throws LabError `run/bad-window` for what is not a whole number of 0 or more
 */
export function clampWindow(window: WindowRequest, { rows, cols }: { rows: number; cols: number }): WindowRequest {
  const { row, column } = window;
  for (const name of ["row", "column", "rows", "columns"] as const) {
    const value = window[name];
    if (Number.isInteger(value) && value >= 0) continue;
    throw new LabError({
      code: "run/bad-window",
      doing: "cutting a window out of a matrix",
      found: `${name} ${value}`,
      allowed: "whole numbers of 0 or more",
      advice: "ask for a window that begins within the matrix",
      fields: { name, value: String(value) },
    });
  }
  const [firstRow, firstColumn] = [Math.min(row, rows), Math.min(column, cols)];
  return {
    row: firstRow,
    column: firstColumn,
    rows: Math.min(window.rows, rows - firstRow, MAX_WINDOW),
    columns: Math.min(window.columns, cols - firstColumn, MAX_WINDOW),
  };
}
