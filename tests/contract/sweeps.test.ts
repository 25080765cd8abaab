import { afterAll, describe, expect, test } from "vitest";
import { SeededRandom } from "../../src/base/random.ts";
import { salientText, samplesText, strengthsText } from "../../src/cli/diagnose-sweeps.ts";
import type { Engine } from "../../src/engine/api.ts";
import type { Divergence } from "../../src/engine/measure-result.ts";
import { createMemoryWorkspace } from "../../src/formats/workspaces/memory-workspace.ts";
import { DEFAULT_GPU } from "../../src/planner/gpus.ts";
import { textOf } from "../support/id-text.ts";
import { RULES } from "../support/run-rules.ts";
import { OpenEngines } from "../support/small-model.ts";

// What sweeps say is held to what single runs of the same recipes say.

const IGNORE = ["lm_head", "re:.*embed_tokens"];
/** Rounds weights alone, and weights and inputs; both fit the small model's width of 64. */
const WEIGHTS = "int3:group=16";
const BOTH = "int4:group=16/int4:token";

const random = new SeededRandom(11);
const windowsOf = (count: number, length: number) =>
  Array.from({ length: count }, () => Array.from({ length }, () => random.nextUint32() % 160));

const TEXT = textOf(windowsOf(3, 40));
const CALIBRATION = textOf(windowsOf(4, 24));
const RUN = { ...RULES, ignore: IGNORE, text: TEXT, calibration: CALIBRATION };

const engines = new OpenEngines();
afterAll(() => engines.close());

/** What a measurement says of a recipe: kld and its interval, to all but the last digits, which the order of adding up decides. */
async function divergenceOf(engine: Engine, scheme: string, calibration = CALIBRATION): Promise<Divergence> {
  const { rows } = await engine.measure({ ...RUN, calibration, schemes: [scheme] });
  const divergence = rows[0]?.divergence;
  if (!divergence) throw new Error(`${scheme} was not measured`);
  return divergence;
}

async function expectMeasured(
  engine: Engine,
  { recipe, kld, interval }: { readonly recipe: string; readonly kld: number | null; readonly interval: unknown },
  calibration = CALIBRATION,
): Promise<void> {
  const divergence = await divergenceOf(engine, recipe, calibration);
  expect(kld).toBeCloseTo(divergence.kld.value, 14);
  expect(interval).toEqual(divergence.intervals.kld);
}

/** Texts of the model that has loud channels in the layers 1 and 2. */
async function openLoud() {
  const engine = await engines.open("loud");
  const prepare = (name: "scripture" | "calibration") =>
    engine.prepareText({ source: { kind: "bundled", names: [name] }, windows: 2, context: 64 });
  return {
    engine,
    run: { ...RULES, ignore: IGNORE, text: await prepare("scripture"), calibration: await prepare("calibration") },
  };
}

/**
 * Σ(x − Q(x))² and Σx² of symmetric int4 with a scale a token, from magnitudes alone: both ends of the range are half a step off.
 * Source: compressed-tensors 0.19 `quantization/utils/helpers.py :: calculate_qparams`.
 */
function int4Losses(values: Float32Array, tokens: number, channels: number): readonly [number, number] {
  let [errors, squares] = [0, 0];
  for (let token = 0; token < tokens; token++) {
    const row = values.subarray(token * channels, (token + 1) * channels);
    const scale = Math.fround(Math.max(...row) / 7.5);
    for (const value of row) {
      errors += (value - scale * Math.min(7, Math.round(value / scale))) ** 2;
      squares += value ** 2;
    }
  }
  return [errors, squares];
}

