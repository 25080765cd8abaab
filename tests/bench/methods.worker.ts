// Calibrated methods as the engine runs them, beside what they cannot do without.
import * as Comlink from "comlink";
import type { Device, DeviceBuffer } from "../../src/device/device.ts";
import { call, type KernelCall } from "../../src/device/kernel.ts";
import type { DeviceChoice } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { runMethod } from "../../src/engine/methods/method-run.ts";
import { leadersOf } from "../../src/engine/methods/shared-inputs.ts";
import { ModelParameters, ORIGINAL_SOURCE, storedFormat } from "../../src/engine/model-parameters.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { type Checkpoint, openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { createBlobFolder } from "../../src/formats/sources/blob-source.ts";
import { createMemoryWorkspace } from "../../src/formats/workspaces/memory-workspace.ts";
import { cholesky } from "../../src/kernels/linear/cholesky.ts";
import { gram } from "../../src/kernels/linear/gram.ts";
import { wholeOutput } from "../../src/kernels/linear/linear.oracle.ts";
import { linear } from "../../src/kernels/linear/linear.ts";
import { triangularInverse } from "../../src/kernels/linear/triangular_inverse.ts";
import { type ChannelStatistics, StatisticsTap } from "../../src/models/channel-statistics.ts";
import { runModel } from "../../src/models/model-run.ts";
import type { InputTap, Variant } from "../../src/models/run-setup.ts";
import { batchWindows, type WindowBatch } from "../../src/models/windows.ts";
import { parseRecipe } from "../../src/schemes/recipe.ts";
import { DEFAULT_IGNORE } from "../../src/schemes/targets.ts";
import { textOf } from "../support/id-text.ts";
import { hostOf } from "./bench-host.ts";
import { CallRecord } from "./call-record.ts";
import { kernelTimes } from "./kernel-times.ts";
import { madeModel, madeWindows } from "./made-model.ts";
import { freshSeed, madeWeights } from "./made-weights.ts";
import type { ModelWork } from "./model.worker.ts";
import { timeRounds } from "./rounds.ts";

/** Channels of each linear layer whose statistics are held against sums in float64. */
const CHECKED_CHANNELS = 3;

/** Sums of 64 float32 terms are off by less than 64 · 2⁻²⁴ of the terms' magnitudes; powers are rounded twice before. */
const SAME_STATISTICS = 66 * 2 ** -24;

/** Where the bench's server has what the lab brings along. */
const FIXTURES = "/fixtures/";
const MODEL = "quantlab-4m";

/** Each layer is run to be looked at, and run again as it has become. */
const PASSES = 2;

type OpenModel = Awaited<ReturnType<typeof openModel>>;

async function openModel(choice: DeviceChoice, checkpoint: Checkpoint) {
  const devices = new DeviceSet(hostOf(choice));
  const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
  const close = async () => {
    await bench.close();
    devices.close();
  };
  return { checkpoint, graph: decoderOf(checkpoint), devices, device: bench.device, bench, close };
}

/** A pass of the model up to its head, in float32 or rounded as its own dtype rounds. */
async function forward(
  { checkpoint, graph, device, bench }: OpenModel,
  roundsTo: Variant["roundsTo"],
  batch: WindowBatch,
  tap: InputTap | null,
): Promise<void> {
  const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], () => {});
  try {
    await runModel({ device, graph, parameters, variants: [{ roundsTo, ...(tap && { tap }) }], batch, sink: null });
  } finally {
    parameters.destroy();
  }
}

