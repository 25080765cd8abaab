import type { DecoderGraph, LinearStep, Step } from "../architectures/graph.ts";
import { FLOAT_FORMATS } from "../base/float-format.ts";
import type { DeviceBuffer } from "../device/device.ts";
import { call } from "../device/kernel.ts";
import { linear } from "../kernels/linear/linear.ts";
import { copy } from "../kernels/measure/copy.ts";
import { addRow } from "../kernels/model/add_row.ts";
import { embed } from "../kernels/model/embed.ts";
import { roundTo } from "../kernels/model/round_to.ts";
import { softCap } from "../kernels/model/soft_cap.ts";
import { CallQueue } from "./call-queue.ts";
import type { MatrixToRun, WeightTile } from "./parameters.ts";
import { Registers } from "./registers.ts";
import { RoundingCalls } from "./rounding-calls.ts";
import type { LogitsSink, ModelRunSetup, RunPart } from "./run-setup.ts";
import { StepCalls } from "./step-calls.ts";

/** Bytes of logits that are kept of one variant. */
const LOGITS_BYTES = 32 * 2 ** 20;

/** Ids that are looked at together in any case. */
const LEAST_HEAD_ROWS = 64;

/** Rows that a product goes on by, so that whole bands of tiles are cut off. */
const ROW_BAND = 256;

/** Bytes of registers that a token takes in one variant, what is rounded in copies among them. */
export function registerBytes({ registers }: DecoderGraph): number {
  const widths = [...registers.values()];
  return 4 * (widths.reduce((sum, width) => sum + width, 0) + Math.max(...widths));
}

/**
 * Every matrix of a graph, or of a part of it, in the order of the run.
 * @param longest tokens of the longest window
 * @param mostHeadRows rows that a tile of the head may have
 */
export function matricesOf(
  graph: DecoderGraph,
  longest: number,
  mostHeadRows = Number.POSITIVE_INFINITY,
  part?: Pick<RunPart, "steps">,
): readonly MatrixToRun[] {
  if (part?.steps) return stepsOf(graph, part.steps).flatMap((step) => (step.kind === "linear" ? matrixOf(step) : []));
  const { embedding, layers, head, vocabularySize } = graph;
  const whole = (tensor: string, rows: number): MatrixToRun => ({
    place: { tensor, firstRow: 0, isTransposed: false },
    rows,
    cols: widthOf(graph, "hidden"),
    mostRows: Number.POSITIVE_INFINITY,
  });
  const embeddings = [
    whole(embedding.tensor, vocabularySize),
    ...(embedding.positions ? [whole(embedding.positions.tensor, embedding.positions.offset + longest)] : []),
  ];
  if (part) return embeddings;
  const linears = layers.flat().filter((step) => step.kind === "linear");
  return [
    ...embeddings,
    ...linears.map(matrixOf),
    { ...whole(head.tensor, vocabularySize), cols: widthOf(graph, "final"), mostRows: mostHeadRows },
  ];
}

/**
 * Runs all variants over a batch of windows, layer by layer: each tile of weights serves all of them, each keeps its own
 * registers. Logits go to the sink tile by tile and are not kept.
 * @throws LabError as `Parameters` and the device do
 */
export async function runModel(setup: ModelRunSetup): Promise<void> {
  const { device, graph, variants, batch } = setup;
  const own = variants.map(
    (_, variant) => new Registers(device, graph.registers, batch.rows, setup.part?.lent[variant]),
  );
  const shared = new Registers(device, new Map(), batch.rows);
  try {
    await new ModelRun(setup, own, shared).run();
    await device.settle();
  } finally {
    for (const registers of [...own, shared]) registers.destroy();
  }
}

class ModelRun {
  readonly #setup: ModelRunSetup;
  readonly #own: readonly Registers[];
  readonly #shared: Registers;
  readonly #queue: CallQueue;
  readonly #steps: StepCalls;
  readonly #roundings: RoundingCalls;
  readonly #mostHeadRows: number;
  /** Matrices that are still to come. */
  readonly #upcoming: MatrixToRun[];

  constructor(setup: ModelRunSetup, own: readonly Registers[], shared: Registers) {
    this.#setup = setup;
    this.#own = own;
    this.#shared = shared;
    this.#queue = new CallQueue(setup.device);
    this.#roundings = new RoundingCalls(setup, own, shared, this.#queue);
    this.#steps = new StepCalls(setup, shared, this.#queue, this.#roundings);
    const { device, graph, batch, sink } = setup;
    const logits = Math.floor(Math.min(LOGITS_BYTES, device.maxBufferBytes) / 4);
    this.#mostHeadRows = Math.max(LEAST_HEAD_ROWS, Math.floor(logits / Math.max(1, sink?.rows.length ?? 0)));
    this.#upcoming = [...matricesOf(graph, batch.longest, this.#mostHeadRows, setup.part)];
  }

