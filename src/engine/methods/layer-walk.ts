import type { DecoderGraph, Step } from "../../architectures/graph.ts";
import type { FloatName } from "../../base/float-format.ts";
import type { DeviceBuffer } from "../../device/device.ts";
import type { Checkpoint } from "../../formats/huggingface/checkpoint.ts";
import type { WorkFile, Workspace } from "../../formats/workspaces/workspace.ts";
import { runModel } from "../../models/model-run.ts";
import type { InputTap, RunPart } from "../../models/run-setup.ts";
import { batchWindows, type WindowBatch } from "../../models/windows.ts";
import type { Bench } from "../bench.ts";
import { ModelParameters, ORIGINAL_SOURCE, storedFormat, type VariantSource } from "../model-parameters.ts";
import { passEnd } from "../passes.ts";

/** What a walk runs. */
export interface WalkSetup {
  readonly bench: Bench;
  readonly graph: DecoderGraph;
  /** What layers are looked at in. */
  readonly before: Checkpoint;
  /** The same with the weights that have changed so far: what comes out of its layers goes into the next ones. */
  readonly after: Checkpoint;
  readonly workspace: Workspace;
  /** Token ids of the calibration text. */
  readonly windows: readonly (readonly number[])[];
  /** Told what is at hand, and the share of all layers that is done. */
  readonly progress: (item: string, share: number) => void;
}

/** Some windows at the beginning of a layer, on the device. */
export interface LayerInput {
  readonly batch: WindowBatch;
  /** The residual stream, float32 [rows, width]; it is the caller's to change, and stands until the call is over. */
  readonly hidden: DeviceBuffer;
}

/**
 * Runs a calibration text through a model layer by layer, in the checkpoint's own dtype, as LLM Compressor's sequential pipeline
 * does: a layer is looked at, changed, and run again, so that the next one sees what the changed one makes. Between layers the
 * residual stream lies in a workspace.
 * Source: LLM Compressor 0.14 `pipelines/sequential/pipeline.py :: SequentialPipeline.__call__`.
 */
export class LayerWalk {
  readonly setup: WalkSetup;
  /** What the model is run in. */
  readonly format: FloatName;
  readonly #stream: WorkFile;

  private constructor(setup: WalkSetup, format: FloatName, stream: WorkFile) {
    this.setup = setup;
    this.format = format;
    this.#stream = stream;
  }

  /** Looks the text up in the embedding. */
  static async begin(setup: WalkSetup): Promise<LayerWalk> {
    const { graph, before, after, windows, workspace } = setup;
    const rows = windows.reduce((sum, { length }) => sum + length, 0);
    const stream = await workspace.create(rows * widthOfStream(graph) * 4);
    const walk = new LayerWalk(setup, storedFormat(before, graph.embedding.tensor), stream);
    await walk.#eachBatch(1, async ({ batch, hidden }) => {
      await walk.runPart(after, batch, null, [new Map([["hidden", hidden]])]);
      return hidden;
    });
    return walk;
  }

  steps(layer: number): readonly Step[] {
    return this.setup.graph.layers[layer] ?? [];
  }

  /** Tells how far a layer is. @param share from 0 to 1 */
  tell(layer: number, share: number): void {
    this.setup.progress(`layer ${layer}`, (layer + share) / this.setup.graph.layers.length);
  }

  /** Runs a layer as it was, to look at it: up to what goes into its last linear layer, whose product nobody asks for. */
  async observe(layer: number, tap: InputTap): Promise<void> {
    const { bench, before } = this.setup;
    const own = this.steps(layer);
    const end = own.findLastIndex(({ kind }) => kind === "linear");
    const last = own[end];
    if (last?.kind !== "linear") return;
    const { module, input, inFeatures } = last;
    await this.eachInput(1, async ({ batch, hidden }) => {
      const made = input === "hidden" ? null : bench.device.createBuffer(batch.rows * inFeatures * 4);
      const register = made ?? hidden;
      const lent = new Map([
        ["hidden", hidden],
        [input, register],
      ]);
      try {
        await this.runPart(before, batch, { layer, first: 0, end }, [lent], [ORIGINAL_SOURCE], tap);
        await tap.take(module, register, batch.rows, inFeatures);
      } finally {
        made?.destroy();
      }
    });
    this.tell(layer, 0.5);
  }

  /** Runs a layer as it is by now, so that the next one can be run. */
  async advance(layer: number): Promise<void> {
    const steps = { layer, first: 0, end: this.steps(layer).length };
    await this.#eachBatch(1, async ({ batch, hidden }) => {
      await this.runPart(this.setup.after, batch, steps, [new Map([["hidden", hidden]])]);
      return hidden;
    });
    this.tell(layer, 1);
  }

  /**
   * What goes into the layer at hand, some windows at a time.
   * @param models that are to run side by side on it
   */
  async eachInput(models: number, use: (input: LayerInput) => Promise<void>): Promise<void> {
    await this.#eachBatch(models, async (input) => {
      await use(input);
      return null;
    });
  }

  /** Runs some steps with what is lent to them, a variant for each source. */
  async runPart(
    checkpoint: Checkpoint,
    batch: WindowBatch,
    steps: RunPart["steps"],
    lent: RunPart["lent"],
    sources: readonly VariantSource[] = [ORIGINAL_SOURCE],
    tap: InputTap | null = null,
  ): Promise<void> {
    const { bench, graph } = this.setup;
    const parameters = new ModelParameters(bench, checkpoint, sources, () => {});
    const roundsTo = this.format === "f32" ? null : this.format;
    const variants = sources.map(() => ({ roundsTo, ...(tap && { tap }) }));
    try {
      await runModel({ device: bench.device, graph, parameters, variants, batch, sink: null, part: { steps, lent } });
    } finally {
      parameters.destroy();
    }
  }

  /** @param use gives back what is to be kept in the stream's place, or null */
  async #eachBatch(models: number, use: (input: LayerInput) => Promise<DeviceBuffer | null>): Promise<void> {
    const { bench, graph, windows } = this.setup;
    const rowBytes = widthOfStream(graph) * 4;
    let firstRow = 0;
    for (let first = 0; first < windows.length; ) {
      const end = passEnd(graph, windows, first, models);
      const batch = batchWindows(windows.slice(first, end));
      const [start, size] = [firstRow * rowBytes, batch.rows * rowBytes];
      const bytes = await this.#stream.read(start, start + size);
      const hidden = bench.device.createBuffer(size);
      try {
        bench.device.write(hidden, bytes);
        const kept = await use({ batch, hidden });
        if (kept) await this.#stream.write(start, await bench.device.read(kept, size));
      } finally {
        hidden.destroy();
      }
      firstRow += batch.rows;
      first = end;
    }
  }
}

function widthOfStream({ registers }: DecoderGraph): number {
  const width = registers.get("hidden");
  if (width === undefined) throw new Error("a graph without a residual stream");
  return width;
}