const api = {
  /** A pass of a made model up to its head, and the same with statistics of what goes into each linear layer. */
  async statistics(choice: DeviceChoice, work: ModelWork, rounds: number) {
    const checkpoint = await openCheckpoint(madeModel(work, freshSeed()));
    const opened = await openModel(choice, checkpoint);
    const { device, graph } = opened;
    const leaders = new Map(graph.layers.flatMap((steps) => [...leadersOf(steps)]));
    const batch = batchWindows(madeWindows(work.windows, work.tokens, work.vocabulary, freshSeed()));
    const observed = async (look: (tap: StatisticsTap) => InputTap = (tap) => tap) => {
      const tap = new StatisticsTap(device, leaders);
      await forward(opened, null, batch, look(tap));
      return tap.statistics;
    };
    try {
      await requireExactStatistics(device, observed);
      const cases = [
        { name: "plain", run: () => forward(opened, null, batch, null) },
        { name: "observed", run: async () => void (await observed()) },
      ];
      const ms = await timeRounds(cases, rounds);
      const times = await kernelTimes(device, async () => void (await observed()));
      return { adapter: device.adapter, ms, tokens: batch.rows, times };
    } finally {
      await opened.close();
    }
  },

  /**
   * GPTQ of the bundled model under W4A16; by themselves the products of its Hessians and their factorizations, the very calls
   * that it makes; those products as whole ones; and as many plain passes as it runs each layer.
   * @throws Error where a matrix is left as it was, or the error of its output is not below plain rounding's
   */
  async gptq(choice: DeviceChoice, windows: number, rounds: number) {
    const checkpoint = await openCheckpoint(await bundledModel());
    const calibration = textOf((await bundledWindows()).slice(0, windows));
    const opened = await openModel(choice, checkpoint);
    const { device, devices, graph } = opened;
    const cpu = await devices.cpu();
    const batch = batchWindows(calibration.windows);
    const format = storedFormat(checkpoint, graph.embedding.tensor);
    const roundsTo = format === "f32" ? null : format;
    const job = {
      checkpoint,
      recipe: parseRecipe("gptq | W4A16"),
      ignore: DEFAULT_IGNORE,
      arithmetic: "eager",
      calibration,
    } as const;
    const run = async () => {
      const { plan, workspace } = await runMethod(job, devices, createMemoryWorkspace, () => performance.now(), {});
      await workspace.close();
      return plan;
    };
    try {
      const hessians = new CallRecord(device, [gram.name]);
      const factors = new CallRecord(cpu, [cholesky.name, triangularInverse.name]);
      await hessians.during(() => factors.during(async () => requireBetter(await run())));
      const products = hessians.again((buffer, place) => {
        if (place === 0) device.write(buffer, madeWeights(buffer.sizeBytes / 4, "f32", freshSeed()));
      });
      const whole = wholeProducts(device, products);
      // The factor of the identity is itself, and so is its inverse: what is overwritten can be factored again.
      const factorizations = factors.again((buffer, place, { kernel, shape }) => {
        const { n } = shape as { readonly n: number };
        if (kernel.bindings[place]?.name === "matrix") cpu.write(buffer, identity(n));
      });
      const cases = [
        { name: "gptq", run: async () => void (await run()) },
        {
          name: "hessians",
          run: async () => {
            for (const one of products) device.run([one]);
            await device.settle();
          },
        },
        {
          name: "gemm",
          run: async () => {
            for (const one of whole) device.run([one]);
            await device.settle();
          },
        },
        {
          name: "passes",
          run: async () => {
            for (let pass = 0; pass < PASSES; pass++) await forward(opened, roundsTo, batch, null);
          },
        },
        {
          name: "factorizations",
          run: async () => {
            for (const one of factorizations) cpu.run([one]);
            await cpu.settle();
          },
        },
      ];
      const ms = await timeRounds(cases, rounds);
      const times = await kernelTimes(device, async () => void (await run()));
      return { adapter: device.adapter, ms, tokens: batch.rows, times };
    } finally {
      await opened.close();
    }
  },
};

