import { float32Of } from "../../base/float-format.ts";
import type { DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { BLOCK_COLUMNS } from "../../kernels/compensation/block.ts";
import type { BlockMask, ColumnBlockShape } from "../../kernels/compensation/column_block.oracle.ts";
import { columnBlock } from "../../kernels/compensation/column_block.ts";
import { scores } from "../../kernels/compensation/scores.ts";
import { trailingUpdate } from "../../kernels/compensation/trailing_update.ts";
import { widen } from "../../kernels/model/widen.ts";
import { scaleLines } from "../../kernels/smoothing/scale_lines.ts";
import { kthBin, magnitudeBins, magnitudeHistogram } from "../../kernels/stats/magnitude_histogram.ts";
import { CallQueue } from "../../models/call-queue.ts";
import type { Pruning } from "../../schemes/pruning.ts";
import type { Bench } from "../bench.ts";
import { type PlannedMatrix, weightBytes } from "../checkpoint-plan.ts";
import { elementBytes, elementValues } from "../element-values.ts";
import { qparamsRun, rangesOf } from "../qparams-run.ts";
import { type MatrixRanges, NO_RANGES } from "../range-search.ts";
import { type MatrixRecipe, restoreUploaded } from "../restore-tile.ts";
import type { Tile } from "../tiles.ts";
import type { FactoredHessian } from "./hessian.ts";

/** Bytes of a tile of stored weights; in float32 it takes twice as much, and its errors as much as 128 columns. */
const MOST_TILE_BYTES = 8 * 2 ** 20;

/** What becomes of the weights, column by column. */
export interface CompensationRule {
  /** Whether weights are rounded to their scheme. */
  readonly rounds: boolean;
  /** Which of them become 0; null: none. */
  readonly pruning: Extract<Pruning, { readonly structure: "n-of-m" | "unstructured" }> | null;
}

/** Some rows before and after, float32 [rows, cols]. */
export type TakeRows = (
  tile: Tile,
  original: Float32Array<ArrayBuffer>,
  plain: Float32Array<ArrayBuffer>,
  changed: Float32Array<ArrayBuffer>,
) => Promise<void>;

/** Rows of a matrix on the device, in float32, with all that the column loop needs. */
interface WorkingRows {
  readonly tile: Tile;
  readonly weights: DeviceBuffer;
  readonly scales: DeviceBuffer;
  readonly zeroPoints: DeviceBuffer;
  readonly errors: DeviceBuffer;
  readonly losses: DeviceBuffer;
  readonly original: Float32Array<ArrayBuffer>;
  readonly plain: Float32Array<ArrayBuffer>;
}

/**
 * Rounds or prunes a matrix column by column, each column's error spread over those that are still to come: GPTQ, SparseGPT, or
 * both at once. Whole rows are on their own, so that tiles are; but a share of a block's weights is counted over all rows, so
 * that then all of one matrix is on the device, in float32.
 * @param plain what would be done without: `take` is told of both
 * @param take told of every row once, in order
 */
export class Compensation {
  readonly #bench: Bench;
  readonly #matrix: PlannedMatrix;
  readonly #hessian: FactoredHessian;
  readonly #rule: CompensationRule;
  readonly #plain: MatrixRecipe;
  readonly #queue: CallQueue;
  readonly #made = new Set<DeviceBuffer>();

  constructor(
    bench: Bench,
    matrix: PlannedMatrix,
    hessian: FactoredHessian,
    rule: CompensationRule,
    plain: MatrixRecipe,
  ) {
    this.#bench = bench;
    this.#matrix = matrix;
    this.#hessian = hessian;
    this.#rule = rule;
    this.#plain = plain;
    this.#queue = new CallQueue(bench.device);
  }

  async run(take: TakeRows): Promise<void> {
    const { cols } = this.#matrix;
    const { order, factor } = this.#hessian;
    const orderBuffer = this.#upload(new Uint8Array(order.buffer));
    const factorBuffer = this.#upload(new Uint8Array(factor.buffer));
    const scheme = this.#rule.rounds ? this.#matrix.scheme : null;
    const ranges = scheme ? await rangesOf(this.#bench, [this.#matrix], null) : NO_RANGES;
    const blocks = Array.from({ length: Math.ceil(cols / BLOCK_COLUMNS) }, (_, block) => block * BLOCK_COLUMNS);
    const together: WorkingRows[] = [];
    const isShare = this.#rule.pruning?.structure === "unstructured";
    const walk = {
      matrix: this.#matrix,
      rowMultiple: 1,
      rows: { start: 0, end: this.#matrix.rows },
      mostBytes: MOST_TILE_BYTES,
    };
    try {
      await this.#bench.streamTiles(walk, async (tile, bytes) => {
        const rows = await this.#begin(tile, bytes, ranges);
        if (isShare) {
          together.push(rows);
          return;
        }
        for (const first of blocks) this.#block(rows, orderBuffer, factorBuffer, first, 0);
        await this.#end(rows, take);
        this.#free([rows.weights, rows.errors, rows.losses]);
      });
      if (isShare) {
        for (const first of blocks) {
          const threshold = await this.#threshold(together, orderBuffer, factorBuffer, first);
          for (const rows of together) this.#block(rows, orderBuffer, factorBuffer, first, threshold);
        }
        for (const rows of together) await this.#end(rows, take);
      }
    } finally {
      this.#free([...this.#made]);
    }
  }

  #upload(bytes: Uint8Array): DeviceBuffer {
    const buffer = this.#create(bytes.byteLength);
    this.#bench.device.write(buffer, bytes);
    return buffer;
  }

  #create(sizeBytes: number): DeviceBuffer {
    const buffer = this.#bench.device.createBuffer(Math.max(16, sizeBytes));
    this.#made.add(buffer);
    return buffer;
  }

  #free(buffers: readonly DeviceBuffer[]): void {
    for (const buffer of buffers) {
      buffer.destroy();
      this.#made.delete(buffer);
    }
  }

  async #begin(tile: Tile, bytes: Uint8Array<ArrayBuffer>, ranges: MatrixRanges): Promise<WorkingRows> {
    const { device, scratch } = this.#bench;
    const { element, cols, scheme } = this.#matrix;
    const { alive } = this.#hessian;
    const elements = tile.rows * cols;
    const original = elementValues(bytes, element);
    const uploaded = scratch.filled("weights", bytes);
    const weights = this.#create(elements * 4);
    const shape = { rows: tile.rows, cols };
    const wide = alive ? scratch.buffer("widened", elements * 4) : weights;
    device.run([call(widen, { element, isTransposed: false }, shape, [uploaded, wide])]);
    if (alive) {
      const factors = scratch.filled("alive columns", new Uint8Array(alive.buffer));
      const source = { element: "f32", axis: "columns", operation: "times" } as const;
      device.run([call(scaleLines, source, shape, [wide, factors, weights])]);
    }
    const { restored } = restoreUploaded(this.#bench, this.#plain, tile, uploaded);
    const plainBytes = await device.read(restored, elements * weightBytes(this.#matrix));
    const coded = this.#rule.rounds && scheme;
    // Tiles that wait for each other keep their scales.
    const name = this.#rule.pruning?.structure === "unstructured" ? `kept ${tile.row}` : "kept";
    const run = coded ? qparamsRun(this.#bench, this.#matrix, [coded], tile.rows, uploaded, ranges, name) : null;
    if (run) device.run(run.calls);
    return {
      tile,
      weights,
      scales: run?.scales ?? scratch.buffer("no scales", 16),
      zeroPoints: run?.zeroPoints ?? scratch.buffer("no zero points", 16),
      errors: this.#create(tile.rows * BLOCK_COLUMNS * 4),
      losses: this.#create(tile.rows * 4),
      original,
      plain: elementValues(plainBytes, element),
    };
  }

  #block(
    { tile, weights, scales, zeroPoints, errors, losses }: WorkingRows,
    order: DeviceBuffer,
    factor: DeviceBuffer,
    first: number,
    threshold: number,
  ): void {
    const { element, cols, scheme } = this.#matrix;
    const codes = this.#rule.rounds && scheme ? scheme.weights : null;
    const granularity = codes?.granularity ?? null;
    const count = Math.min(BLOCK_COLUMNS, cols - first);
    const block = { rows: tile.rows, cols, first, count };
    const shape: ColumnBlockShape = {
      ...block,
      groupsPerRow:
        granularity?.strategy === "group" ? cols / granularity.groupSize : granularity?.strategy === "tensor" ? 0 : 1,
      groupSize: granularity?.strategy === "group" ? granularity.groupSize : cols,
      threshold,
    };
    const source = {
      element,
      codes: codes && { bits: codes.bits, symmetric: codes.symmetric },
      mask: this.#mask(),
    };
    const buffers = [weights, order, factor, scales, zeroPoints, errors, losses];
    this.#queue.add(call(columnBlock, source, shape, buffers), (tile.rows * count * count) / 2);
    if (first + count === cols) return;
    const products = tile.rows * count * (cols - first - count);
    this.#queue.add(call(trailingUpdate, {}, block, [errors, order, factor, weights]), products);
  }

  #mask(): BlockMask {
    const { pruning } = this.#rule;
    if (!pruning) return { kind: "none" };
    return pruning.structure === "n-of-m" ? { kind: "n-of-m", n: pruning.n, m: pruning.m } : { kind: "threshold" };
  }

  /**
   * The score of a block up to which weights go: of all its scores in order, that at place ⌊share · count⌋, counted from 0.
   * Source: LLM Compressor 0.14 `modifiers/pruning/sparsegpt/sgpt_sparsify.py`, `thresh`.
   */
  async #threshold(
    together: readonly WorkingRows[],
    order: DeviceBuffer,
    factor: DeviceBuffer,
    first: number,
  ): Promise<number> {
    const { cols, rows } = this.#matrix;
    const { pruning } = this.#rule;
    if (pruning?.structure !== "unstructured") return 0;
    const count = Math.min(BLOCK_COLUMNS, cols - first);
    const kth = Math.floor(rows * count * pruning.share) + 1;
    const own = together.map(({ tile, weights }) => {
      const found = this.#bench.scratch.buffer(`scores ${tile.row}`, tile.rows * count * 4);
      const shape = { rows: tile.rows, cols, first, count };
      this.#queue.add(call(scores, {}, shape, [weights, order, factor, found]), 4 * tile.rows * count);
      return { found, elements: tile.rows * count };
    });
    this.#queue.flush();
    const high = kthBin(await this.#count(own, "high", 0), kth);
    const low = kthBin(await this.#count(own, "low", high.bin), kth - high.below);
    return float32Of(high.bin * 2 ** 16 + low.bin);
  }

  async #count(
    own: readonly { readonly found: DeviceBuffer; readonly elements: number }[],
    digit: "high" | "low",
    prefix: number,
  ): Promise<Float64Array> {
    const { device, scratch } = this.#bench;
    const source = { element: "f32", digit } as const;
    const bins = magnitudeBins(source);
    const total = new Float64Array(bins);
    for (const { found, elements } of own) {
      const counts = scratch.zeroed("score counts", bins * 4);
      device.run([call(magnitudeHistogram, source, { elements, prefix }, [found, counts])]);
      const words = new Uint32Array((await device.read(counts, bins * 4)).buffer);
      for (const [bin, number] of words.entries()) total[bin] = (total[bin] ?? 0) + number;
    }
    return total;
  }

  async #end({ tile, weights, original, plain }: WorkingRows, take: TakeRows): Promise<void> {
    this.#queue.flush();
    const { cols, element } = this.#matrix;
    const found = new Float32Array((await this.#bench.device.read(weights, tile.rows * cols * 4)).buffer);
    // What is stored is what counts.
    await take(tile, original, plain, elementValues(elementBytes(found, element), element));
  }
}
