import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { EngineHost } from "../../src/engine/api.ts";
import { Bench } from "../../src/engine/bench.ts";
import { appliedOf, type Candidate } from "../../src/engine/candidate.ts";
import { planCheckpoint } from "../../src/engine/checkpoint-plan.ts";
import { decoderOf } from "../../src/engine/decoder-of.ts";
import { DeviceSet } from "../../src/engine/device-set.ts";
import { firstDifferenceOf, generate, groupEnd } from "../../src/engine/generation.ts";
import { ModelParameters } from "../../src/engine/model-parameters.ts";
import { nodeWasm } from "../../src/engine/node-threads.ts";
import { type Roundings, WHOLE_PRESET } from "../../src/engine/roundings.ts";
import { ORIGINAL, variantOf } from "../../src/engine/variants.ts";
import { type Checkpoint, openCheckpoint } from "../../src/formats/huggingface/checkpoint.ts";
import { type NodeFolder, openNodeFolder } from "../../src/formats/sources/node-file-source.ts";
import { emptyScores } from "../../src/metrics/token-scores.ts";
import { decodeGreedily } from "../../src/models/decoding.ts";
import { parseRecipe } from "../../src/schemes/recipe.ts";
import { windowsIn } from "../support/architecture-cases.ts";
import { textOf } from "../support/id-text.ts";
import { memoryHost } from "../support/memory-host.ts";
import { RULES } from "../support/run-rules.ts";

const FIXTURES = join(import.meta.dirname, "../../fixtures");
const MODEL = "models/quantlab-4m";
const IGNORE = ["lm_head", "re:.*embed_tokens"];

const folders: NodeFolder[] = [];
afterAll(async () => {
  for (const folder of folders) await folder.close();
});

async function checkpointAt(path: string): Promise<Checkpoint> {
  const folder = await openNodeFolder(join(FIXTURES, path));
  folders.push(folder);
  return openCheckpoint(folder);
}

const readFixture = (path: string) => new Uint8Array(readFileSync(join(FIXTURES, path)));
const bundled = (name: string) => windowsIn(readFixture(`text/${name}.tokens.json`));

const wasmHost = (parts: Partial<EngineHost> = {}) => memoryHost({ device: "wasm", wasm: nodeWasm(), ...parts });

interface Decoded {
  readonly prompts: readonly (readonly number[])[];
  readonly tokens: number;
  readonly ends?: ReadonlySet<number>;
  /** A recipe that rounds weights alone; absent: the original. */
  readonly scheme?: string;
}

/** Greedy text of one model. */
async function decode(checkpoint: Checkpoint, { ends = new Set(), scheme, ...decoded }: Decoded, host = wasmHost()) {
  const devices = new DeviceSet(host);
  const bench = new Bench(devices, await devices.primary("multiplying"), undefined, "multiplying");
  try {
    const { device } = bench;
    const graph = decoderOf(checkpoint);
    const plan = scheme === undefined ? null : planCheckpoint(checkpoint, parseRecipe(scheme), IGNORE);
    const candidate: Candidate | null = plan && { kind: "recipe", plan, applied: appliedOf(WHOLE_PRESET) };
    const { source } = candidate ? await variantOf(bench, graph, candidate, "eager", null) : ORIGINAL;
    const parametersOf = () => new ModelParameters(bench, checkpoint, [source], () => {});
    return await decodeGreedily({ device, graph, ...decoded, ends, parametersOf });
  } finally {
    await bench.close();
    devices.close();
  }
}

/** The same without a cache: each token by a pass over the whole text so far, which is how a first token is made. */
async function decodeWhole(checkpoint: Checkpoint, { prompts, tokens }: Decoded) {
  const texts = prompts.map((prompt) => [...prompt]);
  for (let token = 0; token < tokens; token++) {
    const next = await decode(checkpoint, { prompts: texts, tokens: 1 });
    for (const [index, text] of texts.entries()) text.push(...(next[index] ?? []));
  }
  return texts.map((text, index) => text.slice(prompts[index]?.length));
}