  async run(): Promise<void> {
    const { graph, sink, watch, part } = this.#setup;
    if (part) return this.#runPart(part);
    await this.#embed();
    for (const [index, layer] of graph.layers.entries()) {
      this.#restart();
      await this.#doSteps(layer);
      const streams = this.#own.map((registers) => registers.buffer("hidden"));
      await watch?.layerDone(index, streams, widthOf(graph, "hidden"), this.#queue);
    }
    await this.#doSteps(graph.ending);
    const finals = await this.#inputs(graph.head.module, "final");
    if (sink) await this.#head(sink, finals);
    else this.#queue.flush();
  }

  async #runPart({ steps }: RunPart): Promise<void> {
    if (steps === null) await this.#embed();
    else await this.#doSteps(stepsOf(this.#setup.graph, steps));
    this.#queue.flush();
  }

  /** Gives the variants that ask for it the original's residual stream. */
  #restart(): void {
    const { graph, batch, variants } = this.#setup;
    const words = batch.rows * widthOf(graph, "hidden");
    for (const [variant, { isRestarted }] of variants.entries()) {
      if (!isRestarted) continue;
      const buffers = [this.#registers(0).buffer("hidden"), this.#registers(variant).buffer("hidden")];
      this.#queue.add(call(copy, {}, { vectors: words / 4 }, buffers), words);
      this.#changed(variant, "hidden");
    }
  }

