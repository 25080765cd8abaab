import { FLOAT_FORMATS } from "../base/float-format.ts";
import { call } from "../device/kernel.ts";
import type { OutputFile } from "../formats/output.ts";
import type { SafetensorsTensor } from "../formats/safetensors/header.ts";
import { codeWords } from "../kernels/int-params.ts";
import { intQuantize } from "../kernels/quant/int_quantize.ts";
import { packColumns } from "../kernels/quant/pack_columns.ts";
import type { StoredRole } from "../schemes/layout.ts";
import type { WeightPruning } from "../schemes/pruning.ts";
import type { Arithmetic, Scheme } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { PlannedMatrix } from "./checkpoint-plan.ts";
import { decideMask, type PruningMask, pruned } from "./pruner.ts";
import { addCorners, cornersAt, qparamsRun, rangesOf } from "./qparams-run.ts";
import { scaledRows } from "./restore-tile.ts";
import type { Corner } from "./result.ts";
import { codeShape, codeStorage, packsZeroPoints, rowBytesOf, rowMultipleOf, rowsOf, type Tile } from "./tiles.ts";

/** Where the tensors of one matrix go. */
export interface MatrixPlaces {
  readonly file: OutputFile;
  /** Place of a tensor of the output file, by name. */
  readonly place: (name: string) => SafetensorsTensor;
  /** Told how many bytes more are written. */
  readonly advance: (bytes: number) => void;
}

/**
 * Writes what a recipe stores in place of a matrix, every byte once.
 * @returns the corners that its groups have
 */
export async function writeMatrix(
  bench: Bench,
  matrix: PlannedMatrix,
  pruning: WeightPruning | null,
  arithmetic: Arithmetic,
  places: MatrixPlaces,
): Promise<readonly Corner[]> {
  const mask = pruning && (await decideMask(bench, matrix, pruning));
  if (!matrix.scheme) {
    await writePruned(bench, matrix, mask, places);
    return [];
  }
  return writeQuantizedMatrix(bench, matrix, matrix.scheme, mask, arithmetic, places);
}

/** The weights in their own type, with zeros. */
async function writePruned(
  bench: Bench,
  matrix: PlannedMatrix,
  mask: PruningMask | null,
  { file, place, advance }: MatrixPlaces,
): Promise<void> {
  const { start } = place(matrix.tensor.name);
  await bench.eachTile(matrix, 1, async (tile, bytes) => {
    const weights = bench.scratch.filled("weights", bytes);
    const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "export");
    const found = await bench.device.read(target, tile.rows * rowBytesOf(matrix));
    await file.write(start + tile.row * rowBytesOf(matrix), found);
    advance(found.byteLength);
  });
}

