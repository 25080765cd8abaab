import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { BF16, FLOAT_FORMATS } from "../../src/base/float-format.ts";
import { isJsonArray, isJsonNumber } from "../../src/base/json.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { createEngine } from "../../src/engine/engine.ts";
import { Methods } from "../../src/engine/methods/methods.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { writeQuantized } from "../../src/engine/quantize.ts";
import { WHOLE_PRESET } from "../../src/engine/roundings.ts";
import type { PreparedText } from "../../src/engine/text-api.ts";
import type { ByteSource, Folder } from "../../src/formats/byte-source.ts";
import { type Checkpoint, openCheckpoint, sourceOf } from "../../src/formats/huggingface/checkpoint.ts";
import { planSafetensors } from "../../src/formats/safetensors/writer.ts";
import { createBufferSource } from "../../src/formats/sources/buffer-source.ts";
import { createMemoryWorkspace } from "../../src/formats/workspaces/memory-workspace.ts";
import { parseRecipe } from "../../src/schemes/recipe.ts";
import { runFolder, windowsIn } from "../support/architecture-cases.ts";
import { memoryHost } from "../support/memory-host.ts";
import { createMemoryOutput } from "../support/memory-output.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const IGNORE = ["lm_head", "re:.*embed_tokens"];
const REQUEST = { arithmetic: "eager", ignore: IGNORE } as const;

const wasmHost = () => memoryHost({ device: "wasm", wasm: nodeWasm() });

function textOf(windows: readonly (readonly number[])[]): PreparedText {
  return {
    windows,
    slices: [{ name: "made", places: windows.map((_, place) => place) }],
    source: "made",
    tokenizer: "none",
    bos: null,
    hash: `${windows.flat().reduce((sum, id, at) => (sum * 31 + id * at) % 1_000_003, 7)}`,
    windowHashes: windows.map((_, place) => `${place}`),
    textHashes: [],
    findings: [],
  };
}

/** Ids below a vocabulary, in windows of a length. */
function madeWindows(vocabulary: number, count: number, length: number): readonly (readonly number[])[] {
  const id = (at: number) => (at * at * 37 + at * 11 + 5) % vocabulary;
  return Array.from({ length: count }, (_, window) => Array.from({ length }, (_, at) => id(window * length + at)));
}

function folderOf(path: string, names: readonly string[]): Folder {
  const files = names.map((name) => [name, createBufferSource(name, readFileSync(join(path, name)))] as const);
  return { name: "made", files: new Map(files) };
}

const NAMES = ["config.json", "model.safetensors"];
const bundled = () => folderOf(join(FIXTURES, "models/quantlab-4m"), NAMES);

/** Runs a recipe, and writes its checkpoint. */
async function shrunkBy(scheme: string, folder: Folder, windows: readonly (readonly number[])[]) {
  const host = wasmHost();
  const devices = new DeviceSet(host);
  const methods = new Methods(devices, createMemoryWorkspace, host.now);
  const checkpoint = await openCheckpoint(folder);
  const rules = { ...REQUEST, calibration: textOf(windows) };
  const plan = await methods.plan(checkpoint, parseRecipe(scheme), rules, {});
  const output = createMemoryOutput();
  const result = await writeQuantized(plan, { scheme, ...rules }, output, devices, host, {});
  const written = [...output.files].map(([name, bytes]) => [name, createBufferSource(name, bytes.slice())] as const);
  const smaller: Folder = { name: "smaller", files: new Map(written) };
  /** The model of which the parts are zero. */
  const shards = plan.checkpoint.shards.map(({ name, source }): [string, ByteSource] => [name, source]);
  const zeroed: Folder = { name: "zeroed", files: new Map([...folder.files, ...shards]) };
  const close = async () => {
    await methods.clear();
    devices.close();
  };
  return { plan, result, smaller, zeroed, checkpoint: await openCheckpoint(smaller), close };
}

/** The largest difference of two models' logits, as a share of the largest logit. */
async function deviation(one: Folder, other: Folder, windows: readonly (readonly number[])[]): Promise<number> {
  const a = (await runFolder(wasmHost(), one, windows)).logits;
  const b = (await runFolder(wasmHost(), other, windows)).logits;
  expect(a.length).toBe(b.length);
  const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(a.map((value, at) => value - (b[at] ?? Number.NaN))) / largest(a);
}

/**
 * Zeros in a sum change nothing but which products are added up first: a few roundings of float32, of sums of some hundred
 * products, through a few layers.
 */
const ROUNDINGS = 64 * 2 ** -24;

function numberOf({ config }: Checkpoint, key: string): number | null {
  const value = config?.get(key);
  return isJsonNumber(value) ? value.asNumber() : null;
}

