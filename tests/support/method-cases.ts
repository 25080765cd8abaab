import { SeededRandom } from "../../src/base/random.ts";
import type { DeviceBuffer } from "../../src/device/device.ts";
import type { EngineHost } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import type { CheckpointPlan } from "../../src/engine/checkpoint-plan.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { elementBytes, elementValues } from "../../src/engine/element-values.ts";
import { Methods } from "../../src/engine/methods/methods.ts";
import { ModelParameters, ORIGINAL_SOURCE, storedFormat } from "../../src/engine/model-parameters.ts";
import type { WorkHooks } from "../../src/engine/pace.ts";
import type { PreparedText } from "../../src/engine/text-api.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { type Checkpoint, openCheckpoint, sourceOf } from "../../src/formats/huggingface/checkpoint.ts";
import { readHeader } from "../../src/formats/safetensors/header.ts";
import { planSafetensors } from "../../src/formats/safetensors/writer.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { createMemoryWorkspace } from "../../src/formats/workspaces/memory-workspace.ts";
import { runModel } from "../../src/models/model-run.ts";
import { batchWindows } from "../../src/models/windows.ts";
import { floatNameOf } from "../../src/schemes/layout.ts";
import { parseRecipe } from "../../src/schemes/recipe.ts";
import { LogitsCollector, type ReadFile } from "./architecture-cases.ts";
import { textOf } from "./id-text.ts";

/** Modules that no method is tried on. */
export const IGNORE = ["lm_head", "re:.*embed_tokens", "re:.*\\.ln_", "re:.*\\.wpe$", "re:.*\\.wte$"];

/** Every architecture of `fixtures/golden/architectures` has this many ids. */
const VOCABULARY = 160;

/** Random ids, in windows of equal length. */
export function madeText(windows: number, length: number, seed = 7): PreparedText {
  const random = new SeededRandom(seed);
  return textOf(Array.from({ length: windows }, () => Array.from({ length }, () => random.nextUint32() % VOCABULARY)));
}

/** A model as it lies in fixtures. */
export async function modelFolder(name: string, read: ReadFile): Promise<Folder> {
  const names = ["config.json", "model.safetensors"];
  const files = names.map(async (file) => [file, createBufferSource(file, await read(`model/${file}`))] as const);
  return { name, files: new Map(await Promise.all(files)) };
}

/**
 * The same with some of its values changed.
 * @param change called with each tensor's values, row-major, to be written to
 * @param isWidened whether all tensors become float32, where what is folded rounds a thousandth as much
 */
export async function changedFolder(
  name: string,
  read: ReadFile,
  change: (tensor: string, values: Float32Array, shape: readonly number[]) => void,
  isWidened: boolean,
): Promise<Folder> {
  const bytes = await read("model/model.safetensors");
  const { tensors } = await readHeader(createBufferSource("model.safetensors", bytes));
  const changed = tensors.map((tensor) => {
    const element = floatNameOf(tensor.dtype, tensor.name, "changing a model");
    const values = elementValues(bytes.slice(tensor.start, tensor.end), element);
    change(tensor.name, values, tensor.shape);
    const own = elementBytes(values, isWidened ? "f32" : element);
    return { ...tensor, dtype: isWidened ? ("F32" as const) : tensor.dtype, sizeBytes: own.length, bytes: own };
  });
  const plan = planSafetensors(changed);
  const file = new Uint8Array(plan.sizeBytes);
  file.set(plan.header);
  for (const [index, { start }] of plan.tensors.entries()) file.set(changed[index]?.bytes ?? [], start);
  const config = createBufferSource("config.json", await read("model/config.json"));
  const weights = createBufferSource("model.safetensors", file);
  return { name, files: new Map([config, weights].map((source) => [source.name, source])) };
}

/** Values of a tensor of a checkpoint. */
export async function valuesOf(checkpoint: Checkpoint, name: string): Promise<Float32Array> {
  const tensor = checkpoint.tensors.find((own) => own.name === name);
  if (!tensor) throw new Error(`no tensor ${name}`);
  const bytes = await sourceOf(checkpoint, tensor).read(tensor.start, tensor.end);
  return elementValues(bytes, floatNameOf(tensor.dtype, name, "reading a model"));
}

/** Methods on one model, without an engine around them, and a look into it. */
export class MethodBench {
  readonly checkpoint: Checkpoint;
  readonly #devices: DeviceSet;
  readonly #methods: Methods;

