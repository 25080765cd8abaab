import { describe, expect, test } from "vitest";
import { hostileCases, hostileFolder } from "../../../tests/support/hostile-cases.ts";
import {
  expectationOf,
  type HostileCase,
  type HostileExpectation,
} from "../../../tests/support/hostile-expectations.ts";
import { LabError } from "../../base/errors.ts";
import { isJsonNumber, stringifyJson } from "../../base/json.ts";
import type { Folder } from "../byte-source.ts";
import { planSafetensors } from "../safetensors/writer.ts";
import { createBufferSource } from "../sources/buffer-source.ts";
import { type Checkpoint, openCheckpoint } from "./checkpoint.ts";

/** C01 is about what the numbers of a config.json mean: the architectures judge those, and this room lets them pass. */
function expectedHere(hostile: HostileCase): HostileExpectation {
  return hostile.rule === "C01" ? { outcome: "accept" } : expectationOf(hostile);
}

/** What came of it, in the words of an expectation. */
function judged(error: unknown): HostileExpectation {
  if (error === null) return { outcome: "accept" };
  if (!(error instanceof LabError)) throw error;
  return { outcome: "reject", code: error.code, rule: String(error.fields.rule) };
}

function safetensors(...names: readonly string[]): Uint8Array {
  const plan = planSafetensors(names.map((name) => ({ name, dtype: "U8", shape: [2], sizeBytes: 2 })));
  const bytes = new Uint8Array(plan.sizeBytes);
  bytes.set(plan.header);
  return bytes;
}

function folderOf(files: Record<string, Uint8Array | string>): Folder {
  const entries = Object.entries(files).map(([path, content]) => {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    return [path, createBufferSource(path.slice(path.lastIndexOf("/") + 1), bytes)] as const;
  });
  return { name: "model", files: new Map(entries) };
}

async function codeOf(files: Record<string, Uint8Array | string>, options = {}): Promise<string> {
  return await openCheckpoint(folderOf(files), options).then(
    () => "opened",
    (thrown: unknown) => (thrown instanceof LabError ? thrown.code : "crash"),
  );
}

const indexOf = (map: Record<string, unknown>): string => JSON.stringify({ metadata: {}, weight_map: map });

describe("the hostile corpus: sharded folders", () => {
  test.each(hostileCases("sharded"))("$id: $what", async (hostile) => {
    const started = performance.now();
    const reads: string[] = [];
    const { name, files } = hostileFolder(hostile);
    const watched = [...files].map(([path, source]) => {
      const read: typeof source.read = (...range) => {
        reads.push(path);
        return source.read(...range);
      };
      return [path, { ...source, read }] as const;
    });
    const result = await openCheckpoint({ name, files: new Map(watched) }).catch((thrown: unknown) => thrown);
    expect(performance.now() - started).toBeLessThan(hostile.limits.ms);
    expect(judged(result instanceof Error ? result : null)).toEqual(expectedHere(hostile));
    if (result instanceof LabError) {
      if (hostile.rule === "I05") expect(result.fields.file).toBe("model-00002-of-00002.safetensors");
      if (hostile.rule === "I01") expect(reads).toEqual(["model.safetensors.index.json"]);
    } else if (typeof hostile.tensors === "number") {
      expect((result as Checkpoint).tensors).toHaveLength(hostile.tensors);
    }
  });
});

describe("the hostile corpus: config.json", () => {
  test.each(hostileCases("config"))("$id: $what", async (hostile) => {
    const started = performance.now();
    const checkpoint = await openCheckpoint(hostileFolder(hostile), { allowNoWeights: true });
    expect(performance.now() - started).toBeLessThan(hostile.limits.ms);
    expect(judged(checkpoint.configError)).toEqual(expectedHere(hostile));
    expect(checkpoint.configError === null).toBe(checkpoint.config !== null);
    expect("polluted" in {}).toBe(false);
  });

  test("keys such as __proto__ change nothing", async () => {
    const hostile = hostileCases("config").find(({ id }) => id === "cfg_proto");
    if (hostile === undefined) throw new Error("cfg_proto is missing");
    const { config } = await openCheckpoint(hostileFolder(hostile), { allowNoWeights: true });
    const hidden = config?.get("hidden_size");
    expect(isJsonNumber(hidden) && hidden.text).toBe("64");
  });
});