const shapesOf = ({ tensors }: Checkpoint, pattern: RegExp) =>
  tensors.filter(({ name }) => pattern.test(name)).map(({ shape }) => shape.join(" "));

test.each([
  ["wanda:channels:0.25", 12, { intermediate_size: 576, num_attention_heads: 8, num_hidden_layers: 4 }],
  ["wanda:heads:0.5", 16, { num_attention_heads: 4, num_key_value_heads: 2, head_dim: 32, intermediate_size: 768 }],
  ["wanda:layers:0.25", 7, { num_hidden_layers: 3, num_attention_heads: 8, intermediate_size: 768 }],
])(
  "%s: the smaller model computes what the zeroed one does, in as many bytes as were said",
  async (name, matrices, numbers) => {
    const windows = madeWindows(2048, 2, 48);
    const { plan, result, smaller, zeroed, checkpoint, close } = await shrunkBy(`${name} | none`, bundled(), windows);
    expect(Object.fromEntries(Object.keys(numbers).map((key) => [key, numberOf(checkpoint, key)]))).toEqual(numbers);
    expect(await deviation(zeroed, smaller, windows)).toBeLessThan(ROUNDINGS);
    // The pruning is one: the original computes something else.
    expect(await deviation(bundled(), smaller, windows)).toBeGreaterThan(1e-3);
    const written = smaller.files.get("model.safetensors")?.sizeBytes;
    expect([plan.fileBytes, result.fileBytes.value]).toEqual([written, written]);
    expect(written).toBeLessThan(bundled().files.get("model.safetensors")?.sizeBytes ?? 0);
    expect([...smaller.files.keys()].sort()).toEqual(NAMES);
    expect(result.quantizedModules).toBe(matrices);
    // Nothing is stored as zeros.
    expect(result.notices).toEqual([]);
    await close();
  },
);

