import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Folder } from "../formats/byte-source.ts";
import { type Checkpoint, openCheckpoint } from "../formats/huggingface/checkpoint.ts";
import type { DtypeName } from "../formats/safetensors/dtypes.ts";
import { createBufferSource } from "../formats/sources/buffer-source.ts";
import { createMemoryStore } from "../formats/stores/memory-store.ts";
import { createEngine } from "./engine.ts";
import { ledgerOf, shareOfBytes } from "./ledger.ts";

const LOUD = "fixtures/models/quantlab-4m-loud";

function diskFolder(path: string): Folder {
  const files = readdirSync(path).map(
    (name) => [name, createBufferSource(name, readFileSync(`${path}/${name}`))] as const,
  );
  return { name: "disk", files: new Map(files) };
}

/** A checkpoint of one file with tensors of 16-bit weights, as its headers would be read. */
function made(tensors: readonly (readonly [name: string, shape: readonly number[]])[]): Checkpoint {
  let end = 100;
  const read = tensors.map(([name, shape]) => {
    const start = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    return { name, dtype: "BF16" as DtypeName, shape, start, end };
  });
  const source = { name: "model.safetensors", sizeBytes: end, read: () => Promise.reject(new Error("weights read")) };
  return {
    name: "made",
    shards: [{ name: source.name, source, header: { tensors: read, metadata: new Map(), dataStart: 100 } }],
    tensors: read.map((tensor) => ({ ...tensor, shard: 0 })),
    indexFile: null,
    config: null,
    configError: null,
    sideFiles: [],
    nestedWeights: [],
    unindexedWeights: [],
    warnings: [],
  };
}

test("every byte of a model's files is in its header, in a tensor or in a side file", async () => {
  const engine = createEngine({ gpu: null, wasm: null, device: "reference", now: () => 0, store: createMemoryStore() });
  expect(() => engine.ledger()).toThrow(expect.objectContaining({ code: "run/nothing-open" }));
  const folder = diskFolder(LOUD);
  const summary = await engine.open(folder);
  const { shards, tensors, tensorBytes, roles, sideFiles } = engine.ledger();
  expect(tensorBytes).toBe(summary.tensorBytes.value);
  expect(tensors).toHaveLength(summary.tensors);
  for (const [index, shard] of shards.entries()) {
    const own = tensors.filter((tensor) => tensor.shard === index);
    expect(own).toHaveLength(shard.tensors);
    expect(own.reduce((sum, { sizeBytes }) => sum + sizeBytes, shard.headerBytes)).toBe(shard.sizeBytes);
    expect(folder.files.get(shard.name)?.sizeBytes).toBe(shard.sizeBytes);
  }
  expect(tensors.reduce((sum, { weights }) => sum + weights, 0)).toBe(summary.parameters.value);
  expect(roles.map(({ role }) => role)).toEqual(["mlp", "attention", "embedding", "norm"]);
  expect(roles.reduce((sum, { bytes }) => sum + bytes.value, 0)).toBe(summary.tensorBytes.value);
  expect(roles.reduce((sum, { share }) => sum + share.value, 0)).toBeCloseTo(1, 15);
  expect(roles.every(({ bytes, share }) => bytes.kind === "computed" && share.kind === "computed")).toBe(true);
  expect(sideFiles.map(({ name }) => name)).toEqual([
    "generation_config.json",
    "planted.json",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
});

test("layer and what can be quantized are what a comparison finds", async () => {
  const engine = createEngine({ gpu: null, wasm: null, device: "reference", now: () => 0, store: createMemoryStore() });
  await engine.open(diskFolder("fixtures/golden/corner-bf16/model"));
  const { schemes } = await engine.compare({
    schemes: ["int8:channel"],
    arithmetic: "eager",
    ignore: [],
    plan: { gpu: "L4 24 GB", contextTokens: 512, sequences: 1 },
    throughput: false,
  });
  const { tensors } = engine.ledger();
  const compared = new Map(schemes[0]?.layers.map(({ module, layer }) => [`${module}.weight`, layer]));
  expect(compared.size).toBeGreaterThan(5);
  expect(tensors.filter(({ isQuantizable }) => isQuantizable).map(({ name }) => name)).toEqual(
    tensors.map(({ name }) => name).filter((name) => compared.has(name)),
  );
  for (const { name, layer } of tensors) if (compared.has(name)) expect(layer).toBe(compared.get(name));
});

test("a tensor is described by its name and its shape alone", () => {
  const { tensors } = ledgerOf(
    made([
      ["model.layers.12.mlp.up_proj.weight", [3, 4]],
      ["model.layers.12.input_layernorm.weight", [4]],
      ["h.0.attn.c_attn.bias", [12]],
      ["model.norm.weight", [2, 2]],
      ["model.layers.1.mlp.experts.gate_up_proj.weight", [2, 3, 4]],
      ["layers.0.weight", [2, 2]],
      ["scalar", []],
    ]),
  );
  expect(tensors.map(({ role, layer, isQuantizable, weights }) => [role, layer, isQuantizable, weights])).toEqual([
    ["mlp", 12, true, 12],
    ["norm", 12, false, 4],
    ["attention", 0, false, 12],
    ["norm", null, false, 4],
    ["mlp", 1, false, 24],
    ["other", null, true, 4],
    ["other", null, false, 1],
  ]);
});

test("the share of some bytes is exact: all of them are the whole, whatever they are made of", () => {
  const ledger = ledgerOf(made(["a", "b", "c"].map((name) => [name, [3]] as const)));
  expect(ledger.tensorBytes).toBe(18);
  const [one = 0, two = 0, three = 0] = ledger.tensors.map(({ sizeBytes }) => sizeBytes);
  expect([one, one + two, one + two + three].map((bytes) => shareOfBytes(bytes, ledger))).toEqual([1 / 3, 2 / 3, 1]);
});

test("empty tensors have no share, hostile names no effect, and there may be very many", () => {
  const { roles, ...empty } = ledgerOf(made([["lm_head.weight", [0, 4]]]));
  expect(shareOfBytes(0, empty)).toBeNaN();
  expect(roles).toMatchObject([{ role: "head", tensors: 1, bytes: { value: 0 }, share: { value: Number.NaN } }]);
  const names = [
    "__proto__",
    "constructor.weight",
    "",
    "\u202e.weight",
    "a".repeat(1_000_000),
    "norm.".repeat(200_000),
  ];
  const many = Array.from({ length: 200_000 }, (_, index) => [`${names[index % 4]}${index}`, [2]] as const);
  const ledger = ledgerOf(made([...names.map((name) => [name, [2]] as const), ...many]));
  expect(ledger.roles).toMatchObject([{ role: "other", tensors: 200_006 }]);
  expect(ledger.tensors[0]?.name).toBe("__proto__");
});

test("a config.json alone has a ledger of nothing", async () => {
  const source = createBufferSource("config.json", new TextEncoder().encode("{}"));
  const checkpoint = await openCheckpoint(
    { name: "x", files: new Map([["config.json", source]]) },
    { allowNoWeights: true },
  );
  expect(ledgerOf(checkpoint)).toEqual({ shards: [], tensors: [], tensorBytes: 0, roles: [], sideFiles: [] });
});
