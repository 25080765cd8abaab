import { LabError, quote } from "../base/errors.ts";
import { FLOAT_FORMATS } from "../base/float-format.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { CodeStorage, IntShape } from "../kernels/int-params.ts";
import { PACK_ROWS } from "../kernels/quant/pack_columns.ts";
import type { Scheme } from "../schemes/scheme.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";

/** Most bytes of weights that one tile may take. A row is never split, so that its scales belong to one tile. */
const MAX_TILE_BYTES = 128 * 2 ** 20;

/** Whole rows of a matrix that are handled at once. */
export interface Tile {
  /** First row. */
  readonly row: number;
  readonly rows: number;
  /** Place in the file. */
  readonly start: number;
  readonly end: number;
}

/** Some rows of a matrix. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** Bytes of a row of weights. */
export function rowBytesOf({ cols, element }: PlannedMatrix): number {
  return cols * FLOAT_FORMATS[element].sizeBytes;
}

/**
 * The tile that begins at `row`: at most `tileBytes`, but a multiple of `rowMultiple` rows in any case, save at the end.
 * @param end the row before which it ends
 * @throws LabError `run/row-too-long`
 */
export function tileAt(
  matrix: PlannedMatrix,
  row: number,
  tileBytes: number,
  rowMultiple: number,
  end: number = matrix.rows,
): Tile {
  const rowBytes = rowBytesOf(matrix);
  const least = rowBytes * Math.min(rowMultiple, matrix.rows);
  if (least > MAX_TILE_BYTES) {
    throw new LabError({
      code: "run/row-too-long",
      doing: `cutting ${quote(matrix.module)} into tiles`,
      found: `rows of ${rowBytes} bytes, ${Math.min(rowMultiple, matrix.rows)} at a time`,
      allowed: `at most ${MAX_TILE_BYTES} bytes at a time`,
      advice: "add this module to the ignore list",
      fields: { module: quote(matrix.module), rowBytes },
    });
  }
  const bands = Math.max(1, Math.floor(tileBytes / rowBytes / rowMultiple));
  const rows = Math.min(bands * rowMultiple, end - row);
  const start = matrix.tensor.start + row * rowBytes;
  return { row, rows, start, end: start + rows * rowBytes };
}

/** The numbers of a tile's rows. */
export function rowsOf(tile: Tile): readonly number[] {
  return Array.from({ length: tile.rows }, (_, index) => tile.row + index);
}

/** Rows that belong together in a tile: zero points are packed along columns, 32 rows to a whole number of words. */
export function rowMultipleOf(schemes: readonly (Scheme | null)[]): number {
  const packsColumns = schemes.some((scheme) => scheme !== null && packsZeroPoints(scheme));
  return packsColumns ? PACK_ROWS : 1;
}

/** Whether a scheme stores zero points packed along columns. compressed-tensors leaves one for a whole matrix as a byte. */
export function packsZeroPoints({ weights, format }: Scheme): boolean {
  return !weights.symmetric && weights.granularity.strategy !== "tensor" && format === "pack-quantized";
}

/** How a scheme's codes are stored. */
export function codeStorage({ weights, format }: Scheme): CodeStorage {
  if (format === "int-quantized") return { storedBits: 8, offset: 0 };
  return { storedBits: weights.bits, offset: 2 ** (weights.bits - 1) };
}

/** How many neighbours share a scale in a piece of a matrix: a group, a row, or all of it. */
export function groupSizeOf({ weights }: Scheme, cols: number, elements: number): number {
  const { granularity } = weights;
  if (granularity.strategy === "group") return granularity.groupSize;
  return granularity.strategy === "channel" ? cols : elements;
}

/** Rows of a matrix as streams of codes. */
export function codeShape(scheme: Scheme, rows: number, cols: number): IntShape {
  const groupSize = groupSizeOf(scheme, cols, rows * cols);
  // Codes of a byte each run on from row to row.
  if (scheme.format === "int-quantized") return { streams: 1, streamLength: rows * cols, groupSize };
  return { streams: rows, streamLength: cols, groupSize };
}

/** Reads ranges of a file into one buffer that is used again and again. */
export class ReusedReader {
  #buffer: ArrayBuffer | undefined;

  /** The bytes of the range. They stand until the next read. */
  async read(source: ByteSource, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
    const size = end - start;
    const buffer = this.#buffer && this.#buffer.byteLength >= size ? this.#buffer : new ArrayBuffer(size);
    this.#buffer = undefined;
    const bytes = await source.read(start, end, buffer);
    this.#buffer = bytes.buffer;
    return bytes;
  }
}
