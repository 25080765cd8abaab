import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { main } from "../../src/cli/main.ts";
import { HOSTILE_FOLDER, hostileCases } from "../support/hostile-cases.ts";
import { expectationOf, type HostileCase } from "../support/hostile-expectations.ts";

// What `lab inspect` makes of hostile files. The command runs in this process, as scripts/lab-process.mjs runs it in its own.

const scratch = mkdtempSync(join(tmpdir(), "lab-hostile-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype);
const VALID = join(HOSTILE_FOLDER, "safetensors/ok_minimal.safetensors");

/** Four parts, each with at most 200 characters from a file, some of them written as escapes of up to 10 characters. */
const MAX_MESSAGE = 2500;

/** Characters that steer a terminal or turn a line around; line feeds lay the output out. */
const RAW = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const STACK = /\n\s+at |node:internal|\.[cm]?[jt]s:\d+/;

const CASES = hostileCases("safetensors", "weights", "sharded", "config");

interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

async function inspect(path: string, ...flags: readonly string[]): Promise<Printed> {
  const [out, err]: [string[], string[]] = [[], []];
  const started = performance.now();
  const code = await main({
    argv: ["inspect", path, ...flags],
    bundledModel: VALID,
    loadWebGpu: () => Promise.reject(new Error("inspect asked for a GPU")),
    signal: new AbortController().signal,
    isTerminal: false,
    out: (text) => out.push(text),
    err: (text) => err.push(text),
  });
  return { code, out: out.join("\n"), err: err.join("\n"), ms: performance.now() - started };
}

/** The JSON document that `inspect` prints of a case. */
async function documentOf(id: string) {
  const { out } = await inspect(pathOf(caseOf(id)), "--json");
  return JSON.parse(out);
}

function caseOf(id: string): HostileCase {
  const found = CASES.find((hostile) => hostile.id === id);
  if (!found) throw new Error(`${id} is missing`);
  return found;
}

const pathOf = ({ file }: HostileCase): string => join(HOSTILE_FOLDER, file);

/** Every file below a folder, with its size. */
function listing(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

const before = listing(HOSTILE_FOLDER);
const fetched = vi.spyOn(globalThis, "fetch");
afterEach(() => {
  expect(fetched).not.toHaveBeenCalled();
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

test("there are 151 cases", () => expect(CASES).toHaveLength(151));

describe.each(CASES)("inspect $id: $what", (hostile) => {
  const expected = expectationOf(hostile);

  test("decides as the manifest says, in time, in one JSON document", async () => {
    const { code, out, err, ms } = await inspect(pathOf(hostile), "--json");
    expect(ms).toBeLessThan(hostile.limits.ms);
    expect(code).toBe(expected.outcome === "accept" ? 0 : 1);
    expect(err).toBe("");
    expect(out).not.toMatch(RAW);
    const { outcome, error, model } = JSON.parse(out);
    if (expected.outcome === "accept") {
      expect([outcome, error]).toEqual(["done", undefined]);
      if (typeof hostile.tensors === "number") expect(model.tensors).toBe(hostile.tensors);
      if (hostile.facts) expect(model.parameters.value).toBe(hostile.facts.count);
      return;
    }
    expect({ outcome, code: error.code, rule: error.fields.rule }).toEqual({ ...expected, outcome: "failed" });
    expect(error.message.length).toBeLessThan(MAX_MESSAGE);
    expect(error.message).not.toMatch(STACK);
    expect(error.message).toContain(error.fields.file);
    if (error.fields.tensor !== undefined) expect(error.message).toContain(error.fields.tensor);
    if (hostile.kind === "config") {
      // The weights stay usable: what is off is the KV cache, and the message names the field.
      expect(model).toMatchObject({ tensors: 0, kvCache: error.message, maxPositions: null });
      if (expected.rule === "C01") expect(error.message).toContain(error.fields.key);
    } else expect(model).toBeUndefined();
  });

  test("says the same in words, and the next file opens", async () => {
    const { code, out, err } = await inspect(pathOf(hostile));
    expect(code).toBe(expected.outcome === "accept" ? 0 : 1);
    expect(`${out}${err}`).not.toMatch(RAW);
    expect(`\n${out}\n${err}`).not.toMatch(STACK);
    if (expected.outcome === "reject") expect(err).toMatch(new RegExp(`\\(${expected.code}\\)$`));
    else expect(err).toBe("");
    expect(await inspect(VALID, "--json")).toMatchObject({ code: 0, out: expect.stringContaining('"tensors": 1') });
  });
});

describe.each(CASES.filter((hostile) => expectationOf(hostile).outcome === "accept"))(
  "inspect --tensors $id: $what",
  (hostile) => {
    test("lists every tensor once, in JSON and in words", async () => {
      const { code, out } = await inspect(pathOf(hostile), "--tensors", "--json");
      expect(code).toBe(0);
      expect(out).not.toMatch(RAW);
      const { model, roles, shards, tensors } = JSON.parse(out);
      const sum = (all: readonly Record<string, number>[], key: string) =>
        all.reduce((total, own) => total + (own[key] ?? 0), 0);
      expect([tensors.length, sum(roles, "tensors"), sum(shards, "tensors")]).toEqual([
        model.tensors,
        model.tensors,
        model.tensors,
      ]);
      expect(sum(tensors, "sizeBytes")).toBe(model.tensorBytes.value);
      const listed = await inspect(pathOf(hostile), "--tensors");
      expect([listed.code, listed.err]).toEqual([0, ""]);
      expect(listed.out).not.toMatch(RAW);
      expect(Math.max(...listed.out.split("\n").map((line) => line.length))).toBeLessThan(3 * MAX_MESSAGE);
    });
  },
);

describe("what the refusals say", () => {
  test.each([
    ["not_safetensors_lfs", "a Git LFS pointer"],
    ["layout_truncated_all", "truncated by 4194304 bytes"],
    ["sh_missing_shard", "model-00002-of-00002.safetensors"],
    ["sh_bad_shard", "model-00002-of-00002.safetensors"],
    ["cfg_layers_1e9", "num_hidden_layers"],
    ["cfg_vocab_zero", "vocab_size"],
  ])("%s: %s", async (id, words) => {
    expect((await documentOf(id)).error.message).toContain(words);
  });
});

describe("what the lab notices and does not refuse", () => {
  const noticesOf = async (id: string) => (await documentOf(id)).model.notices;

  test.each([
    ["sh_total_size_lie", "claims -"],
    ["sh_extra_tensor", "does not name"],
    ["cfg_auto_map", "never runs code"],
    ["cfg_quantized", "already quantized"],
    ["cfg_quant_bits", "already quantized"],
    ["cfg_quant_regex", "already quantized"],
  ])("%s: %s", async (id, words) => {
    expect(JSON.stringify(await noticesOf(id))).toContain(words);
  });

  test("a plain config is not worth a notice", async () => expect(await noticesOf("cfg_ok")).toEqual([]));
});

test.each(CASES.filter(({ id }) => /^dtype_(?!bad_|as_)/.test(id)))("$id is listed as what it is", async ({ id }) => {
  expect((await documentOf(id)).model.dtypes).toEqual([{ dtype: id.slice("dtype_".length), weights: 8 }]);
});

test("sizes come from the shards, whatever the index claims", async () => {
  const [honest, lying] = [await documentOf("sh_ok"), await documentOf("sh_total_size_lie")];
  expect(lying.model.tensorBytes).toEqual(honest.model.tensorBytes);
});

test("a model that the lab does not know, or without a config.json, is no failure", async () => {
  const place = join(scratch, "bert");
  mkdirSync(place);
  writeFileSync(join(place, "config.json"), '{"model_type": "bert", "num_hidden_layers": 12}');
  for (const path of [join(place, "config.json"), VALID]) {
    const { code, out } = await inspect(path, "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ outcome: "done", model: { kvCache: expect.any(String) } });
  }
});

test("a broken config.json beside good weights fails, and everything else is told", async () => {
  const place = join(scratch, "both");
  mkdirSync(place);
  writeFileSync(
    join(place, "config.json"),
    '{"model_type": "llama", "num_hidden_layers": -1, "num_attention_heads": 1}',
  );
  const header = '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}';
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(join(place, "model.safetensors"), Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(2)]));
  const { code, out } = await inspect(place, "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    outcome: "failed",
    error: { code: "config/bad-value" },
    model: { tensors: 1 },
  });
});

test("a folder's name cannot steer the terminal", async () => {
  const place = join(scratch, "\u001b[2J\u202egnp\u{e0001}");
  mkdirSync(place);
  writeFileSync(join(place, "config.json"), "{}");
  const [json, text] = [await inspect(place, "--json"), await inspect(place)];
  expect([json.code, text.code]).toEqual([0, 0]);
  expect(`${json.out}${json.err}${text.out}${text.err}`).not.toMatch(RAW);
  expect(JSON.parse(json.out).model.name).toBe(basename(place));
});

test("nothing is written beside what was inspected", () => expect(listing(HOSTILE_FOLDER)).toEqual(before));
