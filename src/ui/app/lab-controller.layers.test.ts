import { describe, expect, test } from "vitest";
import { cancelledError } from "../../base/errors.ts";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import { isOld, jobState } from "./asked-once.ts";
import { BROKEN, failing, lab, MODEL, OTHER, PREPARED, settle } from "./lab-controller.cases.ts";
import { isSameRun } from "./lab-state.ts";

const DEPTH = { kind: "depth", scheme: "W4A16", layers: [] };
const REPORT = { kind: "activations", model: "tiny/model", layers: [] };
const STRIP = { module: "a", tokens: 1 };

async function opened() {
  const made = lab();
  const { store, link, controller } = made;
  link.answers.depth = async () => ({ ok: true, value: DEPTH });
  link.answers.activations = async () => ({ ok: true, value: REPORT });
  link.answers.readActivations = async () => ({ ok: true, value: REPORT });
  link.answers.activationsFile = async () => ({ ok: true, value: new Uint8Array(8) });
  link.answers.importanceFile = async () => ({ ok: true, value: new Uint8Array(8) });
  link.answers.strip = async () => ({ ok: true, value: STRIP });
  await controller.open(MODEL);
  // On another surface, so that no matrix is looked at closely meanwhile.
  store.set({ surface: "model", scheme: "W4A16" });
  await settle();
  link.asked.length = 0;
  return made;
}

describe("the error along depth", () => {
  test("is followed for the chosen recipe over the asked text, and kept beside others", async () => {
    const { store, link, controller } = await opened();
    await controller.layers.followDepth();
    expect(link.asked).toEqual(["prepareText", "depth"]);
    expect(link.request).toMatchObject({ scheme: "W4A16", roundings: WHOLE_PRESET, text: PREPARED });
    controller.pickScheme("W8A8");
    await controller.layers.followDepth();
    expect([...store.state.layers.depths.keys()]).toEqual(["W4A16", "W8A8"]);
    expect(store.state.layers.depths.get("W4A16")?.view).toEqual({ state: "ready", result: DEPTH });
    expect(store.state.job).toBeNull();
  });

  test("is old once something else would be asked, not once other recipes would", async () => {
    const { store, controller } = await opened();
    await controller.layers.followDepth();
    const older = () => {
      const depth = store.state.layers.depths.get("W4A16");
      const isSame: typeof isSameRun = (one, other) => isSameRun({ ...one, schemes: [] }, { ...other, schemes: [] });
      return depth && jobState(depth.view, isOld(depth, store.state, isSame));
    };
    expect(older()).toBe("ready");
    controller.setRules({ schemes: ["W4A16"] });
    expect(older()).toBe("ready");
    controller.setRules({ roundings: { ...WHOLE_PRESET, weights: false } });
    expect(older()).toBe("stale");
  });

  test("that fails or is stopped is the panel's business", async () => {
    const { store, link, controller } = await opened();
    link.answers.depth = failing(BROKEN);
    await controller.layers.followDepth();
    const view = () => store.state.layers.depths.get("W4A16")?.view;
    expect(view()).toMatchObject({ state: "failed", error: { code: "safetensors/too-short" } });
    expect(store.state.failure).toBeNull();
    link.answers.depth = failing(cancelledError("it"));
    await controller.layers.followDepth();
    expect(view()).toEqual({ state: "none" });
    expect(store.state.end).toBe("cancelled");
  });
});

describe("activations", () => {
  test("are collected, saved under the model's name, and looked at token by token on the same text", async () => {
    const { store, link, offered, controller } = await opened();
    await controller.layers.collect();
    expect(store.state.layers.activations.view).toEqual({ state: "ready", result: REPORT });
    await controller.layers.saveStatistics();
    await controller.layers.saveImportance();
    expect(offered).toEqual(["tiny_model-activations.safetensors", "tiny_model-imatrix.gguf"]);
    link.asked.length = 0;
    await controller.layers.showStrip("a");
    expect(link.asked).toEqual(["strip"]);
    expect(store.state.layers.strips.get("a")).toEqual({ state: "ready", result: STRIP });
    await controller.layers.collect();
    expect(store.state.layers.strips.size).toBe(0);
  });

  test("come from a file as well, and go with another model", async () => {
    const { store, link, controller } = await opened();
    await controller.layers.openStatistics(new File([], "a.safetensors"));
    expect(link.asked).toEqual(["readActivations"]);
    expect(store.state.layers.activations.view.state).toBe("ready");
    link.asked.length = 0;
    await controller.layers.showStrip("a");
    expect(link.asked).toEqual(["prepareText", "strip"]);
    await controller.open(OTHER);
    expect(store.state.layers.activations.view.state).toBe("none");
  });

  test("are not saved before there are any", async () => {
    const { link, offered, controller } = await opened();
    await controller.layers.saveStatistics();
    expect([link.asked, offered]).toEqual([[], []]);
  });
});