describe("a sweep over SmoothQuant's strength", () => {
  test("measures each strength as it is measured alone, and goes by their least", async () => {
    const engine = await engines.open("small");
    const sweep = await engine.sweepStrength({ ...RUN, scheme: BOTH, strengths: [1, 0, 0.5, 1] });
    expect(sweep.points.map(({ strength }) => strength)).toEqual([0, 0.5, 1]);
    expect(sweep.points.map(({ recipe }) => recipe)).toEqual([
      `smoothquant:strength=0 | ${BOTH}`,
      `smoothquant | ${BOTH}`,
      `smoothquant:strength=1 | ${BOTH}`,
    ]);
    for (const point of [sweep.plain, ...sweep.points]) {
      await expectMeasured(engine, point);
      for (const { weights, activations } of [point, ...point.matrices]) {
        expect(weights).toBeGreaterThan(0);
        expect(activations).toBeGreaterThan(0);
      }
    }
    const klds = sweep.points.map(({ kld }) => kld ?? Number.NaN);
    const least = Math.min(...klds);
    expect(sweep.best?.strength).toBe([0, 0.5, 1][klds.indexOf(least)]);
    expect(sweep.best?.gain).toBeCloseTo((sweep.plain.kld ?? 0) - least, 14);
    for (const { layer, strength } of sweep.layers) {
      const sums = sweep.points.map((point) => point.layers[layer]?.sum ?? Number.NaN);
      expect(strength).toBe([0, 0.5, 1][sums.indexOf(Math.min(...sums))]);
    }
    expect(sweep.perLayer).not.toBeNull();
    if (sweep.perLayer) await expectMeasured(engine, sweep.perLayer);
    expect([sweep.windows, sweep.positions, sweep.calibration.windows]).toEqual([3, 57, 4]);
    expect(new Set(sweep.kernels.map(({ device }) => device))).toEqual(new Set(["wasm"]));
    expect(strengthsText(sweep)).toContain(`least at ${sweep.best?.strength}`);
  });

  test("tells what weights lose as a comparison does, and what inputs lose as their magnitudes do", async () => {
    const engine = await engines.open("small");
    const { plain } = await engine.sweepStrength({ ...RUN, scheme: BOTH, strengths: [0.5] });
    const compared = await engine.compare({
      ...RUN,
      ...{ schemes: [BOTH], throughput: false },
      plan: { gpu: DEFAULT_GPU, contextTokens: 64, sequences: 1 },
    });
    for (const module of ["model.layers.0.self_attn.q_proj", "model.layers.1.mlp.down_proj"]) {
      const own = plain.matrices.find((matrix) => matrix.module === module);
      const layer = compared.schemes[0]?.layers.find((row) => row.module === module);
      expect(own?.weights).toBe(layer?.relativeMse);
      let [errors, squares] = [0, 0];
      for (const window of TEXT.windows.keys()) {
        const { values, tokens, channels, channelsPerCell } = await engine.strip(module, TEXT, window);
        expect(channelsPerCell).toBe(1);
        const [lost, all] = int4Losses(values, tokens, channels);
        errors += lost;
        squares += all;
      }
      // The kernel adds up in float32.
      expect((own?.activations ?? 0) / (errors / squares)).toBeCloseTo(1, 5);
    }
  });

  test("finds that a planted loud channel wants smoothing", async () => {
    const { engine, run } = await openLoud();
    const { plain, points, best } = await engine.sweepStrength({ ...run, scheme: "W8A8", strengths: [0, 1] });
    expect(best?.strength).toBe(1);
    expect((plain.kld ?? 0) / (points[1]?.kld ?? 0)).toBeGreaterThan(10);
    const activations = (point: typeof plain | undefined, layer: number) =>
      point?.layers[layer]?.activations ?? Number.NaN;
    for (const layer of [1, 2]) {
      expect(activations(plain, layer) / activations(points[1], layer)).toBeGreaterThan(4);
      expect(activations(points[0], layer)).toBeGreaterThan(activations(points[1], layer));
    }
  });

  test("keeps the rest of the method, rounds what is asked for, and lets go of each point's weights", async () => {
    let [open, made, most] = [0, 0, 0];
    const workspace = () => {
      const own = createMemoryWorkspace();
      made++;
      most = Math.max(most, ++open);
      return {
        create: (sizeBytes: number) => own.create(sizeBytes),
        close: async () => {
          open--;
          await own.close();
        },
      };
    };
    const engine = await engines.open("small", { workspace });
    const phases = new Set<string>();
    const sweep = await engine.sweepStrength(
      {
        ...RUN,
        scheme: `smoothquant:rule=paper:strength=0.2+gptq:damp=0.05 | ${BOTH}`,
        strengths: [0.3],
        roundings: { weights: true, activations: false, kvCache: null },
      },
      { onProgress: ({ phase }) => phases.add(phase) },
    );
    expect(sweep.plain.recipe).toBe(`gptq:damp=0.05 | ${BOTH}`);
    expect(sweep.points[0]?.recipe).toBe(`smoothquant:strength=0.3:rule=paper+gptq:damp=0.05 | ${BOTH}`);
    expect(sweep.perLayer).toMatchObject({ recipe: sweep.points[0]?.recipe, kld: sweep.points[0]?.kld });
    expect(sweep.points[0]?.matrices.every(({ activations }) => activations === null)).toBe(true);
    expect([open, made, most]).toEqual([0, 2, 1]);
    for (const phase of ["without smoothing: running GPTQ", "strength 0.3: running SmoothQuant"]) {
      expect(phases).toContain(phase);
    }
  });

  test("is refused without a calibration text and for strengths that are none, and is cancelled", async () => {
    const engine = await engines.open("small");
    const request = { ...RUN, scheme: BOTH };
    const refused = [
      [{ ...request, calibration: null }, "run/no-calibration"],
      [{ ...request, strengths: [] }, "run/bad-sweep"],
      [{ ...request, strengths: [0.5, 1.5] }, "scheme/bad-method"],
    ] as const;
    for (const [own, code] of refused) await expect(engine.sweepStrength(own)).rejects.toMatchObject({ code });
    const controller = new AbortController();
    const onProgress = ({ phase }: { readonly phase: string }) => {
      if (phase.startsWith("strength 0.1")) controller.abort();
    };
    const cancelled = engine.sweepStrength(request, { signal: controller.signal, onProgress });
    await expect(cancelled).rejects.toMatchObject({ code: "run/cancelled" });
  });
});

