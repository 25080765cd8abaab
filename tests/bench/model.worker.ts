// A small model as the engine runs it: beside its products alone, and with variants beside it.
import * as Comlink from "comlink";
import type { DecoderGraph } from "../../src/architectures/graph.ts";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call, type KernelCall } from "../../src/device/kernel.ts";
import type { DeviceChoice, EngineHost } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import { appliedOf } from "../../src/engine/candidate.ts";
import { planCheckpoint, refusalOf } from "../../src/engine/checkpoint-plan.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { measureDivergence } from "../../src/engine/measure-divergence.ts";
import { ModelParameters, ORIGINAL_SOURCE } from "../../src/engine/model-parameters.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { type Checkpoint, openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { wholeOutput } from "../../src/kernels/linear/linear.oracle.ts";
import { linear } from "../../src/kernels/linear/linear.ts";
import { joinScores } from "../../src/metrics/token-scores.ts";
import { matricesOf, runModel } from "../../src/models/model-run.ts";
import type { LogitsSink } from "../../src/models/run-setup.ts";
import { batchWindows, type WindowBatch } from "../../src/models/windows.ts";
import { parseRecipe } from "../../src/schemes/recipe.ts";
import { DEFAULT_IGNORE } from "../../src/schemes/targets.ts";
import { runFolder } from "../support/architecture-cases.ts";
import { hostOf } from "./bench-host.ts";
import { distance } from "./distance.ts";
import { kernelTimes } from "./kernel-times.ts";
import { type ModelSizes, madeModel, madeWindows } from "./made-model.ts";
import { freshSeed, madeWeights } from "./made-weights.ts";
import { timeRounds } from "./rounds.ts";
import { TransferCounter } from "./transfer-counter.ts";

/** What is run. */
export interface ModelWork extends ModelSizes {
  readonly windows: number;
  /** Of each window. */
  readonly tokens: number;
}

/** Tokens of which the oracles compute logits: they take seconds for more. */
const CHECKED_TOKENS = 16;

/** Orders of float32 sums are a millionth apart after some layers; what is wrong is so in the first digits. */
const SAME_LOGITS = 1e-4;

/** Has all logits made, and none looked at. */
class UnreadLogits implements LogitsSink {
  readonly rows: Uint32Array<ArrayBuffer>;

  constructor({ rows }: WindowBatch) {
    this.rows = new Uint32Array(rows).map((_, row) => row);
  }

  take(): void {}

  async endTile(): Promise<void> {}
}

/** A model on the kind of device that its host wants. */
class OpenModel {
  readonly checkpoint: Checkpoint;
  readonly graph: DecoderGraph;
  readonly devices: DeviceSet;
  readonly device: Device;

  private constructor(checkpoint: Checkpoint, devices: DeviceSet, device: Device) {
    this.checkpoint = checkpoint;
    this.graph = decoderOf(checkpoint);
    this.devices = devices;
    this.device = device;
  }

  static async open(host: EngineHost, folder: Folder): Promise<OpenModel> {
    const devices = new DeviceSet(host);
    const { device } = await devices.primary("multiplying");
    return new OpenModel(await openCheckpoint(folder), devices, device);
  }

  /** One pass of the model alone, from the file to the logits of every token. */
  async forward(bench: Bench, batch: WindowBatch): Promise<void> {
    const { checkpoint, device, graph } = this;
    const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], () => {});
    try {
      const sink = new UnreadLogits(batch);
      await runModel({ device, graph, parameters, variants: [{ roundsTo: null }], batch, sink });
    } finally {
      parameters.destroy();
    }
  }

  /** The products of that pass, each matrix in float32 on the device beforehand. */
  products(batch: WindowBatch): readonly KernelCall<DeviceBuffer>[] {
    // The embedding comes first and is looked up, not multiplied with.
    const [, ...matrices] = matricesOf(this.graph, batch.longest);
    const most = (size: "rows" | "cols") => Math.max(...matrices.map((matrix) => matrix[size]));
    const inputs = this.#filled(batch.rows * most("cols"));
    const outputs = this.device.createBuffer(4 * batch.rows * most("rows"));
    return matrices.map(({ rows: n, cols: k }) =>
      call(linear, {}, { m: batch.rows, n, k, ...wholeOutput(n) }, [inputs, this.#filled(n * k), outputs]),
    );
  }

  #filled(count: number): DeviceBuffer {
    const buffer = this.device.createBuffer(4 * count);
    this.device.write(buffer, madeWeights(count, "f32", freshSeed()));
    return buffer;
  }

  /** Scores of what recipes make of the model, by the one pass that a measurement takes over a single window. */
  async measure(schemes: readonly string[], windows: readonly (readonly number[])[]) {
    const candidates = schemes.map((scheme) => {
      const plan = planCheckpoint(this.checkpoint, parseRecipe(scheme), DEFAULT_IGNORE);
      const refusal = refusalOf(plan);
      if (refusal) throw refusal;
      return {
        kind: "recipe",
        plan,
        applied: appliedOf({ weights: true, activations: false, kvCache: null }),
      } as const;
    });
    const job = { checkpoint: this.checkpoint, candidates, arithmetic: "eager", windows } as const;
    const memory = { known: async () => [], keep: async () => {} };
    const { scores } = await measureDivergence(job, this.devices, {}, memory, () => {});
    return scores.map((own) => joinScores(own).kld);
  }

  close(): void {
    this.devices.close();
  }
}

