import { afterAll, describe, expect, test } from "vitest";
import type { Engine, MeasureRequest } from "../../src/engine/api.ts";
import type { MeasureResult } from "../../src/engine/measure-result.ts";
import type { Roundings } from "../../src/engine/roundings.ts";
import { RULES } from "../support/run-rules.ts";
import { OpenEngines } from "../support/small-model.ts";

const IGNORE = ["lm_head", "re:.*embed_tokens"];

const engines = new OpenEngines();
afterAll(() => engines.close());

async function requestOf(engine: Engine, parts: Partial<MeasureRequest>, windows = 2): Promise<MeasureRequest> {
  const text = await engine.prepareText({ source: { kind: "bundled", names: ["scripture"] }, windows });
  return { ...RULES, schemes: ["W8A8"], ignore: IGNORE, text, ...parts };
}

const calibrationOf = (engine: Engine, windows = 4) =>
  engine.prepareText({ source: { kind: "bundled", names: ["calibration"] }, windows });

const kldOf = (result: MeasureResult, row = 0) => result.rows[row]?.divergence?.kld.value ?? Number.NaN;

describe("what is switched off", () => {
  test("stays as the original has it: with everything off nothing differs at all", async () => {
    const engine = await engines.open("loud");
    const roundings: Roundings = { weights: false, activations: false, kvCache: null };
    const result = await engine.measure(await requestOf(engine, { roundings }));
    expect(result.rows[0]?.divergence).toMatchObject({ kld: { value: 0 }, sameTopP: { value: 1 } });
    expect(result.rows[0]?.divergence?.activationQuantization).toEqual([]);
  });

  test("is not what was measured with it on: each set of switches is kept apart", async () => {
    const engine = await engines.open("loud");
    const figures = new Map<string, number>();
    for (const weights of [true, false]) {
      for (const activations of [true, false]) {
        const roundings = { weights, activations, kvCache: null };
        const result = await engine.measure(await requestOf(engine, { roundings }));
        expect(result.text.knownWindows, JSON.stringify(roundings)).toBe(0);
        expect(result.roundings).toEqual(roundings);
        figures.set(`${weights} ${activations}`, kldOf(result));
      }
    }
    // Loud channels leave int8 activations little room: their error is most of it.
    expect(figures.get("false true")).toBeGreaterThan(10 * (figures.get("true false") ?? Number.NaN));
    expect(figures.get("true true")).toBeGreaterThan(figures.get("true false") ?? Number.NaN);
    const again = await engine.measure(
      await requestOf(engine, { roundings: { weights: true, activations: true, kvCache: null } }),
    );
    expect(again.text.knownWindows).toBe(2);
    expect(kldOf(again)).toBe(figures.get("true true"));
  });
});

test("a scheme that rounds activations measured beside it leaves what is known of another", async () => {
  const engine = await engines.open("natural");
  await engine.measure(await requestOf(engine, { schemes: ["W4A16"] }));
  await engine.measure(await requestOf(engine, { schemes: ["W4A16", "W8A8"] }));
  // The noise floor and two schemes, each once.
  expect((await engine.kept()).entries).toHaveLength(3);
});

describe("activations", () => {
  test("lose less, the fewer of them share a scale", async () => {
    const engine = await engines.open("loud");
    const schemes = ["tensor", "token", "group=128", "group=32"].map((part) => `int8:channel/int8:${part}`);
    const roundings = { weights: false, activations: true, kvCache: null };
    const result = await engine.measure(await requestOf(engine, { schemes, roundings }));
    const klds = schemes.map((_, row) => kldOf(result, row));
    expect(klds).toEqual(klds.toSorted((a, b) => b - a));
    expect(result.rows.map(({ divergence }) => divergence?.activationQuantization)).toEqual([
      ["inputs: int 8 bit per tensor, dynamic"],
      ["inputs: int 8 bit per token, dynamic"],
      ["inputs: int 8 bit per group, dynamic"],
      ["inputs: int 8 bit per group, dynamic"],
    ]);
  });

  test("as vLLM serves them are measured beside those that the tool simulates, where it has a rule for them", async () => {
    const engine = await engines.open("natural");
    const schemes = ["W8A8", "W4A16", "int8:channel/int8:tensor"];
    const result = await engine.measure(await requestOf(engine, { schemes, served: true }));
    const [w8a8, ...others] = result.rows.map(({ served }) => served);
    expect(others).toEqual([null, null]);
    const served = w8a8?.divergence?.kld.value ?? Number.NaN;
    expect(served).not.toBe(kldOf(result));
    expect(w8a8?.difference?.value).toBeCloseTo(served - kldOf(result), 12);
    expect(w8a8?.difference?.interval).not.toBeNull();
    expect(w8a8?.evidence).toMatch(/not compared with a run/);
    expect(result.kernels.map(({ kernel }) => kernel)).toContain("activations/served_scales");
  });

  test("with static scales follow the text that these are taken from", async () => {
    const engine = await engines.open("natural");
    const schemes = ["int8:channel/int8:tensor:static=static_minmax"];
    const request = await requestOf(engine, { schemes });
    await expect(engine.measure(request)).rejects.toMatchObject({ code: "run/no-calibration" });
    const few = await engine.measure({ ...request, calibration: await calibrationOf(engine, 1) });
    const many = await engine.measure({ ...request, calibration: await calibrationOf(engine, 4) });
    expect([few, many].map(({ text }) => text.knownWindows)).toEqual([0, 0]);
    expect(kldOf(many)).not.toBe(kldOf(few));
    expect(many.calibration).toMatchObject({ windows: 4 });
    expect(many.rows[0]?.divergence?.activationQuantization).toEqual(["inputs: int 8 bit per tensor, static"]);
  });
});

describe("keys and values", () => {
  test("are rounded alone where no weight and no activation is", async () => {
    const engine = await engines.open("natural");
    const calibration = await calibrationOf(engine);
    for (const [kvCache, words] of [
      ["int8:tensor", "KV cache: int 8 bit per tensor, static"],
      ["int8:attn_head", "KV cache: int 8 bit per attn_head, static"],
      ["int8:token-head", "KV cache: int 8 bit per token and head, dynamic (vLLM's rule)"],
    ] as const) {
      const roundings = { weights: true, activations: true, kvCache };
      const result = await engine.measure(await requestOf(engine, { schemes: ["none"], roundings, calibration }));
      expect(result.rows[0]?.divergence?.activationQuantization).toEqual([words]);
      expect(kldOf(result)).toBeGreaterThan(1e-5);
      expect(kldOf(result)).toBeLessThan(0.01);
    }
  });

  test("of a scheme that is none at all are refused, as is one that no tool knows", async () => {
    const engine = await engines.open("natural");
    await expect(engine.measure(await requestOf(engine, { schemes: ["none"] }))).rejects.toMatchObject({
      code: "scheme/nothing-to-do",
    });
    const roundings = { weights: true, activations: true, kvCache: "int4:tensor" };
    await expect(engine.measure(await requestOf(engine, { roundings }))).rejects.toMatchObject({
      code: "scheme/bad-kv-cache",
    });
  });
});
