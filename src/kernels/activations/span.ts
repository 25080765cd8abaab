import type { WasmStep } from "../../device/kernel.ts";

/**
 * The columns of each row of a float32 register [rows, width] that are rounded: `count` pieces of `dim` columns, piece h from
 * column start + h · stride on. All five are multiples of 4, but the count. Pieces do not overlap; results of pieces lie row
 * by row, [rows, count].
 */
export interface Span {
  readonly width: number;
  readonly start: number;
  readonly stride: number;
  readonly count: number;
  readonly dim: number;
}

/** One piece: the whole row. */
export function wholeRow(width: number): Span {
  return groupsOfRow(width, width);
}

/** The whole row in pieces of `size` columns, of which the width is a multiple. */
export function groupsOfRow(width: number, size: number): Span {
  return { width, start: 0, stride: size, count: width / size, dim: size };
}

/** Words of a span in the uniforms of its kernels. */
export function spanWords({ width, start, stride, count, dim }: Span): readonly number[] {
  return [width, start, stride, count, dim];
}

/** Numbers that a thread handles at once: handing them out costs nothing beside them, and one core's cache holds them. */
const NUMBERS_PER_STEP = 8192;

/** A pass over the pieces of `rows` rows. Its function takes, as `extra`, how many rows it handles at once. */
export function spanStep(name: string, rows: number, { count, dim }: Span): WasmStep {
  return rowsStep(name, rows, Math.max(1, Math.floor(NUMBERS_PER_STEP / (count * dim))));
}

/** A pass over `rows`, `size` of them at once, which its function takes as `extra`. */
export function rowsStep(name: string, rows: number, size: number): WasmStep {
  return { name, extra: [size], pieces: Math.ceil(rows / size) };
}