  private constructor(host: EngineHost, checkpoint: Checkpoint) {
    this.checkpoint = checkpoint;
    this.#devices = new DeviceSet(host);
    this.#methods = new Methods(this.#devices, host.workspace ?? createMemoryWorkspace, host.now);
  }

  static async open(host: EngineHost, folder: Folder): Promise<MethodBench> {
    return new MethodBench(host, await openCheckpoint(folder));
  }

  /** What a recipe leaves to be rounded, its method run. */
  plan(recipe: string, calibration: PreparedText, hooks: WorkHooks = {}): Promise<CheckpointPlan> {
    const rules = { ignore: IGNORE, arithmetic: "eager", calibration } as const;
    return this.#methods.plan(this.checkpoint, parseRecipe(recipe), rules, hooks);
  }

  /** What goes into a linear layer of the original in its own dtype: row by row, all windows one after the other. */
  async inputs(module: string, windows: readonly (readonly number[])[]): Promise<readonly Float32Array[]> {
    const rowsFound: Float32Array[] = [];
    const roundsTo = storedFormat(this.checkpoint, decoderOf(this.checkpoint).embedding.tensor);
    await this.#run(
      this.checkpoint,
      windows,
      roundsTo === "f32" ? null : roundsTo,
      async (bench, name, input, shape) => {
        if (name !== module) return;
        const { rows, width } = shape;
        const values = new Float32Array((await bench.device.read(input, rows * width * 4)).buffer);
        for (let row = 0; row < rows; row++) rowsFound.push(values.slice(row * width, (row + 1) * width));
      },
    );
    return rowsFound;
  }

  /** Logits [rows, vocabulary] in float32 of a checkpoint with this one's config. */
  logits(checkpoint: Checkpoint, windows: readonly (readonly number[])[]): Promise<Float32Array> {
    return this.#run(checkpoint, windows, null, async () => {});
  }

  async #run(
    checkpoint: Checkpoint,
    windows: readonly (readonly number[])[],
    roundsTo: "bf16" | "f16" | null,
    look: (
      bench: Bench,
      module: string,
      input: DeviceBuffer,
      shape: { readonly rows: number; readonly width: number },
    ) => Promise<void>,
  ): Promise<Float32Array> {
    const graph = decoderOf(checkpoint);
    const bench = new Bench(this.#devices, await this.#devices.primary("multiplying"), undefined, "multiplying");
    try {
      const { device } = bench;
      const batch = batchWindows(windows);
      const sink = new LogitsCollector(device, batch.rows, graph.vocabularySize);
      const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], () => {});
      const tap = {
        take: (module: string, input: DeviceBuffer, rows: number, width: number) =>
          look(bench, module, input, { rows, width }),
      };
      await runModel({ device, graph, parameters, variants: [{ roundsTo, tap }], batch, sink });
      return sink.logits;
    } finally {
      await bench.close();
    }
  }

  async close(): Promise<void> {
    await this.#methods.clear();
    this.#devices.close();
  }
}

/** Codes and scales of a matrix of 4 bits in an exported file, symmetric; codes row by row, scales as bytes and as values. */
export async function packedMatrix(
  file: Uint8Array,
  module: string,
): Promise<{
  readonly codes: readonly (readonly number[])[];
  readonly scaleBytes: Uint8Array;
  readonly scales: Float32Array;
}> {
  const bytes = Uint8Array.from(file);
  const { tensors } = await readHeader(createBufferSource("model.safetensors", bytes));
  const part = (suffix: string) => {
    const tensor = tensors.find(({ name }) => name === `${module}.${suffix}`);
    if (!tensor) throw new Error(`no ${module}.${suffix}`);
    return { tensor, own: bytes.slice(tensor.start, tensor.end) };
  };
  const packed = part("weight_packed");
  const scale = part("weight_scale");
  const [rows = 0, words = 0] = packed.tensor.shape;
  const found = new Uint32Array(packed.own.buffer);
  // Eight codes a word, lowest bits first, counted from -8.
  const codes = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: 8 * words }, (_, at) => (((found[row * words + (at >> 3)] ?? 0) >>> (4 * (at & 7))) & 15) - 8),
  );
  return {
    codes,
    scaleBytes: scale.own,
    scales: elementValues(scale.own, floatNameOf(scale.tensor.dtype, module, "reading scales")),
  };
}
