import { describe, expect, test } from "vitest";
import { cancelledError } from "../../base/errors.ts";
import { sampleCurveOf, sampleSalient, sampleStrengths } from "../../engine/sweep-words.cases.ts";
import { BROKEN, failing, lab, MODEL, OTHER, PREPARED, settle } from "./lab-controller.cases.ts";
import { NO_LAYERS, sweepKey } from "./layers-state.ts";

async function opened(scheme = "W4A16") {
  const made = lab();
  const { store, link, controller } = made;
  link.answers.sweepStrength = async () => ({ ok: true, value: sampleStrengths() });
  link.answers.sampleCurve = async () => ({ ok: true, value: sampleCurveOf() });
  link.answers.salientChannels = async () => ({ ok: true, value: sampleSalient() });
  await controller.open(MODEL);
  store.set({ surface: "model", scheme });
  await settle();
  link.asked.length = 0;
  const view = (kind: Parameters<typeof sweepKey>[0]) => store.state.layers.sweeps.get(sweepKey(kind, scheme))?.view;
  return { ...made, view };
}

describe("a sweep", () => {
  test("runs the chosen recipe on few windows of the asked text, calibrated even where the recipe asks for nothing", async () => {
    const { store, link, controller, view } = await opened();
    const texts: unknown[] = [];
    link.answers.prepareText = async (choice) => {
      texts.push(choice);
      return { ok: true, value: PREPARED };
    };
    await controller.layers.sweep("strengths");
    expect(link.asked).toEqual(["prepareText", "prepareText", "sweepStrength"]);
    expect(texts).toMatchObject([
      { source: { kind: "bundled", names: ["calibration"] } },
      { windows: 4, calibration: { textHashes: ["y"], windowHashes: ["x"] } },
    ]);
    expect(link.request).toMatchObject({
      ...{ scheme: "W4A16", calibration: PREPARED, text: PREPARED, strengths: [0, 0.2, 0.4, 0.6, 0.8, 1] },
    });
    expect(view("strengths")).toEqual({ state: "ready", result: sampleStrengths() });
    expect(store.state.job).toBeNull();
  });

  test("takes what was asked for it", async () => {
    const { link, controller, view } = await opened();
    controller.layers.setSweep({ windows: 16, isFine: true, isWhole: true, share: 0.03 });
    await controller.layers.sweep("salient");
    expect(link.request).toMatchObject({ share: 0.03 });
    await controller.layers.sweep("samples");
    expect(link.request).not.toHaveProperty("counts");
    link.answers.prepareText = async () => ({ ok: true, value: { ...PREPARED, windows: Array(5).fill([1, 2, 3]) } });
    controller.layers.setSweep({ windows: 4, isFine: false, isWhole: false, share: 0.01 });
    await controller.layers.sweep("samples");
    expect(link.request).toMatchObject({ counts: [2, 4] });
    expect([view("salient")?.state, view("samples")?.state, view("strengths")]).toEqual(["ready", "ready", undefined]);
  });

  test("that is stopped leaves what was there before; one that fails says so in its panel", async () => {
    const { store, link, controller, view } = await opened();
    link.answers.sweepStrength = failing(cancelledError("it"));
    await controller.layers.sweep("strengths");
    expect(view("strengths")).toEqual({ state: "none" });
    link.answers.sweepStrength = async () => ({ ok: true, value: sampleStrengths() });
    await controller.layers.sweep("strengths");
    link.answers.sweepStrength = failing(cancelledError("it"));
    await controller.layers.sweep("strengths");
    expect(view("strengths")?.state).toBe("ready");
    expect(store.state.end).toBe("cancelled");
    link.answers.sweepStrength = failing(BROKEN);
    await controller.layers.sweep("strengths");
    expect(view("strengths")).toMatchObject({ state: "failed", error: { code: "safetensors/too-short" } });
    expect(store.state.failure).toBeNull();
  });

  test("goes with another model, and does not come back from the one before", async () => {
    const { store, link, controller } = await opened();
    let answer: (() => void) | null = null;
    link.answers.sweepStrength = () =>
      new Promise((resolve) => {
        answer = () => resolve({ ok: true, value: sampleStrengths() });
      });
    const swept = controller.layers.sweep("strengths");
    await settle();
    await controller.open(OTHER);
    (answer as (() => void) | null)?.();
    await swept;
    expect(store.state.layers).toEqual(NO_LAYERS);
  });
});