describe("decoding with kept keys and values", () => {
  test("writes what transformers writes", async () => {
    const { tokens, cases } = JSON.parse(new TextDecoder().decode(readFixture("golden/generation/golden.json"))) as {
      readonly tokens: number;
      readonly cases: readonly { text: string; window: number; length: number; made: readonly number[] }[];
    };
    const prompts = cases.map(({ text, window, length }) => bundled(text)[window]?.slice(0, length) ?? []);
    expect(await decode(await checkpointAt(MODEL), { prompts, tokens })).toEqual(cases.map(({ made }) => made));
  });

  test("writes what passes over the whole text write", async () => {
    const checkpoint = await checkpointAt(MODEL);
    const prompts = [bundled("jargon")[7]?.slice(0, 60) ?? [], bundled("satire")[2]?.slice(0, 9) ?? []];
    const made = await decode(checkpoint, { prompts, tokens: 12 });
    expect(made.map(({ length }) => length)).toEqual([12, 12]);
    expect(made).toEqual(await decodeWhole(checkpoint, { prompts, tokens: 12 }));
  });

  // Sliding windows; soft caps and two kinds of layers; queries, keys and values in one register; learned positions.
  test.each(["mistral-window", "gemma2", "phi3", "gpt_neox", "opt", "qwen3"])("does so for %s", async (name) => {
    const checkpoint = await checkpointAt(`golden/architectures/${name}/model`);
    const windows = windowsIn(readFixture(`golden/architectures/${name}/tokens.json`));
    const prompts = [windows[0]?.slice(0, 17) ?? [], windows[1]?.slice(0, 3) ?? [], windows[0]?.slice(0, 30) ?? []];
    const decoded = { prompts, tokens: 10 };
    const made = await decode(checkpoint, decoded);
    expect(new Set(made.flat()).size).toBeGreaterThan(3);
    expect(made).toEqual(await decodeWhole(checkpoint, decoded));
  });

  test("does so on the reference device", async () => {
    const checkpoint = await checkpointAt("golden/architectures/mistral-window/model");
    const windows = windowsIn(readFixture("golden/architectures/mistral-window/tokens.json"));
    const decoded = { prompts: windows.map((window) => window.slice(0, 12)), tokens: 6 };
    expect(await decode(checkpoint, decoded, memoryHost({}))).toEqual(await decode(checkpoint, decoded));
  });

  test("ends a prompt at the end of its text, and goes on with the others", async () => {
    const checkpoint = await checkpointAt(MODEL);
    const prompts = [bundled("scripture")[0]?.slice(0, 40) ?? [], bundled("jargon")[0]?.slice(0, 50) ?? []];
    const [first = [], second = []] = await decode(checkpoint, { prompts, tokens: 8 });
    const end = first.find((token) => !second.includes(token)) ?? -1;
    const cut = first.slice(0, first.indexOf(end) + 1);
    expect(await decode(checkpoint, { prompts, tokens: 8, ends: new Set([end]) })).toEqual([cut, second]);
  });
});