describe("a sweep over calibration samples", () => {
  const scheme = `gptq | ${WEIGHTS}`;

  test("runs the method on the first windows, and measures each as it is measured alone", async () => {
    const engine = await engines.open("small");
    const curve = await engine.sampleCurve({ ...RUN, scheme, counts: [4, 2, 1] });
    expect(curve.points.map(({ samples, tokens }) => [samples, tokens])).toEqual([
      [1, 24],
      [2, 48],
      [4, 96],
    ]);
    expect(curve.plain.recipe).toBe(WEIGHTS);
    await expectMeasured(engine, curve.plain);
    for (const point of curve.points) {
      const calibration = textOf(CALIBRATION.windows.slice(0, point.samples));
      await expectMeasured(engine, point, calibration);
      const depth = await engine.depth({ ...RUN, calibration, scheme });
      expect(point.layers).toEqual(depth.layers.map(({ fresh }) => fresh.relative));
      expect(point.outputError).toBeCloseTo(point.layers.reduce<number>((sum, own) => sum + (own ?? 0), 0) / 2, 14);
    }
    // Too few tokens for a rank: it learns them by heart, and says so.
    const ratios = curve.points.map(({ calibrationRatio }) => calibrationRatio ?? Number.NaN);
    expect(ratios).toEqual(ratios.toSorted((a, b) => a - b));
    expect(curve.points.at(-1)?.excess).toBeNull();
    for (const { kld, excess } of curve.points.slice(0, -1)) {
      expect(excess?.value).toBeCloseTo((kld ?? 0) - (curve.points.at(-1)?.kld ?? 0), 14);
    }
    const enough = curve.points.find(({ excess }) => excess?.interval && excess.interval.low <= 0);
    expect(curve.enough).toBe(enough?.samples ?? null);
    expect(samplesText(curve)).toContain("held-out error");
  });

  test("takes all samples unless told, and tells nothing of enough from those alone", async () => {
    const engine = await engines.open("small");
    const text = textOf(TEXT.windows.slice(0, 1));
    const calibration = textOf(windowsOf(9, 8));
    const curve = await engine.sampleCurve({ ...RUN, text, calibration, scheme });
    expect(curve.points.map(({ samples }) => samples)).toEqual([8, 9]);
    // One window has no interval.
    expect(curve.enough).toBeNull();
    expect(samplesText(curve)).toContain("no fewer than 9");
  });

  test("is refused for recipes without a method and for more samples than there are", async () => {
    const engine = await engines.open("small");
    const refused = [
      [{ ...RUN, scheme: WEIGHTS }, "run/no-method"],
      [{ ...RUN, scheme, counts: [2, 5] }, "run/bad-sweep"],
      [{ ...RUN, scheme, counts: [] }, "run/bad-sweep"],
      [{ ...RUN, scheme, calibration: null }, "run/no-calibration"],
    ] as const;
    for (const [own, code] of refused) await expect(engine.sampleCurve(own)).rejects.toMatchObject({ code });
  });
});