test.each([
  ["llama3-rope-untied-bias", ["wanda:channels:0.5", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["mistral-window", ["wanda:channels:0.25", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["qwen2", ["wanda:channels:0.25", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["qwen3", ["wanda:channels:0.25", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["gemma2", ["wanda:channels:0.25", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["gemma3", ["wanda:channels:0.25", "wanda:heads:0.5", "wanda:layers:0.5"]],
  ["phi3", ["wanda:layers:0.5"]],
])("%s without channels, heads or layers computes what it does with zeros in their place", async (family, prunings) => {
  const path = join(FIXTURES, "golden/architectures", family);
  const windows = windowsIn(new Uint8Array(readFileSync(join(path, "tokens.json")))).slice(0, 1);
  const folder = folderOf(join(path, "model"), NAMES);
  for (const name of prunings) {
    const { smaller, zeroed, close } = await shrunkBy(`${name} | none`, folder, windows);
    expect(await deviation(zeroed, smaller, windows)).toBeLessThan(ROUNDINGS);
    expect(await deviation(folder, smaller, windows)).toBeGreaterThan(1e-3);
    await close();
  }
});

/** The bundled model with some rows or columns of matrices scaled, in shards that a function says. */
async function changed(
  scaleOf: (tensor: string, row: number, column: number) => number,
  shardOf: (tensor: string) => string = () => "model.safetensors",
): Promise<Folder> {
  const original = await openCheckpoint(bundled());
  const files = new Map<string, ByteSource>([...bundled().files].filter(([name]) => name === "config.json"));
  const names = [...new Set(original.tensors.map(({ name }) => shardOf(name)))];
  for (const file of names) {
    const tensors = original.tensors.filter(({ name }) => shardOf(name) === file);
    const plan = planSafetensors(tensors.map((own) => ({ ...own, sizeBytes: own.end - own.start })));
    const bytes = new Uint8Array(plan.sizeBytes);
    bytes.set(plan.header);
    for (const [at, tensor] of tensors.entries()) {
      const own = (await sourceOf(original, tensor).read(tensor.start, tensor.end)).slice();
      const words = new Uint16Array(own.buffer);
      const columns = tensor.shape[1] ?? 1;
      for (const [index, bits] of words.entries()) {
        const scale = scaleOf(tensor.name, Math.floor(index / columns), index % columns);
        if (scale !== 1) words[index] = FLOAT_FORMATS.bf16.toBits(BF16.fromBits(bits) * scale);
      }
      bytes.set(own, plan.tensors[at]?.start);
    }
    files.set(file, createBufferSource(file, bytes));
  }
  if (names.length > 1) {
    const weightMap = Object.fromEntries(original.tensors.map(({ name }) => [name, shardOf(name)]));
    const index = new TextEncoder().encode(JSON.stringify({ metadata: {}, weight_map: weightMap }));
    files.set("model.safetensors.index.json", createBufferSource("model.safetensors.index.json", index));
  }
  return { name: "changed", files };
}

/** 2⁻¹²: far below whatever else a score depends on. */
const FAINT = 2 ** -12;
const windows = madeWindows(2048, 1, 64);

test("channels go whose weights or inputs are faint, in each layer its own", async () => {
  // Of the 192 that go, half have a faint column of down_proj, half a faint row of up_proj.
  const layerOf = (name: string) => Number(/layers\.(\d)/.exec(name)?.[1] ?? -1);
  const isFaint = (name: string, channel: number) => (channel + layerOf(name)) % 4 === 1;
  const folder = await changed((name, row, column) => {
    if (name.endsWith("down_proj.weight") && column < 384 && isFaint(name, column)) return FAINT;
    return name.endsWith("up_proj.weight") && row >= 384 && isFaint(name, row) ? FAINT : 1;
  });
  const { plan, checkpoint, close } = await shrunkBy("wanda:channels:0.25 | none", folder, windows);
  const kept = plan.shrunk?.tensors.filter(({ name }) => name.endsWith("gate_proj.weight")) ?? [];
  expect(kept).toHaveLength(4);
  for (const { name, rows } of kept) {
    const channels = Array.from({ length: 768 }, (_, channel) => channel);
    const stays = (channel: number) => rows?.some(({ start, end }) => start <= channel && channel < end);
    expect(channels.filter((channel) => !stays(channel))).toEqual(channels.filter((own) => isFaint(name, own)));
  }
  expect(new Set(shapesOf(checkpoint, /down_proj/))).toEqual(new Set(["256 576"]));
  // Bytes are those of the rows and columns that stay.
  const before = await openCheckpoint(folder);
  const valuesOf = async (own: Checkpoint) => {
    const tensor = own.tensors.find(({ name }) => name === "model.layers.1.mlp.down_proj.weight");
    if (!tensor) throw new Error("no such tensor");
    const bytes = await sourceOf(own, tensor).read(tensor.start, tensor.end);
    return new Uint16Array(bytes.slice().buffer);
  };
  const all = await valuesOf(before);
  const expected = all.filter((_, at) => ((at % 768) + 1) % 4 !== 1);
  expect(await valuesOf(checkpoint)).toEqual(expected);
  await close();
});

test("a number of channels that the lab cannot run is said, and exported all the same", async () => {
  const { plan, result, checkpoint, close } = await shrunkBy("wanda:channels:0.101 | none", bundled(), windows);
  expect(numberOf(checkpoint, "intermediate_size")).toBe(691);
  expect(result.notices.map(({ code }) => code)).toEqual(["recipe/odd-width"]);
  expect(checkpoint.shards[0]?.source.sizeBytes).toBe(plan.fileBytes);
  await close();
});

test("heads go with their group where what they hand on is faint", async () => {
  // Groups 1 and 2 of each layer: one by its values, one by its 64 columns of o_proj.
  const folder = await changed((name, row, column) => {
    if (name.endsWith("v_proj.weight") && row >= 32 && row < 64) return FAINT;
    return name.endsWith("o_proj.weight") && column >= 128 && column < 192 ? FAINT : 1;
  });
  const { plan, checkpoint, close } = await shrunkBy("wanda:heads:0.5 | none", folder, windows);
  const runsOf = (end: string) => plan.shrunk?.tensors.find(({ name }) => name.endsWith(end));
  expect(runsOf("0.self_attn.k_proj.weight")?.rows).toEqual([
    { start: 0, end: 32 },
    { start: 96, end: 128 },
  ]);
  expect(runsOf("3.self_attn.o_proj.weight")?.columns).toEqual([
    { start: 0, end: 64 },
    { start: 192, end: 256 },
  ]);
  expect(new Set(shapesOf(checkpoint, /[kv]_proj/))).toEqual(new Set(["64 256"]));
  expect(new Set(shapesOf(checkpoint, /q_proj/))).toEqual(new Set(["128 256"]));
  await close();
});

test("the layer goes that changes the stream least, and with it a file that held nothing else", async () => {
  const folder = await changed(
    (name) => (/layers\.2\..*(o|down)_proj/.test(name) ? FAINT : 1),
    (name) => (name.includes("layers.2.") ? "model-00002-of-00002.safetensors" : "model-00001-of-00002.safetensors"),
  );
  const { plan, smaller, zeroed, checkpoint, close } = await shrunkBy("wanda:layers:0.25 | none", folder, windows);
  expect(plan.method?.method).toMatch(/3 of 4 layers stay, without 2$/);
  expect([...smaller.files.keys()].sort()).toEqual([
    "config.json",
    "model-00001-of-00002.safetensors",
    "model.safetensors.index.json",
  ]);
  expect(checkpoint.warnings).toEqual([]);
  expect(checkpoint.shards.reduce((sum, { source }) => sum + source.sizeBytes, 0)).toBe(plan.fileBytes);
  expect(await deviation(zeroed, smaller, windows)).toBeLessThan(ROUNDINGS);
  await close();
});

test("layers of two kinds keep theirs in layer_types", async () => {
  const path = join(FIXTURES, "golden/architectures/gemma2/model");
  const folder = folderOf(path, NAMES);
  const ids = madeWindows(64, 1, 24);
  const { checkpoint, plan, close } = await shrunkBy("wanda:layers:0.5 | none", folder, ids);
  const types = checkpoint.config?.get("layer_types");
  const gone = plan.method?.method.endsWith("without 0") ? 0 : 1;
  expect(isJsonArray(types) ? [...types] : types).toEqual([gone === 0 ? "full_attention" : "sliding_attention"]);
  await close();
  // Where they followed from the layers' places they are said now.
  const text = readFileSync(join(path, "config.json"), "utf8").replace(/"layer_types": \[[^\]]*\],/, "");
  const silent = new Map([...folder.files, ["config.json", createBufferSource("c", new TextEncoder().encode(text))]]);
  const said = await shrunkBy("wanda:layers:0.5 | none", { name: "silent", files: silent }, ids);
  expect(said.checkpoint.config?.get("layer_types")).toEqual(types);
  await said.close();
});

async function refusalOf(scheme: string, folder: Folder, ignore: readonly string[] = IGNORE): Promise<LabError> {
  const engine = createEngine(wasmHost());
  await engine.open(folder);
  const calibration = textOf(madeWindows(64, 1, 8));
  try {
    await engine.quantize({ scheme, ...REQUEST, ignore, calibration }, createMemoryOutput());
  } catch (error) {
    if (error instanceof LabError) return error;
    throw error;
  } finally {
    engine.close();
  }
  throw new Error(`${scheme} was not refused`);
}

const family = (name: string) => folderOf(join(FIXTURES, "golden/architectures", name, "model"), NAMES);

test.each([
  ["a share of less than one layer", "wanda:layers:0.2", bundled, /4 layers, of which this share is less than one/],
  ["heads that transformers would not load", "wanda:heads:0.25", bundled, /6 heads left for a hidden size of 256/],
  ["a mixture of experts", "wanda:channels:0.5", () => family("mixtral"), /a mixture of experts/],
  ["a family without the numbers", "wanda:layers:0.5", () => family("gpt2"), /model_type "gpt2"/],
  ["gate and up in one matrix", "wanda:channels:0.5", () => family("phi3"), /model_type "phi3"/],
])("%s: refused with its reason", async (_, name, folder, reason) => {
  const error = await refusalOf(`${name} | none`, folder());
  expect([error.code, error.found]).toEqual(["scheme/cannot-remove", expect.stringMatching(reason)]);
});

test("heads that transformers would not load come with the shares that it does load", async () => {
  expect((await refusalOf("wanda:heads:0.25 | none", bundled())).advice).toBe("take a share of 0.5, 0.75");
});

test("an ignored module stays whole, so that nothing can be taken from it", async () => {
  const error = await refusalOf("wanda:channels:0.25 | none", bundled(), [...IGNORE, "re:.*layers.1.*up_proj"]);
  expect([error.code, error.found]).toEqual([
    "scheme/cannot-remove",
    expect.stringMatching(/^model.layers.1.mlp.up_proj.weight, /),
  ]);
});

test("compare, measure and export agree on the bytes, and the row has its divergence", async () => {
  const engine = createEngine(wasmHost());
  await engine.open(bundled());
  const scheme = "wanda:channels:0.25 | none";
  const calibration = textOf(windows);
  const measured = await engine.measure({
    ...REQUEST,
    schemes: [scheme],
    roundings: WHOLE_PRESET,
    calibration,
    served: false,
    text: textOf(madeWindows(2048, 1, 32)),
  });
  const compared = await engine.compare({
    ...REQUEST,
    schemes: [scheme],
    calibration,
    plan: { gpu: "L4 24 GB", contextTokens: 512, sequences: 1 },
    throughput: false,
  });
  const exported = await engine.quantize({ scheme, ...REQUEST, calibration }, createMemoryOutput());
  const [row] = measured.rows;
  expect([row?.bytes.value, compared.schemes[0]?.fileBytes.value]).toEqual([
    exported.fileBytes.value,
    exported.fileBytes.value,
  ]);
  expect(row?.divergence?.kld.value).toBeGreaterThan(0);
  expect(row?.gain).toBeNull();
  // Gate and up lose rows as well, but what is zero of them is told where it is read.
  expect(compared.schemes[0]?.layers.map(({ module }) => module)).toEqual(
    [0, 1, 2, 3].map((layer) => `model.layers.${layer}.mlp.down_proj`),
  );
  expect(exported.files.map(({ name }) => name)).not.toContain("recipe.yaml");
  engine.close();
});