describe("generation", () => {
  interface Asked {
    readonly tokens?: number;
    readonly windows?: readonly (readonly number[])[];
    readonly roundings?: Roundings;
    readonly host?: EngineHost;
    readonly signal?: AbortSignal;
    readonly onProgress?: (phase: string) => void;
  }

  async function generated(schemes: readonly string[], asked: Asked = {}) {
    const checkpoint = await checkpointAt(MODEL);
    const { tokens = 24, windows = bundled("scripture").slice(0, 8), host = wasmHost(), signal } = asked;
    const { onProgress } = asked;
    const text = textOf(windows);
    const request = { ...RULES, roundings: asked.roundings ?? RULES.roundings, schemes, ignore: IGNORE, text, tokens };
    const plans = schemes.map((name) => planCheckpoint(checkpoint, parseRecipe(name), IGNORE));
    const devices = new DeviceSet(host);
    try {
      return await generate({ checkpoint, plans, request }, devices, {
        ...(signal && { signal }),
        ...(onProgress && { onProgress: ({ phase }) => onProgress(phase) }),
      });
    } finally {
      devices.close();
    }
  }

  test("parts sooner the coarser a scheme is, and is the same each time", async () => {
    const found = await generated(["int2:group=64", "W4A16", "int8:channel"]);
    expect(found).toMatchObject({ kind: "generation", prompts: 8, promptTokens: 128, tokens: 24 });
    const [coarse, middle, fine] = found.rows;
    if (!coarse || !middle || !fine) throw new Error("three schemes have three rows");
    const beyond = (median: number | null) => median ?? 24;
    expect(beyond(coarse.median)).toBeLessThan(6);
    expect(beyond(coarse.median)).toBeLessThan(beyond(middle.median));
    expect(fine.same).toBeGreaterThanOrEqual(middle.same);
    expect(middle.firstDifference).toHaveLength(8);
    expect(found.kernels.map(({ kernel }) => kernel)).toContain("model/scatter_rows");
    expect((await generated(["int2:group=64", "W4A16", "int8:channel"])).rows).toEqual(found.rows);
  });

  test("of a variant with nothing changed never parts", async () => {
    const { rows } = await generated(["W4A16"], { roundings: { weights: false, activations: false, kvCache: null } });
    expect(rows).toEqual([
      {
        scheme: "W4A16",
        firstDifference: Array.from({ length: 8 }, () => null),
        same: 8,
        median: null,
        interval: { low: null, high: null },
      },
    ]);
  });

  test("says where a variant would part: its own greedy text parts there", async () => {
    const checkpoint = await checkpointAt(MODEL);
    const { rows } = await generated(["W4A16"]);
    const prompts = bundled("scripture")
      .slice(0, 8)
      .map((window) => window.slice(0, 128));
    const original = await decode(checkpoint, { prompts, tokens: 24 });
    const own = await decode(checkpoint, { prompts, tokens: 24, scheme: "W4A16" });
    const parted = original.map((made, index) => {
      const place = made.findIndex((token, at) => token !== own[index]?.[at]);
      return place === -1 ? null : place;
    });
    expect(rows[0]?.firstDifference).toEqual(parted);
  });

  test("refuses more tokens than the model has positions for, and than the lab makes", async () => {
    await expect(generated([], { tokens: 385 })).rejects.toMatchObject({
      code: "run/too-many-tokens",
      fields: { tokens: 385, promptTokens: 128, maxPositions: 512 },
    });
    const windows = [[5, 6, 7]];
    await expect(generated([], { tokens: 513, windows })).rejects.toMatchObject({ code: "run/too-many-tokens" });
    for (const tokens of [0, 1.5, Number.NaN]) {
      await expect(generated([], { tokens, windows })).rejects.toMatchObject({ code: "run/too-many-tokens" });
    }
    await expect(generated([], { windows: [[5]] })).rejects.toMatchObject({ code: "text/too-short" });
  });

  test("tells what it does, and stops when it is told to", async () => {
    const controller = new AbortController();
    const phases: string[] = [];
    const onProgress = (phase: string) => {
      phases.push(phase);
      if (phases.length > 60) controller.abort();
    };
    await expect(generated(["W4A16"], { signal: controller.signal, onProgress })).rejects.toMatchObject({
      code: "run/cancelled",
    });
    expect(new Set(phases)).toEqual(new Set(["generating"]));
  });
});

test("prompts are decoded side by side as memory allows, and one that is too long is refused", async () => {
  const graph = decoderOf(await checkpointAt(MODEL));
  // Four layers of keys and values of 128 columns each: 4 kB a token, 512 bytes in each buffer.
  const prompts = Array.from({ length: 2000 }, () => new Array<number>(256).fill(5));
  const cache = 256 + 256 - 1;
  const endOn = (maxBufferBytes: number, most?: number) =>
    groupEnd(graph, { maxBufferBytes }, prompts, 0, 256, most ?? Infinity);
  expect(endOn(10 * cache * 512)).toBe(10);
  expect(endOn(11 * cache * 512 - 1)).toBe(10);
  expect(endOn(10 * cache * 512, 3)).toBe(3);
  const all = endOn(Infinity);
  expect(all).toBeGreaterThan(20);
  expect(all * cache * 4096).toBeLessThanOrEqual(2 ** 29);
  expect(() => endOn(cache * 512 - 1)).toThrow(expect.objectContaining({ code: "run/cache-too-large" }));
});

test("a variant says the same where it takes either of two tokens that the original cannot tell apart", () => {
  const scores = (topBase: readonly number[], top: readonly number[]) => ({
    ...emptyScores(top.length),
    topBase: Uint32Array.from(topBase),
    top: Uint32Array.from(top),
    notFinite: 0,
  });
  expect(firstDifferenceOf([4, 5, 6], scores([4, 5, 6], [4, 5, 6]))).toBeNull();
  expect(firstDifferenceOf([4, 5, 6], scores([4, 5, 6], [4, 7, 6]))).toBe(1);
  expect(firstDifferenceOf([4, 5, 6], scores([4, 9, 6], [4, 9, 6]))).toBeNull();
  expect(firstDifferenceOf([4, 5, 6], scores([4, 9, 6], [4, 5, 6]))).toBeNull();
  expect(firstDifferenceOf([4, 5, 6], scores([4, 9, 6], [4, 8, 6]))).toBe(1);
  const broken = scores([4], [4]);
  broken.kld[0] = Number.NaN;
  expect(firstDifferenceOf([4], broken)).toBe(0);
});