const api = {
  /**
   * A whole pass of a made model and its products alone, in turns, after a look at whether its logits are the oracles'; then
   * what each kernel takes in a pass.
   */
  async forward(choice: DeviceChoice, work: ModelWork, rounds: number) {
    const folder = madeModel(work, freshSeed());
    const windows = madeWindows(work.windows, work.tokens, work.vocabulary, freshSeed());
    await requireOracleLogits(choice, folder, windows);
    const model = await OpenModel.open(hostOf(choice), folder);
    const { device, devices } = model;
    const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
    try {
      const batch = batchWindows(windows);
      const products = model.products(batch);
      const cases = [
        { name: "forward", run: () => model.forward(bench, batch) },
        {
          name: "products",
          run: async () => {
            // One after the other and not waited for in between: what the products take by themselves, and no more.
            for (const product of products) device.run([product]);
            await device.settle();
          },
        },
      ];
      const ms = await timeRounds(cases, rounds);
      const [, ...matrices] = matricesOf(model.graph, batch.longest);
      const weights = matrices.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
      const times = await kernelTimes(device, () => model.forward(bench, batch));
      return { adapter: device.adapter, ms, tokens: batch.rows, products: batch.rows * weights, times };
    } finally {
      await bench.close();
      model.close();
    }
  },

  /**
   * Recipes measured beside the original in one run, and each in a run of its own, in turns.
   * @throws Error where a byte of the weights is read or uploaded twice in a run, or figures of the two differ
   */
  async variants(choice: DeviceChoice, work: ModelWork, schemes: readonly string[], rounds: number) {
    const counter = new TransferCounter();
    const folder = counter.watchedFolder(madeModel(work, freshSeed()));
    const windows = madeWindows(1, work.tokens, work.vocabulary, freshSeed());
    const model = await OpenModel.open(hostOf(choice), folder);
    counter.watch(model.device);
    try {
      const counted = async (own: readonly string[]): Promise<Counted> => {
        counter.clear();
        const kld = await model.measure(own, windows);
        return { kld, transfers: counter.requireOnce(model.checkpoint) };
      };
      const alone: Counted[] = [];
      const beside: Counted[] = [];
      const cases = [
        {
          name: "together",
          run: async () => {
            beside[0] = await counted(schemes);
          },
        },
        {
          name: "apart",
          run: async () => {
            for (const [index, scheme] of schemes.entries()) alone[index] = await counted([scheme]);
          },
        },
      ];
      const ms = await timeRounds(cases, rounds);
      const transfers = requireSame(schemes, beside[0], alone);
      return { adapter: model.device.adapter, ms, ...transfers };
    } finally {
      model.close();
    }
  },
};

/** The scored positions of each recipe in one run, and what the run moved. */
interface Counted {
  readonly kld: readonly Float64Array[];
  readonly transfers: ReturnType<TransferCounter["requireOnce"]>;
}

/** Recipes come to the same bits beside others and alone. @returns what the run of all of them moved */
function requireSame(schemes: readonly string[], beside: Counted | undefined, alone: readonly Counted[]) {
  if (!beside) throw new Error("nothing was measured");
  for (const [index, scheme] of schemes.entries()) {
    const [own, other] = [alone[index]?.kld[0], beside.kld[index]];
    if (!own?.every((value, position) => value === other?.[position])) {
      throw new Error(`${scheme} comes to something else beside others than alone`);
    }
  }
  return beside.transfers;
}

/** Runs the whole text on a device and the beginning of it by the oracles; later tokens do not change earlier logits. */
async function requireOracleLogits(
  choice: DeviceChoice,
  folder: Folder,
  windows: readonly (readonly number[])[],
): Promise<void> {
  const [first = []] = windows;
  const oracle = await runFolder(hostOf("reference"), folder, [first.slice(0, CHECKED_TOKENS)]);
  const found = await runFolder(hostOf(choice), folder, windows);
  const apart = distance(found.logits.subarray(0, oracle.logits.length), oracle.logits);
  if (!(apart <= SAME_LOGITS)) throw new Error(`logits are ${apart} off the oracles': not timed`);
}

export type ModelApi = typeof api;

Comlink.expose(api);
