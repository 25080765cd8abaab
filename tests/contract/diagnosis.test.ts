import { afterAll, describe, expect, test } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import type { Engine } from "../../src/engine/api.ts";
import type { DiagnosisRequest } from "../../src/engine/diagnosis-api.ts";
import type { MeasuredTokens } from "../../src/engine/measure-result.ts";
import type { TokenScores } from "../../src/metrics/token-scores.ts";
import { textOf } from "../support/id-text.ts";
import { RULES } from "../support/run-rules.ts";
import { OpenEngines } from "../support/small-model.ts";

// The model has two layers, so that each can be left alone by a recipe that names the other.

const LAYERS = [0, 1];
/** A scheme that rounds weights and activations, and fits the width of 64. */
const SCHEME = "int4:group=16/int8:token";
const IGNORE = ["lm_head", "re:.*embed_tokens"];

const random = new SeededRandom(5);
const TEXT = textOf(Array.from({ length: 3 }, () => Array.from({ length: 40 }, () => random.nextUint32() % 160)));

const engines = new OpenEngines();
afterAll(() => engines.close());

const requestOf = (scheme: string): DiagnosisRequest => ({ ...RULES, scheme, ignore: IGNORE, text: TEXT });

const onLayer = (layer: number) => `${SCHEME}@re:model\\.layers\\.${layer}\\.`;

/** What a measurement says of every scored position. */
async function scoresOf(engine: Engine, schemes: readonly string[]): Promise<readonly TokenScores[]> {
  let found: MeasuredTokens | undefined;
  const request = { ...RULES, schemes, ignore: IGNORE, text: TEXT };
  await engine.measure(request, {
    onTokens: (tokens) => {
      found = tokens;
    },
  });
  return found?.rows.map(({ scores }) => scores) ?? [];
}

const meanOf = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("putting layers back", () => {
  test("heals all of it when all are back, changes nothing when none is, and ranks as recipes without a layer do", async () => {
    const engine = await engines.open("small");
    const result = await engine.heal({ ...requestOf(SCHEME), unit: "layer", at: null });
    expect(result.healed).toBe(0);
    const [whole, ...alone] = await scoresOf(engine, [SCHEME, ...LAYERS.map(onLayer)]);
    expect(result.kld).toBe(meanOf(whole?.kld ?? new Float64Array()));
    // With one layer back, only the other is as the recipe has it.
    const expected = LAYERS.map((layer) => ({
      name: `${layer}`,
      kld: meanOf(alone[1 - layer]?.kld ?? new Float64Array()),
    }));
    expect(result.parts.map(({ name, kld }) => ({ name, kld }))).toEqual(expected.toSorted((a, b) => a.kld - b.kld));
    for (const { kld, recovered } of result.parts) {
      expect(recovered).toBe(((result.kld ?? 0) - (kld ?? 0)) / (result.kld ?? 0));
    }
  });

  test("does the same for one position alone", async () => {
    const engine = await engines.open("small");
    const at = { window: 1, position: 27 };
    const result = await engine.heal({ ...requestOf(SCHEME), unit: "layer", at });
    const scores = await scoresOf(engine, [SCHEME, ...LAYERS.map(onLayer)]);
    // Each window scores its second half: positions 20 to 38.
    const place = at.window * 19 + at.position - 20;
    expect(result.positions).toBe(1);
    expect(result.healed).toBe(0);
    expect(result.kld).toBe(scores[0]?.kld[place]);
    for (const { name, kld } of result.parts) expect(kld).toBe(scores[2 - Number(name)]?.kld[place]);
  });

  test("takes kinds of modules apart, and keys and values as one of them", async () => {
    const engine = await engines.open("small");
    const roundings = { weights: true, activations: true, kvCache: "int8:token-head" };
    const partial: number[] = [];
    const result = await engine.heal(
      { ...requestOf(SCHEME), roundings, unit: "kind", at: null },
      { onHealed: ({ parts }) => partial.push(parts.length) },
    );
    const kinds = ["down_proj", "gate_proj", "k_proj", "keys and values", "o_proj", "q_proj", "up_proj", "v_proj"];
    expect(result.parts.map(({ name }) => name).toSorted()).toEqual(kinds);
    expect(result.healed).toBe(0);
    expect(partial.at(-1)).toBe(kinds.length);
  });

  test("of a slice of the text is that of its windows alone", async () => {
    const engine = await engines.open("small");
    const slices = [
      { name: "first", places: [0, 2] },
      { name: "second", places: [1] },
    ];
    const request = { ...requestOf(SCHEME), text: { ...TEXT, slices }, unit: "layer" } as const;
    const found = await engine.heal({ ...request, at: { slice: "second" } });
    const own = { ...request, text: textOf([TEXT.windows[1] ?? []]), at: null };
    expect({ ...found, at: null }).toEqual(await engine.heal(own));
    await expect(engine.heal({ ...request, at: { slice: "third" } })).rejects.toMatchObject({ code: "text/no-slice" });
  });

  test("of a position that is not there is refused", async () => {
    const engine = await engines.open("small");
    const request = { ...requestOf(SCHEME), unit: "layer", at: { window: 0, position: 40 } } as const;
    await expect(engine.heal(request)).rejects.toMatchObject({ code: "text/no-position" });
  });
});