/** Refuses statistics that are not the sums of what went into each layer, in float64. */
async function requireExactStatistics(
  device: Device,
  observed: (look: (tap: StatisticsTap) => InputTap) => Promise<ReadonlyMap<string, ChannelStatistics>>,
): Promise<void> {
  const inputs = new Map<string, { readonly values: Float32Array; readonly width: number }>();
  const found = await observed((tap) => ({
    async take(module: string, input: DeviceBuffer, rows: number, width: number) {
      inputs.set(module, { values: new Float32Array((await device.read(input, rows * width * 4)).buffer), width });
      await tap.take(module, input, rows, width);
    },
  }));
  if (inputs.size === 0) throw new Error("no inputs");
  for (const [module, { values, width }] of inputs) {
    const own = found.get(module);
    for (let channel = 0; channel < width; channel += Math.ceil(width / CHECKED_CHANNELS)) {
      const column = Array.from({ length: values.length / width }, (_, row) => values[row * width + channel] ?? 0);
      const mean = (term: (value: number) => number) =>
        column.reduce((sum, value) => sum + term(value), 0) / column.length;
      const moments = [
        [own?.meanAbs, Math.abs],
        [own?.meanSquare, (x: number) => x ** 2],
        [own?.mean, (x: number) => x],
        [own?.meanCube, (x: number) => x ** 3],
        [own?.meanFourth, (x: number) => x ** 4],
      ] as const;
      const areMeans = moments.every(([means, term]) => {
        const off = Math.abs((means?.[channel] ?? Number.NaN) - mean(term));
        return off <= SAME_STATISTICS * mean((value) => Math.abs(term(value)));
      });
      const [least, most] = [Math.min(...column), Math.max(...column)];
      if (!areMeans || own?.min[channel] !== least || own.max[channel] !== most) {
        throw new Error(`statistics of channel ${channel} of ${module} are not those of its inputs: not timed`);
      }
    }
  }
}

/** The products XᵀX of the same sizes as any product: none of them spared by symmetry. */
function wholeProducts(
  device: Device,
  hessians: readonly KernelCall<DeviceBuffer>[],
): readonly KernelCall<DeviceBuffer>[] {
  const made = new Map<string, DeviceBuffer>();
  const buffer = (role: string, count: number) => {
    const key = `${role} ${count}`;
    const known = made.get(key) ?? device.createBuffer(4 * count);
    if (!made.has(key)) device.write(known, madeWeights(count, "f32", freshSeed()));
    made.set(key, known);
    return known;
  };
  return hessians.map(({ shape }) => {
    const { rows, width } = shape as { readonly rows: number; readonly width: number };
    const operands = [buffer("x", width * rows), buffer("y", width * rows), buffer("product", width * width)];
    return call(linear, {}, { m: width, n: width, k: rows, ...wholeOutput(width) }, operands);
  });
}

/** Refuses a run that did not do its work. */
function requireBetter({ method }: Awaited<ReturnType<typeof runMethod>>["plan"]): void {
  for (const { module, fallback, outputError } of method?.stages[0]?.matrices ?? []) {
    const [own, plain] = [outputError?.method ?? Number.NaN, outputError?.plain ?? Number.NaN];
    if (fallback !== null) throw new Error(`${module}: ${fallback}`);
    if (!(own < plain)) throw new Error(`${module}: its output is ${own} off, of plain rounding ${plain}: not timed`);
  }
  if (!method?.stages[0]?.matrices.length) throw new Error("GPTQ left every matrix as it was");
}

async function bundledModel(): Promise<Folder> {
  const files = ["config.json", "model.safetensors"].map(async (name) => {
    const answer = await fetch(`${FIXTURES}models/${MODEL}/${name}`);
    return [name, await answer.blob()] as const;
  });
  return createBlobFolder(MODEL, await Promise.all(files));
}

/** The bundled calibration text as the bundled model's ids. */
async function bundledWindows(): Promise<readonly (readonly number[])[]> {
  const answer = await fetch(`${FIXTURES}text/calibration.tokens.json`);
  const { windows } = await answer.json();
  return windows;
}

/** float64 [n, n]. */
function identity(n: number): Uint8Array {
  const values = new Float64Array(n * n);
  for (let at = 0; at < n; at++) values[at * (n + 1)] = 1;
  return new Uint8Array(values.buffer);
}

export type MethodsApi = typeof api;

Comlink.expose(api);