async function writeQuantizedMatrix(
  bench: Bench,
  matrix: PlannedMatrix,
  scheme: Scheme,
  mask: PruningMask | null,
  arithmetic: Arithmetic,
  places: MatrixPlaces,
): Promise<readonly Corner[]> {
  const { element, cols } = matrix;
  const isWhole = scheme.weights.granularity.strategy === "tensor";
  const ranges = await rangesOf(bench, [matrix], mask);
  const codes = { element, bits: scheme.weights.bits, symmetric: scheme.weights.symmetric, arithmetic };
  const storage = codeStorage(scheme);
  const corners = new Uint32Array(8);
  const writer = new TensorWriter(matrix, places);

  const walk = bench.eachTile(matrix, rowMultipleOf([scheme]), async (tile, bytes) => {
    const { device, scratch } = bench;
    const weights = scratch.filled("weights", bytes);
    const scaled = await scaledRows(bench, matrix, tile);
    const target = pruned(bench, matrix, mask, rowsOf(tile), weights, "export");
    const run = qparamsRun(bench, matrix, [scheme], tile.rows, scaled ?? target, ranges, "export");
    const shape = codeShape(scheme, tile.rows, cols);
    const codeBuffer = scratch.buffer("codes", codeWords(shape, storage.storedBits) * 4);
    device.run([
      ...run.calls,
      call(intQuantize, { ...codes, ...storage }, shape, [target, run.scales, run.zeroPoints, codeBuffer]),
    ]);
    const groups = run.places[0]?.groups ?? 0;
    const groupsPerRow = groups / tile.rows;
    const codeBytes = scheme.format === "int-quantized" ? tile.rows * cols : codeWords(shape, storage.storedBits) * 4;
    let points = run.zeroPoints;
    let pointBytes = codes.symmetric ? 0 : groups;
    if (packsZeroPoints(scheme)) {
      pointBytes = Math.ceil((tile.rows * codes.bits) / 32) * groupsPerRow * 4;
      points = scratch.buffer("packed zero points", pointBytes);
      const size = { rows: tile.rows, cols: groupsPerRow };
      device.run([call(packColumns, { bits: codes.bits }, size, [run.zeroPoints, points])]);
    }
    const [codesFound, scalesFound, pointsFound, cornersFound] = await Promise.all([
      device.read(codeBuffer, codeBytes),
      device.read(run.scales, groups * FLOAT_FORMATS[element].sizeBytes),
      pointBytes > 0 ? device.read(points, pointBytes) : null,
      device.read(run.corners, run.cornerBytes),
    ]);
    // From here on nothing of the device can fail, and the tile is written once.
    addCorners(corners, new Uint32Array(cornersFound.buffer), [scheme]);
    // One tile is written while one is computed: a slow disk must not fill the memory.
    await writer.settle();
    writer.rows("codes", tile, codesFound);
    if (!isWhole || tile.row === 0) {
      writer.rows("scale", tile, scalesFound);
      if (pointsFound) writer.rows("zero-point", tile, pointsFound);
    }
  });
  await walk.finally(() => writer.settle());
  // Without rows there is no tile; LLM Compressor leaves the one scale of such a matrix to chance, here it is 0.
  if (matrix.rows === 0) writer.zeros();
  if (writer.has("shape")) {
    const shape = new BigInt64Array([BigInt(matrix.rows), BigInt(matrix.cols)]);
    writer.rows("shape", { row: 0, rows: 0, start: 0, end: 0 }, new Uint8Array(shape.buffer));
  }
  await writer.settle();
  return cornersAt(corners, 0, mask !== null);
}

/** Puts the tensors of a matrix at their places, tile after tile. */
class TensorWriter {
  readonly #matrix: PlannedMatrix;
  readonly #places: MatrixPlaces;
  /** Bytes of each tensor that earlier tiles filled. */
  readonly #filled = new Map<StoredRole, number>();
  #writing: Promise<void> = Promise.resolve();

  constructor(matrix: PlannedMatrix, places: MatrixPlaces) {
    this.#matrix = matrix;
    this.#places = places;
  }

  has(role: StoredRole): boolean {
    return this.#matrix.stored.some((tensor) => tensor.role === role);
  }

  /** Fills all but the shape with zeros. */
  zeros(): void {
    for (const { role, sizeBytes } of this.#matrix.stored) {
      if (role !== "shape" && sizeBytes > 0) {
        this.rows(role, { row: 0, rows: 0, start: 0, end: 0 }, new Uint8Array(sizeBytes));
      }
    }
  }

  /**
   * Appends what a tile fills of a tensor: tiles come in the order of their rows. The write goes on while the next tile is
   * computed; `settle` waits for it.
   */
  rows(role: StoredRole, tile: Tile, bytes: Uint8Array): void {
    const stored = this.#matrix.stored.find((tensor) => tensor.role === role);
    if (!stored) throw new Error(`no ${role} is stored at row ${tile.row}`);
    const filled = this.#filled.get(role) ?? 0;
    const { start } = this.#places.place(this.#matrix.module + stored.suffix);
    this.#filled.set(role, filled + bytes.byteLength);
    const before = this.#writing;
    this.#writing = (async () => {
      await before;
      await this.#places.file.write(start + filled, bytes);
      this.#places.advance(bytes.byteLength);
    })();
    this.#writing.catch(() => {});
  }

  /** Waits until everything so far is written. */
  async settle(): Promise<void> {
    await this.#writing;
  }
}