describe("keeping salient channels", () => {
  const request = { ...RUN, scheme: WEIGHTS };

  test("of none is the recipe itself, of all the original, and of some in between", async () => {
    const engine = await engines.open("small");
    const none = await engine.salientChannels({ ...request, share: 0 });
    await expectMeasured(engine, { ...none, kld: none.rows[0]?.kld ?? null, interval: none.rows[0]?.interval });
    const first = none.rows[0]?.kld;
    expect(none.rows.map(({ kld }) => kld)).toEqual([first, first, first, first]);
    const all = await engine.salientChannels({ ...request, share: 1 });
    expect(all.rows.map(({ kld }) => kld)).toEqual([first, 0, 0, 0]);
    expect(all.channels.kept).toBe(all.channels.all);
    expect([all.leftOut, all.common]).toEqual([0, 1]);
    const some = await engine.salientChannels({ ...request, share: 0.5 });
    for (const { choice, kld } of some.rows.slice(1)) {
      expect([choice, (kld ?? 0) > 0 && (kld ?? 0) < (first ?? 0)]).toEqual([choice, true]);
    }
    expect(some.channels.kept).toBe(some.channels.all / 2);
    const other = await engine.salientChannels({ ...request, share: 0.5, seed: 1 });
    const klds = (own: typeof some) => own.rows.map(({ kld }) => kld);
    expect(klds(other).slice(0, 3)).toEqual(klds(some).slice(0, 3));
    expect(klds(other)[3]).not.toBe(klds(some)[3]);
    expect(salientText(some)).toContain("loudest inputs");
  });

  test("finds planted loud channels by the activations", async () => {
    const { engine, run } = await openLoud();
    const { rows, channels } = await engine.salientChannels({ ...run, scheme: "int3:channel" });
    const gain = (choice: string) => rows.find((row) => row.choice === choice)?.gain?.value ?? Number.NaN;
    // A hundredth of 256 channels, or of 768, rounded up to whole ones.
    expect(channels.kept / channels.all).toBeLessThan(0.013);
    expect(gain("activations")).toBeGreaterThan(10 * gain("weights"));
    expect(gain("activations")).toBeGreaterThan(10 * gain("random"));
  });

  test("leaves a method out, and is refused for a share that is none", async () => {
    const engine = await engines.open("small");
    const { scheme, recipe } = await engine.salientChannels({ ...request, scheme: `gptq | ${WEIGHTS}` });
    expect([scheme, recipe]).toEqual([`gptq | ${WEIGHTS}`, WEIGHTS]);
    for (const share of [-0.1, 1.1, Number.NaN]) {
      await expect(engine.salientChannels({ ...request, share })).rejects.toMatchObject({ code: "run/bad-sweep" });
    }
  });
});
