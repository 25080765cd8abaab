import { BF16 } from "../../src/base/float-format.ts";
import { isJsonArray, isJsonNumber, isJsonObject, parseJson } from "../../src/base/json.ts";
import type { Device } from "../../src/device/device.ts";
import type { EngineHost } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { leadersOf } from "../../src/engine/methods/shared-inputs.ts";
import { ModelParameters, ORIGINAL_SOURCE } from "../../src/engine/model-parameters.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { readHeader } from "../../src/formats/safetensors/header.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { type ChannelStatistics, StatisticsTap } from "../../src/models/channel-statistics.ts";
import { runModel } from "../../src/models/model-run.ts";
import type { LogitsSink, LogitsTile } from "../../src/models/run-setup.ts";
import { batchWindows } from "../../src/models/windows.ts";

/** Families whose logits transformers computed: a folder each of `fixtures/golden/architectures`. */
export const ARCHITECTURES = [
  "llama",
  "llama3-rope-untied-bias",
  "mistral-window",
  "qwen2",
  "qwen3",
  "gpt2",
  "phi3",
  "gemma2",
  "gemma3",
  "gpt_neox",
  "opt",
  "mixtral",
] as const;

/** Files of such a folder, by their path in it. */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

/** All logits of all windows. */
export class LogitsCollector implements LogitsSink {
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly logits: Float32Array<ArrayBuffer>;
  readonly #device: Device;
  readonly #vocabulary: number;
  #tile: LogitsTile | null = null;

  constructor(device: Device, rows: number, vocabulary: number) {
    this.#device = device;
    this.#vocabulary = vocabulary;
    this.rows = new Uint32Array(rows).map((_, row) => row);
    this.logits = new Float32Array(rows * vocabulary);
  }

  take(tile: LogitsTile): void {
    this.#tile = tile;
  }

  async endTile(): Promise<void> {
    if (!this.#tile) throw new Error("a tile without logits");
    const { logits, first, columns } = this.#tile;
    const found = new Float32Array((await this.#device.read(logits, this.rows.length * columns * 4)).buffer);
    for (let row = 0; row < this.rows.length; row++) {
      this.logits.set(found.subarray(row * columns, (row + 1) * columns), row * this.#vocabulary + first);
    }
  }
}

/** What the lab computes of a model. */
export interface ModelOutput {
  /** [rows, vocabulary], the rows of all windows one after the other. */
  readonly logits: Float32Array;
  readonly statistics: ReadonlyMap<string, ChannelStatistics>;
  readonly device: Device;
}

/** Runs a model folder over windows of ids. */
export async function runFolder(
  host: EngineHost,
  folder: Folder,
  windows: readonly (readonly number[])[],
): Promise<ModelOutput> {
  const checkpoint = await openCheckpoint(folder);
  const graph = decoderOf(checkpoint);
  const devices = new DeviceSet(host);
  const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
  try {
    const { device } = bench;
    const batch = batchWindows(windows);
    const sink = new LogitsCollector(device, batch.rows, graph.vocabularySize);
    // Those that share an input are looked at together, as the engine does it.
    const leaders = new Map(graph.layers.flatMap((steps) => [...leadersOf(steps)]));
    const tap = new StatisticsTap(device, leaders);
    const parameters = new ModelParameters(bench, checkpoint, [ORIGINAL_SOURCE], () => {});
    await runModel({ device, graph, parameters, variants: [{ roundsTo: null, tap }], batch, sink });
    return { logits: sink.logits, statistics: tap.statistics, device };
  } finally {
    await bench.close();
    devices.close();
  }
}

/** Deviations of what the lab computes from what transformers computed. */
export interface Deviations {
  /** Absolute, of all logits. */
  readonly largest: number;
  readonly median: number;
  /** By statistic, the largest of all channels of all modules: relative, minimum and maximum as shares of the channel's absmax. */
  readonly statistics: Readonly<Record<string, number>>;
  /** Modules whose statistics were compared. */
  readonly modules: number;
}

/** Runs one folder of `fixtures/golden/architectures` and compares. */
export async function deviationsOf(host: EngineHost, name: string, read: ReadFile): Promise<Deviations> {
  const names = ["config.json", "model.safetensors"];
  const files = new Map<string, ReturnType<typeof createBufferSource>>();
  for (const file of names) files.set(file, createBufferSource(file, await read(`model/${file}`)));
  const { logits, statistics } = await runFolder(host, { name, files }, windowsIn(await read("tokens.json")));
  const expected = await tensorsOf(await read("logits.safetensors"));
  const reference = expected.get("logits");
  if (!(reference instanceof Float32Array) || reference.length !== logits.length) throw new Error("other logits");
  const differences = Float64Array.from(logits, (value, index) => Math.abs(value - (reference[index] ?? 0))).sort();
  const wanted = await tensorsOf(await read("statistics.safetensors"));
  const worst: Record<string, number> = {};
  const modules = new Set([...wanted.keys()].map((key) => key.slice(0, key.lastIndexOf("."))));
  for (const module of modules) {
    const own = statistics.get(module);
    if (!own) throw new Error(`no statistics of ${module}`);
    const absMax = wanted.get(`${module}.absmax`) ?? new Float64Array();
    const columns = [
      ["absmax", own.absMax],
      ["min", own.min],
      ["max", own.max],
      ["mean_abs", own.meanAbs],
      ["mean_square", own.meanSquare],
    ] as const;
    for (const [key, values] of columns) {
      const target = wanted.get(`${module}.${key}`) ?? new Float64Array();
      for (const [channel, value] of values.entries()) {
        const scale = key === "min" || key === "max" ? absMax[channel] : target[channel];
        const deviation = Math.abs(value - (target[channel] ?? Number.NaN)) / Math.max(Math.abs(scale ?? 0), 1e-300);
        worst[key] = Math.max(worst[key] ?? 0, deviation);
      }
    }
  }
  return {
    largest: differences.at(-1) ?? Number.NaN,
    median: differences[Math.floor(differences.length / 2)] ?? Number.NaN,
    statistics: worst,
    modules: modules.size,
  };
}

/** Windows of a file of tokens. */
export function windowsIn(bytes: Uint8Array): readonly (readonly number[])[] {
  const document = parseJson(bytes, "tokens.json");
  const windows = isJsonObject(document) ? document.get("windows") : undefined;
  if (!isJsonArray(windows)) throw new Error("no windows");
  return windows.map((window) => {
    if (!isJsonArray(window)) throw new Error("a window that is no list");
    return window.map((id) => (isJsonNumber(id) ? Number(id.text) : Number.NaN));
  });
}

/** Tensors of a small safetensors file in bf16, float32 or float64. */
export async function tensorsOf(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ReadonlyMap<string, Float32Array | Float64Array>> {
  const { tensors } = await readHeader(createBufferSource("golden.safetensors", bytes));
  return new Map(
    tensors.map(({ name, dtype, start, end }) => {
      const own = bytes.slice(start, end).buffer;
      if (dtype === "BF16") return [name, Float32Array.from(new Uint16Array(own), BF16.fromBits)];
      return [name, dtype === "F64" ? new Float64Array(own) : new Float32Array(own)];
    }),
  );
}
