import type { WasmStep } from "../../device/kernel.ts";

/** Numbers that a thread handles at once, 32 KiB: handing them out costs nothing beside them, and one core's cache holds them. */
const NUMBERS_PER_PIECE = 8192;

/** Columns of a row that one invocation handles; `shaders/lib/row_chunks.wgsl` has the same number. */
const COLUMNS_PER_CHUNK = 32;

/** A pass over `elements` numbers. Its function takes, as `extra`, how many of them a piece has, a multiple of 8. */
export function flatStep(name: string, elements: number): WasmStep {
  return { name, extra: [NUMBERS_PER_PIECE], pieces: Math.ceil(elements / NUMBERS_PER_PIECE) };
}

/** A pass over `rows` rows of `width` numbers each. Its function takes, as `extra`, how many rows a piece has. */
export function rowStep(name: string, rows: number, width: number): WasmStep {
  const rowsPerPiece = Math.max(1, Math.floor(NUMBERS_PER_PIECE / width));
  return { name, extra: [rowsPerPiece], pieces: Math.ceil(rows / rowsPerPiece) };
}

/** Invocations of a shader that handles each row in chunks of columns. */
export function rowChunks(rows: number, width: number): number {
  return rows * Math.ceil(width / COLUMNS_PER_CHUNK);
}
