import type { ByteSource } from "../formats/byte-source.ts";
import type { OutputFile } from "../formats/output.ts";
import type { LineRun, ShrunkTensor } from "./shrink.ts";
import type { ReusedReader } from "./tiles.ts";

/** Bytes of a tensor that are read at a time: rows that go are read too, for one long read is quicker than many short ones. */
const TILE_BYTES = 4 * 2 ** 20;

/** Where a smaller tensor goes. */
export interface ShrunkTarget {
  readonly file: OutputFile;
  /** First byte of the tensor in it. */
  readonly start: number;
  /** Told how many more bytes were written. */
  readonly advance: (bytes: number) => void;
}

/** Copies of a tensor the rows and columns that stay, tile by tile; nothing is computed, so that any type goes. */
export async function writeShrunk(
  { tensor, rows, columns }: ShrunkTensor,
  source: ByteSource,
  reader: ReusedReader,
  { file, start, advance }: ShrunkTarget,
): Promise<void> {
  const isWhole = rows === null && columns === null;
  const rowCount = isWhole ? tensor.end - tensor.start : (tensor.shape[0] ?? 0);
  const rowBytes = isWhole ? 1 : (tensor.end - tensor.start) / rowCount;
  const cells = columns && cellsOf(columns, rowBytes / (tensor.shape[1] ?? 1));
  const keptRowBytes = cells ? lengthOf(cells) : rowBytes;
  const tileRows = Math.max(1, Math.floor(TILE_BYTES / Math.max(1, rowBytes)));
  let position = start;
  for (let first = 0; first < rowCount; first += tileRows) {
    const tile = { start: first, end: Math.min(first + tileRows, rowCount) };
    const own = rows === null ? [tile] : withinOf(rows, tile);
    const kept = new Uint8Array(lengthOf(own) * keptRowBytes);
    if (kept.byteLength > 0) {
      const bytes = await reader.read(source, tensor.start + tile.start * rowBytes, tensor.start + tile.end * rowBytes);
      let at = 0;
      for (const run of own) {
        const from = (run.start - tile.start) * rowBytes;
        const to = (run.end - tile.start) * rowBytes;
        if (cells === null) {
          kept.set(bytes.subarray(from, to), at);
          at += to - from;
          continue;
        }
        for (let row = from; row < to; row += rowBytes) {
          for (const { start, end } of cells) {
            kept.set(bytes.subarray(row + start, row + end), at);
            at += end - start;
          }
        }
      }
      await file.write(position, kept);
    }
    position += kept.byteLength;
    advance(kept.byteLength);
  }
}

/** The bytes of a row that stay. */
function cellsOf(columns: readonly LineRun[], width: number): readonly LineRun[] {
  return columns.map(({ start, end }) => ({ start: start * width, end: end * width }));
}

function lengthOf(runs: readonly LineRun[]): number {
  return runs.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** The parts of runs that lie in a tile. */
function withinOf(runs: readonly LineRun[], tile: LineRun): readonly LineRun[] {
  return runs
    .filter(({ start, end }) => start < tile.end && end > tile.start)
    .map(({ start, end }) => ({ start: Math.max(start, tile.start), end: Math.min(end, tile.end) }));
}
