import type { LinearStep } from "../../architectures/graph.ts";
import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { PartPruning } from "../../schemes/pruning.ts";
import { type KeptParts, type ModelParts, modelParts } from "../shrink.ts";
import { rowBytesOf } from "../tiles.ts";
import { columnStatistics, observeInputs } from "./input-statistics.ts";
import type { MatrixReport } from "./method-report.ts";
import { matrixOf, matrixReport, type Stage, type StageSetup } from "./stage.ts";

/** Bytes of a matrix that are made zero at a time. */
const TILE_BYTES = 4 * 2 ** 20;

/**
 * Structured pruning over the layers: channels, heads or whole layers with the smallest scores are made zero where they are
 * read. `shrink.ts` says why that is the same as their removal.
 * Channels and heads of a layer are scored by what the pruned layers before it make; layers all by the model as it was, as
 * ShortGPT's authors have it, and go together at the end.
 */
export class StructuredStage implements Stage {
  readonly matrices: MatrixReport[] = [];
  readonly smoothings = [];
  readonly #setup: StageSetup;
  readonly #parts: ModelParts;
  /** Of channels and heads, layer by layer. */
  readonly #byLayer: (readonly number[])[] = [];
  /** Of layers. */
  readonly #influences: number[] = [];

  constructor(setup: StageSetup, pruning: PartPruning) {
    this.#setup = setup;
    this.#parts = modelParts(setup.walk.setup.before, pruning);
  }

  /** What stays; complete after the last layer. */
  get kept(): KeptParts {
    const { structure } = this.#parts.pruning;
    if (structure === "layers") return { structure, layers: this.#strongest(this.#influences) };
    return { structure, byLayer: this.#byLayer };
  }

  async apply(layer: number): Promise<void> {
    if (this.#parts.pruning.structure === "layers") return this.#influence(layer);
    const [reader] = this.#parts.readers[layer] ?? [];
    if (!reader) throw new Error(`no matrix reads the parts of layer ${layer}`);
    const scores = await this.#scores(layer, reader);
    const kept = this.#strongest(scores);
    this.#byLayer.push(kept);
    await this.#clear(reader, kept);
  }

  /** The places of the scores that are not among the smallest, in rising order. */
  #strongest(scores: readonly number[]): readonly number[] {
    const { count, removed } = this.#parts;
    if (scores.length !== count) throw new Error(`${scores.length} scores of ${count} parts`);
    // What is not finite cannot be called small.
    const rank = (part: number) => (Number.isNaN(scores[part]) ? Number.POSITIVE_INFINITY : (scores[part] ?? 0));
    const order = [...scores.keys()].sort((a, b) => (rank(a) === rank(b) ? a - b : rank(a) - rank(b)));
    return order.slice(removed).sort((a, b) => a - b);
  }

  /** Of each part the squares of its weights' Wanda scores, summed: Σ |w|² ‖x‖² over the columns that read it. */
  async #scores(layer: number, reader: LinearStep): Promise<readonly number[]> {
    const { walk } = this.#setup;
    const { count } = this.#parts;
    const found = await observeInputs(walk, layer, new Set([reader.module]));
    const inputs = found.get(reader.module);
    if (!inputs) throw new Error(`no statistics of ${reader.module}`);
    // Means instead of sums: all columns have as many rows.
    const { meanSquare: energies } = await columnStatistics(walk.setup.bench, matrixOf(this.#setup, reader));
    const width = reader.inFeatures / count;
    return Array.from({ length: count }, (_, part) => {
      const columns = Array.from({ length: width }, (_, at) => part * width + at);
      return columns.reduce((sum, at) => sum + (energies[at] ?? 0) * (inputs.meanSquare[at] ?? 0), 0);
    });
  }

  /** Looks how much a layer changes the residual stream; after the last one the weakest go. */
  async #influence(layer: number): Promise<void> {
    const { walk } = this.#setup;
    const { bench, before } = walk.setup;
    const steps = { layer, first: 0, end: walk.steps(layer).length };
    const width = walk.setup.graph.registers.get("hidden") ?? 0;
    const sums = { cosine: 0, rows: 0 };
    await walk.eachInput(1, async ({ batch, hidden }) => {
      const sizeBytes = batch.rows * width * 4;
      const input = new Float32Array((await bench.device.read(hidden, sizeBytes)).buffer);
      await walk.runPart(before, batch, steps, [new Map([["hidden", hidden]])]);
      const output = new Float32Array((await bench.device.read(hidden, sizeBytes)).buffer);
      for (let row = 0; row < batch.rows; row++) sums.cosine += cosineOf(input, output, row * width, width);
      sums.rows += batch.rows;
    });
    this.#influences.push(1 - sums.cosine / sums.rows);
    walk.tell(layer, 0.5);
    if (this.#influences.length < this.#parts.count) return;
    const kept = this.#strongest(this.#influences);
    for (const [weak, readers] of this.#parts.readers.entries()) {
      if (kept.includes(weak)) continue;
      for (const reader of readers) {
        await this.#clear(reader, []);
        if (reader.bias !== null) await this.#clearTensor(reader.bias);
      }
    }
  }

  /** Writes zeros into all columns of a matrix that belong to none of these parts. */
  async #clear(reader: LinearStep, kept: readonly number[]): Promise<void> {
    const { patched } = this.#setup;
    const matrix = matrixOf(this.#setup, reader);
    const { pruning, count } = this.#parts;
    this.matrices.push(matrixReport(matrix));
    if (pruning.structure === "layers") return this.#clearTensor(matrix.tensor.name);
    const width = (matrix.cols / count) * FLOAT_FORMATS[matrix.element].sizeBytes;
    const stay = new Set(kept);
    const gone = Array.from({ length: count }, (_, part) => part).filter((part) => !stay.has(part));
    const rowBytes = rowBytesOf(matrix);
    const tileRows = Math.max(1, Math.floor(TILE_BYTES / rowBytes));
    for (let row = 0; row < matrix.rows; row += tileRows) {
      const rows = Math.min(tileRows, matrix.rows - row);
      // A copy: what a source hands out may be its own.
      const bytes = (await patched.read(matrix.tensor.name, row * rowBytes, rows * rowBytes)).slice();
      for (let at = 0; at < bytes.length; at += rowBytes) {
        for (const part of gone) bytes.fill(0, at + part * width, at + (part + 1) * width);
      }
      await patched.write(matrix.tensor.name, row * rowBytes, bytes);
    }
  }

  async #clearTensor(name: string): Promise<void> {
    const { patched } = this.#setup;
    const { start, end } = patched.tensor(name);
    for (let at = 0; at < end - start; at += TILE_BYTES) {
      await patched.write(name, at, new Uint8Array(Math.min(TILE_BYTES, end - start - at)));
    }
  }
}

/** Cosine between two rows, in float64; 1 where both are zero. */
function cosineOf(input: Float32Array, output: Float32Array, start: number, width: number): number {
  let [product, one, other] = [0, 0, 0];
  for (let at = start; at < start + width; at++) {
    const [a, b] = [input[at] ?? 0, output[at] ?? 0];
    product += a * b;
    one += a * a;
    other += b * b;
  }
  if (one === 0 || other === 0) return one === other ? 1 : 0;
  return product / Math.sqrt(one * other);
}
