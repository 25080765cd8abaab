import { LabError, quote } from "../base/errors.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import type { CodeStorage } from "../kernels/int-params.ts";
import { type Scheme, weightsPerScale } from "../schemes/scheme.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";

/** A row is never split, so that a scale belongs to one tile; rows beyond this are refused. No known model is near. */
export const MAX_ROW_BYTES = 32 * 2 ** 20;

/** Bytes of a bf16 weight. */
export const WEIGHT_BYTES = 2;

/** Whole rows of a matrix that are handled at once. */
export interface Tile {
  /** First row. */
  readonly row: number;
  readonly rows: number;
  /** Place in the file. */
  readonly start: number;
  readonly end: number;
}

/**
 * A matrix as tiles of at most `tileBytes`, one row at the least.
 * @throws LabError `run/row-too-long`
 */
export function tilesOf(matrix: PlannedMatrix, tileBytes: number): readonly Tile[] {
  const rowBytes = matrix.cols * WEIGHT_BYTES;
  if (rowBytes > MAX_ROW_BYTES) {
    throw new LabError({
      code: "run/row-too-long",
      doing: `cutting ${quote(matrix.module)} into tiles`,
      found: `rows of ${rowBytes} bytes`,
      allowed: `rows of at most ${MAX_ROW_BYTES} bytes`,
      advice: "add this module to the ignore list",
      fields: { module: quote(matrix.module), rowBytes },
    });
  }
  if (rowBytes === 0) return [];
  const rowsPerTile = Math.max(1, Math.floor(tileBytes / rowBytes));
  const tiles: Tile[] = [];
  for (let row = 0; row < matrix.rows; row += rowsPerTile) {
    const rows = Math.min(rowsPerTile, matrix.rows - row);
    const start = matrix.tensor.start + row * rowBytes;
    tiles.push({ row, rows, start, end: start + rows * rowBytes });
  }
  return tiles;
}

/** How a scheme's codes are stored. */
export function codeStorage(scheme: Scheme): CodeStorage {
  return scheme.format === "pack-quantized" ? "offset" : "twos-complement";
}

/** A tile as groups that share a scale. */
export function tileShape(matrix: PlannedMatrix, tile: Tile, scheme: Scheme): { groups: number; groupSize: number } {
  const groupSize = weightsPerScale(scheme.weights.granularity, matrix.cols);
  return { groups: (tile.rows * matrix.cols) / groupSize, groupSize };
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