describe("error along depth", () => {
  test("is inherited by the next layer, and fresh where only that layer is quantized", async () => {
    const engine = await engines.open("small");
    const whole = await engine.depth(requestOf(SCHEME));
    expect(whole.layers.map(({ layer }) => layer)).toEqual(LAYERS);
    expect(whole.layers[0]?.inherited).toEqual(whole.layers[0]?.fresh);
    for (const layer of LAYERS) {
      const alone = await engine.depth(requestOf(onLayer(layer)));
      // Fed by the original up to there, it inherits nothing, and adds what it adds.
      expect(alone.layers[layer]?.inherited).toEqual(whole.layers[layer]?.fresh);
      for (const before of LAYERS.slice(0, layer)) {
        expect(alone.layers[before]?.inherited).toEqual({ relative: 0, signalToNoiseDb: null });
      }
    }
    const [first, second] = whole.layers;
    expect(second?.inherited.relative).not.toEqual(second?.fresh.relative);
    expect(first?.fresh.signalToNoiseDb).toBeCloseTo(-10 * Math.log10(first?.fresh.relative ?? 0), 10);
    expect(whole.rounded).toEqual(["weights: int4, symmetric, groups of 16", "inputs: int 8 bit per token, dynamic"]);
    expect(whole.tokens).toBe(120);
  });
});

describe("a look at a token", () => {
  test("gives what the measurement gave there, and the most likely tokens of both", async () => {
    const engine = await engines.open("small");
    const at = { window: 2, position: 30 };
    const look = await engine.lookAtToken(requestOf(SCHEME), at);
    const [scores] = await scoresOf(engine, [SCHEME]);
    const place = 2 * 19 + 10;
    expect(look.kld).toBeCloseTo(scores?.kld[place] ?? Number.NaN, 6);
    expect(look.original[0]).toMatchObject({ id: scores?.topBase[place] });
    expect(look.original[0]?.p).toBeCloseTo(scores?.pTopBase[place] ?? Number.NaN, 6);
    expect(look.variant[0]).toMatchObject({ id: scores?.top[place] });
    expect(look.next?.id).toBe(TEXT.windows[2]?.[31]);
    expect((look.next?.q ?? 0) - (look.next?.p ?? 0)).toBeCloseTo(scores?.deltaP[place] ?? Number.NaN, 6);
    for (const [side, key] of [
      [look.original, "p"],
      [look.variant, "q"],
    ] as const) {
      expect(side).toHaveLength(10);
      expect(side.map((token) => token[key])).toEqual(side.map((token) => token[key]).toSorted((a, b) => b - a));
    }
    const last = await engine.lookAtToken(requestOf(SCHEME), { window: 0, position: 39 });
    expect(last.next).toBeNull();
  });
});

describe("activations", () => {
  test("are collected, written, and read back for the same weights alone", async () => {
    const engine = await engines.open("loud");
    await expect(engine.activationsFile()).rejects.toMatchObject({ code: "run/nothing-collected" });
    const text = await engine.prepareText({ source: { kind: "bundled", names: ["scripture"] }, windows: 2 });
    const report = await engine.activations(text);
    // As planted.json has them.
    const planted = new Map([
      ["model.layers.1.self_attn.q_proj", [30, 83]],
      ["model.layers.2.mlp.gate_proj", [5, 27, 52]],
    ]);
    for (const [module, channels] of planted) {
      const layer = report.layers.find((own) => own.module === module);
      expect(layer?.outliers.map(({ channel }) => channel).toSorted((a, b) => a - b)).toEqual(channels);
      expect(layer?.channelAbsMax).toHaveLength(256);
      expect(layer?.kurtosis).toBeGreaterThan(100);
    }
    const file = await engine.activationsFile();
    const source = {
      name: "statistics.safetensors",
      sizeBytes: file.byteLength,
      read: async (start: number, end: number) => file.slice(start, end),
    };
    const same = await engines.open("loud");
    const again = await same.readActivations(source);
    expect(again).toEqual({ ...report, origin: "file", kernels: [] });
    const other = await engines.open("natural");
    await expect(other.readActivations(source)).rejects.toMatchObject({ code: "statistics/other-model" });
  });

  test("of one layer are shown token by token", async () => {
    const engine = await engines.open("loud");
    const text = await engine.prepareText({ source: { kind: "bundled", names: ["scripture"] }, windows: 1 });
    const strip = await engine.strip("model.layers.1.self_attn.q_proj", text, 0);
    expect(strip).toMatchObject({ tokens: 256, channels: 256, channelsPerCell: 1 });
    const column = (channel: number) =>
      Array.from({ length: 256 }, (_, token) => strip.values[token * 256 + channel] ?? 0);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(column(30))).toBeGreaterThan(20 * mean(column(31)));
    await expect(engine.strip("nowhere", text, 0)).rejects.toMatchObject({ code: "run/no-module" });
    await expect(engine.strip("lm_head", text, 1)).rejects.toMatchObject({ code: "text/no-position" });
  });
});