  async #doSteps(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.kind === "linear") await this.#linear(step);
      else await this.#steps.add(step, this.#own, (variant, register) => this.#changed(variant, register));
    }
  }

  async #embed(): Promise<void> {
    const { graph, batch, variants } = this.#setup;
    const { embedding, vocabularySize } = graph;
    const width = widthOf(graph, "hidden");
    const lookUp = async (rows: number, ids: DeviceBuffer, adds: boolean, scale: number) => {
      await this.#eachTile(rows, async (tile) => {
        for (const [variant, registers] of this.#own.entries()) {
          const { round } = FLOAT_FORMATS[variants[variant]?.roundsTo ?? "f32"];
          const shape = { rows: batch.rows, width, first: tile.firstRow, count: tile.rows, scale: round(scale) };
          const buffers = [ids, await tile.weightsOf(variant), registers.buffer("hidden")];
          this.#queue.add(call(embed, { adds }, shape, buffers), batch.rows * width);
        }
      });
    };
    const tokens = this.#shared.filled("tokens", batch.tokens);
    await lookUp(vocabularySize, tokens, false, embedding.scale);
    if (embedding.positions) {
      const { offset } = embedding.positions;
      const places = batch.positions.map((position) => position + offset);
      await lookUp(offset + batch.longest, this.#shared.filled("places", places), true, 1);
    }
    for (const variant of variants.keys()) this.#changed(variant, "hidden");
  }

  async #linear(step: LinearStep): Promise<void> {
    const { batch, variants, parameters } = this.#setup;
    const { module, input, output, outFeatures, inFeatures } = step;
    const inputs = await this.#inputs(module, input);
    await this.#eachTile(outFeatures, async (tile) => {
      for (const [variant, own] of inputs.entries()) {
        const place = { outputStride: outFeatures, outputStart: tile.firstRow };
        const weights = await tile.weightsOf(variant);
        const buffers = [own, weights, this.#registers(variant).buffer(output)] as const;
        this.#multiply(batch.rows, tile.rows, inFeatures, place, buffers);
      }
    });
    for (const variant of variants.keys()) {
      const target = this.#registers(variant).buffer(output);
      if (step.bias !== null) {
        const bias = await parameters.vector(variant, step.bias, outFeatures);
        const shape = { rows: batch.rows, width: outFeatures };
        this.#queue.add(call(addRow, {}, shape, [bias, target]), batch.rows * outFeatures);
      }
      this.#changed(variant, output);
    }
  }

  async #head(sink: LogitsSink, finals: readonly DeviceBuffer[]): Promise<void> {
    const { graph, variants } = this.#setup;
    const { head, vocabularySize } = graph;
    const rows = sink.rows.length;
    const width = widthOf(graph, "final");
    const wanted = this.#shared.filled("wanted rows", sink.rows);
    const inputs = finals.map((final, variant) => {
      const compact = this.#shared.made(`wanted ${variant}`, rows * width);
      const shape = { rows, width, first: 0, count: this.#setup.batch.rows, scale: 1 };
      this.#queue.add(call(embed, { adds: false }, shape, [wanted, final, compact]), rows * width);
      return compact;
    });
    const columns = Math.min(this.#mostHeadRows, vocabularySize);
    const base = this.#shared.made("logits of the original", rows * columns);
    const other = this.#shared.made("logits of a variant", rows * columns);
    await this.#eachTile(vocabularySize, async (tile) => {
      for (const [variant, { roundsTo }] of variants.entries()) {
        const logits = variant === 0 ? base : other;
        const elements = rows * tile.rows;
        const weights = await tile.weightsOf(variant);
        const buffers = [inputs[variant] as DeviceBuffer, weights, logits] as const;
        this.#multiply(rows, tile.rows, width, { outputStride: tile.rows, outputStart: 0 }, buffers);
        if (roundsTo) this.#queue.add(call(roundTo, { element: roundsTo }, { elements }, [logits]), elements);
        if (head.softCap !== null) {
          this.#queue.add(
            call(softCap, { rounding: roundsTo }, { elements, cap: head.softCap }, [logits]),
            16 * elements,
          );
          if (roundsTo) this.#queue.add(call(roundTo, { element: roundsTo }, { elements }, [logits]), elements);
        }
        await sink.take({ variant, first: tile.firstRow, columns: tile.rows, logits, base }, this.#queue);
      }
      this.#queue.flush();
      await sink.endTile();
    });
  }

  /** The next matrix, tile by tile. */
  async #eachTile(rows: number, use: (tile: WeightTile) => Promise<void>): Promise<void> {
    const matrix = this.#upcoming.shift();
    if (!matrix || matrix.rows !== rows) throw new Error("matrices are used in their order");
    const { parameters } = this.#setup;
    parameters.announce(this.#upcoming[0] ?? null);
    this.#queue.flush();
    await parameters.eachTile(matrix, async ({ firstRow, rows: count, weightsOf }) => {
      const flushed = (variant: number) => {
        this.#queue.flush();
        return weightsOf(variant);
      };
      await use({ firstRow, rows: count, weightsOf: flushed });
      this.#queue.flush();
    });
  }

  /** y = x Wᵀ in pieces that a device takes at once. */
  #multiply(
    rows: number,
    n: number,
    k: number,
    place: { readonly outputStride: number; readonly outputStart: number },
    buffers: readonly [DeviceBuffer, DeviceBuffer, DeviceBuffer],
  ): void {
    const bands = Math.max(1, Math.floor(this.#setup.device.productsPerRun / (n * k * ROW_BAND)));
    const few = Math.max(1, Math.floor(this.#setup.device.productsPerRun / (n * k * 4))) * 4;
    const step = bands * ROW_BAND <= few ? bands * ROW_BAND : few;
    for (let firstRow = 0; firstRow < rows; firstRow += step) {
      const m = Math.min(step, rows - firstRow);
      this.#queue.add(call(linear, {}, { m, n, k, firstRow, ...place }, buffers), m * n * k);
    }
  }

  /** What a linear layer is multiplied with, by variant. */
  async #inputs(module: string, register: string): Promise<readonly DeviceBuffer[]> {
    const { variants, batch, graph } = this.#setup;
    const inputs = variants.map((_, variant) => this.#roundings.input(variant, module, register));
    for (const [variant, { tap }] of variants.entries()) {
      const input = inputs[variant];
      if (!tap || !input) continue;
      this.#queue.flush();
      await tap.take(module, input, batch.rows, widthOf(graph, register));
    }
    return inputs;
  }

  /** To be told of each register that a variant has got a new value in. */
  #changed(variant: number, register: string): void {
    this.#roundings.forget(variant, register);
    const element = this.#setup.variants[variant]?.roundsTo;
    if (!element) return;
    const elements = this.#setup.batch.rows * widthOf(this.#setup.graph, register);
    const target = this.#registers(variant).buffer(register);
    this.#queue.add(call(roundTo, { element }, { elements }, [target]), elements);
  }

  #registers(variant: number): Registers {
    return this.#own[variant] as Registers;
  }
}

function widthOf({ registers }: DecoderGraph, register: string): number {
  const width = registers.get(register);
  if (width === undefined) throw new Error(`a graph without the register ${register}`);
  return width;
}

/** Some steps of a layer. */
function stepsOf({ layers }: DecoderGraph, { layer, first, end }: NonNullable<RunPart["steps"]>): readonly Step[] {
  return (layers[layer] ?? []).slice(first, end);
}

function matrixOf({ weight, outFeatures, inFeatures }: LinearStep): MatrixToRun {
  return { place: weight, rows: outFeatures, cols: inFeatures, mostRows: Number.POSITIVE_INFINITY };
}