describe("openCheckpoint", () => {
  test("opens a single file", async () => {
    const checkpoint = await openCheckpoint(folderOf({ "any name.safetensors": safetensors("a", "b") }));
    expect(checkpoint).toMatchObject({ indexFile: null, config: null, configError: null, sideFiles: [], warnings: [] });
    expect(checkpoint.tensors.map(({ name, shard }) => [name, shard])).toEqual([
      ["a", 0],
      ["b", 0],
    ]);
  });

  test("opens shards without an index, ordered by name", async () => {
    const { shards, tensors } = await openCheckpoint(
      folderOf({ "m-2.safetensors": safetensors("a"), "m-1.safetensors": safetensors("z", "y") }),
    );
    expect(shards.map(({ name }) => name)).toEqual(["m-1.safetensors", "m-2.safetensors"]);
    expect(tensors.map(({ name, shard }) => [name, shard])).toEqual([
      ["z", 0],
      ["y", 0],
      ["a", 1],
    ]);
  });

  test("follows an index of any name and leaves out the weights that it does not name", async () => {
    const checkpoint = await openCheckpoint(
      folderOf({
        "w.safetensors.index.json": indexOf({ a: "1.safetensors" }),
        "1.safetensors": safetensors("a"),
        "consolidated.safetensors": safetensors("a"),
        "original/x.safetensors": safetensors("a"),
        "config.json": '{"hidden_size": 64.0}',
        "tokenizer.json": "{}",
        "sub/notes.txt": "x",
      }),
    );
    expect(checkpoint.indexFile).toBe("w.safetensors.index.json");
    expect(checkpoint.tensors).toHaveLength(1);
    expect(checkpoint.unindexedWeights).toEqual(["consolidated.safetensors"]);
    expect(checkpoint.nestedWeights).toEqual(["original/x.safetensors"]);
    expect(checkpoint.sideFiles.map(({ path }) => path)).toEqual(["sub/notes.txt", "tokenizer.json"]);
    expect(checkpoint.warnings).toHaveLength(2);
    expect(checkpoint.config && stringifyJson(checkpoint.config)).toBe('{"hidden_size":64.0}');
  });

  test.each<[string, string, Record<string, Uint8Array | string>]>([
    ["checkpoint/no-weights", "an empty folder", {}],
    ["checkpoint/no-weights", "a config.json alone", { "config.json": "{}" }],
    ["checkpoint/no-weights", "weights in a subfolder alone", { "sub/a.safetensors": safetensors("a") }],
    [
      "checkpoint/several-indexes",
      "two indexes",
      { "a.safetensors.index.json": "{}", "b.safetensors.index.json": "{}" },
    ],
    ["checkpoint/bad-index", "an empty weight_map", { "model.safetensors.index.json": indexOf({}) }],
    ["checkpoint/bad-index", "a shard name that is a number", { "model.safetensors.index.json": indexOf({ a: 1 }) }],
    ["checkpoint/bad-index", "an index that is not JSON", { "model.safetensors.index.json": "<html>" }],
    [
      "checkpoint/missing-shard",
      "an index alone",
      { "model.safetensors.index.json": indexOf({ a: "constructor.safetensors" }) },
    ],
    [
      "checkpoint/missing-tensor",
      "an index that names another shard than the right one",
      {
        "model.safetensors.index.json": indexOf({ a: "1.safetensors", b: "1.safetensors" }),
        "1.safetensors": safetensors("a"),
        "2.safetensors": safetensors("b"),
      },
    ],
    [
      "checkpoint/duplicate-tensor",
      "a tensor in two files without an index",
      { "1.safetensors": safetensors("a"), "2.safetensors": safetensors("a") },
    ],
  ])("answers %s for %s", async (code, _, files) => {
    expect(await codeOf(files)).toBe(code);
  });

  test("opens a config.json alone for who allows it, but not nothing at all", async () => {
    const checkpoint = await openCheckpoint(folderOf({ "config.json": "{}" }), { allowNoWeights: true });
    expect(checkpoint).toMatchObject({ shards: [], tensors: [], config: new Map() });
    expect(await codeOf({}, { allowNoWeights: true })).toBe("checkpoint/no-weights");
  });

  test("keeps the weights of a folder whose config.json is broken", async () => {
    const files = { "config.json": "[]", "a.safetensors": safetensors("a") };
    const { tensors, config, configError } = await openCheckpoint(folderOf(files));
    expect(tensors).toHaveLength(1);
    expect(config).toBeNull();
    expect(configError?.code).toBe("config/not-an-object");
  });
});
