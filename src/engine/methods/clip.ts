import type { DeviceBuffer } from "../../device/device.ts";
import { call } from "../../device/kernel.ts";
import { sourceOf } from "../../formats/huggingface/checkpoint.ts";
import { elementWords } from "../../kernels/elements.ts";
import { embed } from "../../kernels/model/embed.ts";
import { clip } from "../../kernels/quant/clip.ts";
import { CLIP_STEPS } from "../../kernels/quant/clip_search.oracle.ts";
import { clipSearch } from "../../kernels/quant/clip_search.ts";
import { minMax } from "../../kernels/stats/min_max.ts";
import type { InputTap } from "../../models/run-setup.ts";
import { modulePlace, type PlannedMatrix } from "../checkpoint-plan.ts";
import { groupSizeOf, rowBytesOf } from "../tiles.ts";
import type { MatrixReport } from "./method-report.ts";
import { matrixReport, plannedInputs, type Stage, type StageSetup } from "./stage.ts";

/** Tokens on which products are compared, at most. Source: llm-awq `auto_clip.py :: auto_clip_layer`, `n_sample_token`. */
const MOST_TOKENS = 512;

/**
 * Whether a module makes queries or keys, alone or among others: what their errors come to shows only in products of the two.
 * Source: llm-awq `auto_clip.py :: auto_clip_block`, whose list knows fused ones as `query_key_value` and `Wqkv`.
 */
export function makesQueriesOrKeys(module: string): boolean {
  return /q_|k_|query|key|qkv|c_attn/i.test(modulePlace(module).moduleKind);
}

/**
 * Clipping over the layers: the weights of each group are clamped to the limit under which its part of the product loses least.
 * Queries and keys are left alone, and matrices with one scale for all of them.
 */
export class ClipStage implements Stage {
  readonly matrices: MatrixReport[] = [];
  readonly smoothings = [];
  readonly #setup: StageSetup;

  constructor(setup: StageSetup) {
    const matrices = setup.plan.matrices.filter(
      ({ scheme, module }) =>
        scheme !== null && scheme.weights.granularity.strategy !== "tensor" && !makesQueriesOrKeys(module),
    );
    this.#setup = { ...setup, plan: { ...setup.plan, matrices } };
  }

  async apply(layer: number): Promise<void> {
    const { walk } = this.#setup;
    const { device } = walk.setup.bench;
    const planned = plannedInputs(this.#setup, layer);
    const sample = new InputSample(this.#setup, new Map(planned.map(({ leader, width }) => [leader, width])));
    try {
      await walk.observe(layer, sample);
      for (const { leader, matrices, width } of planned) {
        const inputs = await sample.finite(leader, width);
        for (const matrix of matrices) await this.#clip(matrix, inputs);
        await device.settle();
      }
    } finally {
      sample.destroy();
    }
  }

  async #clip(matrix: PlannedMatrix, inputs: Float32Array<ArrayBuffer>): Promise<void> {
    const { walk, patched } = this.#setup;
    const { bench } = walk.setup;
    const { cols, element, scheme } = matrix;
    if (!scheme) throw new Error(`${matrix.module} is not quantized`);
    const { bits, symmetric } = scheme.weights;
    const tokens = inputs.length / cols;
    const rowBytes = rowBytesOf(matrix);
    const groupsPerRow = cols / groupSizeOf(scheme, cols, cols);
    let groups = 0;
    const current = { ...matrix, source: sourceOf(walk.setup.before, matrix.tensor) };
    await bench.streamTiles(this.#walkOf(current, tokens), async (tile, bytes) => {
      const { device, scratch } = bench;
      const elements = tile.rows * cols;
      const count = tile.rows * groupsPerRow;
      const groupSize = cols / groupsPerRow;
      const weights = scratch.filled("weights", bytes);
      const sampled = scratch.filled("sampled inputs", new Uint8Array(inputs.buffer));
      const limits = scratch.buffer("clip limits", count * 4);
      const extremes = scratch.buffer("extremes clip", count * 8);
      const clipped = scratch.buffer("clipped", elementWords(elements, element) * 4);
      const shape = { rows: tile.rows, cols, groupSize, tokens };
      device.run([
        call(minMax, { element }, { elements, groupSize }, [weights, extremes]),
        call(clipSearch, { element, bits, symmetric }, shape, [weights, sampled, limits]),
        call(clip, { element }, { elements, groupSize }, [weights, limits, clipped]),
      ]);
      const [found, largest, kept] = await Promise.all([
        device.read(limits, count * 4),
        device.read(extremes, count * 8),
        device.read(clipped, tile.rows * rowBytes),
      ]);
      groups += narrowed(new Float32Array(found.buffer), new Float32Array(largest.buffer));
      await patched.write(matrix.tensor.name, tile.row * rowBytes, kept);
    });
    this.matrices.push(matrixReport(matrix, { clipped: { groups, of: matrix.rows * groupsPerRow } }));
  }

  /** Tiles of as many rows as a device searches in one go. */
  #walkOf(matrix: PlannedMatrix, tokens: number) {
    const { productsPerRun } = this.#setup.walk.setup.bench.device;
    const perRow = CLIP_STEPS * Math.max(1, tokens) * matrix.cols;
    const mostBytes = Math.max(1, Math.floor(productsPerRun / perRow)) * rowBytesOf(matrix);
    return { matrix, mostBytes };
  }
}

/** Groups whose limit is below their largest magnitude. */
function narrowed(limits: Float32Array, extremes: Float32Array): number {
  return limits.reduce((sum, limit, group) => {
    const largest = Math.max(extremes[2 * group] ?? 0, extremes[2 * group + 1] ?? 0);
    return sum + (limit < largest ? 1 : 0);
  }, 0);
}

/** Keeps evenly spaced tokens of what goes into some linear layers, on the device. */
class InputSample implements InputTap {
  readonly #setup: StageSetup;
  readonly #tokens: Uint32Array<ArrayBuffer>;
  readonly #kept = new Map<string, DeviceBuffer>();
  readonly #seen = new Map<string, number>();
  readonly #places: DeviceBuffer;

  /** @param widths by module */
  constructor(setup: StageSetup, widths: ReadonlyMap<string, number>) {
    const { bench, windows } = setup.walk.setup;
    const { device } = bench;
    this.#setup = setup;
    const rows = windows.reduce((sum, { length }) => sum + length, 0);
    const step = Math.max(1, Math.ceil(rows / MOST_TOKENS));
    this.#tokens = Uint32Array.from({ length: Math.ceil(rows / step) }, (_, index) => index * step);
    this.#places = device.createBuffer(Math.max(16, this.#tokens.byteLength));
    device.write(this.#places, new Uint8Array(this.#tokens.buffer));
    for (const [module, width] of widths) {
      this.#kept.set(module, device.createBuffer(Math.max(16, this.#tokens.length * width * 4)));
    }
  }

  async take(module: string, input: DeviceBuffer, rows: number, width: number): Promise<void> {
    const kept = this.#kept.get(module);
    if (!kept) return;
    const { device } = this.#setup.walk.setup.bench;
    const first = this.#seen.get(module) ?? 0;
    // Looking rows up by their numbers is what an embedding does.
    const shape = { rows: this.#tokens.length, width, first, count: rows, scale: 1 };
    device.run([call(embed, { adds: false }, shape, [this.#places, input, kept])]);
    this.#seen.set(module, first + rows);
    await device.settle();
  }

  /** The tokens of which all numbers are finite, float32 [tokens, width]. */
  async finite(module: string, width: number): Promise<Float32Array<ArrayBuffer>> {
    const kept = this.#kept.get(module);
    if (!kept) throw new Error(`no sample of ${module}`);
    const { device } = this.#setup.walk.setup.bench;
    const bytes = await device.read(kept, this.#tokens.length * width * 4);
    const values = new Float32Array(bytes.buffer);
    let count = 0;
    for (let row = 0; row < this.#tokens.length; row++) {
      const own = values.subarray(row * width, (row + 1) * width);
      if (own.every(Number.isFinite)) values.copyWithin(count++ * width, row * width, (row + 1) * width);
    }
    return values.slice(0, count * width);
  }

  destroy(): void {
    this.#places.destroy();
    for (const kept of this.#kept.values()) kept.destroy();
    this.#kept.clear();
  }
}
