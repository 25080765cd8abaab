import { describe, expect, test } from "vitest";
import {
  sampleGeneration,
  sampleHeal,
  sampleLook,
  sampleTasks,
  sampleWords,
} from "../../../tests/support/measured-words.ts";
import { cancelledError } from "../../base/errors.ts";
import { sampleMeasurement } from "../../engine/measure-result.cases.ts";
import { WHOLE_PRESET } from "../../engine/roundings.ts";
import type { Outcome } from "../../engine/worker-api.ts";
import { answerOf } from "./answers.ts";
import { BROKEN, failing, lab, MODEL, OTHER, settle } from "./lab-controller.cases.ts";
import { isMeasurementOld, isStale, runState, situation } from "./lab-state.ts";
import { healKey, schemeWords, tokenKey } from "./words-state.ts";

const SAMPLE = sampleWords();
const TOKEN = { window: 0, place: 40 };

/** A lab on the surface of words, with three windows measured token by token. */
async function measured() {
  const made = lab();
  const { store, link, controller } = made;
  link.answers.prepareText = async () => ({ ok: true, value: SAMPLE.text });
  link.answers.measure = async () => {
    controller.hear({ type: "tokens", tokens: SAMPLE.tokens });
    return { ok: true, value: { result: sampleMeasurement(), tokens: null } };
  };
  link.answers.lookAtToken = async () => ({ ok: true, value: sampleLook() });
  await controller.open(MODEL);
  store.set({ surface: "words", scheme: "W4A16" });
  await controller.measure();
  await settle();
  link.asked.length = 0;
  return made;
}

describe("measured words", () => {
  test("come with their text and the pieces of every token that is shown", async () => {
    const { store } = await measured();
    const { words } = store.state;
    expect(words.measured?.text).toBe(SAMPLE.text);
    expect(words.measured?.rules).toMatchObject({ arithmetic: "eager", roundings: WHOLE_PRESET, calibration: null });
    const id = SAMPLE.text.windows[2]?.[9] ?? 0;
    expect(words.pieces.get(id)).toBe(` piece${id}`);
    const own = schemeWords(words, "W4A16");
    expect(own?.figures.positions).toBe(93);
    expect(schemeWords(words, "W4A16")).toBe(own);
    expect(answerOf(store.state)?.sentence).toMatch(
      /^W4A16 changes the most likely token at \d+ of 93 positions; half /,
    );
  });

  test("tokens whose text cannot be read are told, and the numbers stand", async () => {
    const { store, link, controller } = lab();
    link.answers.pieces = failing(BROKEN);
    link.answers.prepareText = async () => ({ ok: true, value: SAMPLE.text });
    link.answers.measure = async () => {
      controller.hear({ type: "tokens", tokens: SAMPLE.tokens });
      return { ok: true, value: { result: sampleMeasurement(), tokens: null } };
    };
    await controller.open(MODEL);
    await controller.measure();
    await settle();
    expect(store.state.words.piecesFailure?.code).toBe("safetensors/too-short");
    expect(store.state.words.measured).not.toBeNull();
  });

  test("what was asked about stays as windows are added, and goes with another run or model", async () => {
    const { store, link, controller } = await measured();
    controller.words.pick(TOKEN);
    await settle();
    await controller.measure();
    expect(store.state.words.token).toEqual(TOKEN);
    expect(store.state.words.looks.size).toBe(1);
    controller.setRules({ roundings: { ...WHOLE_PRESET, activations: false } });
    await controller.measure();
    expect([store.state.words.token, store.state.words.looks.size]).toEqual([null, 0]);
    expect(link.request).toMatchObject({ roundings: { activations: false }, served: false });
    await controller.open(OTHER);
    expect(store.state.words.measured).toBeNull();
  });

  test("before them the surface asks to measure; a stopped or old measurement is the headline's business", async () => {
    const { store, controller } = lab();
    await controller.open(MODEL);
    store.set({ surface: "words" });
    expect(answerOf(store.state)?.sentence).toContain("Measure on text");
    const made = await measured();
    made.controller.setRules({ served: true });
    expect(answerOf(made.store.state)).toBeNull();
    expect(situation(made.store.state).kind).toBe("old-text");
  });
});

describe("other roundings", () => {
  test("make what was measured old, not the comparison of weights", async () => {
    const { store, controller } = await measured();
    controller.setRules({ roundings: { ...WHOLE_PRESET, kvCache: "int8:token-head" } });
    expect([isMeasurementOld(store.state), isStale(store.state)]).toEqual([true, false]);
    controller.resetMeasurement();
    expect(isMeasurementOld(store.state)).toBe(false);
    controller.setRules({ served: true });
    expect([isMeasurementOld(store.state), isStale(store.state)]).toEqual([true, false]);
  });
});

describe("a token", () => {
  test("is looked at when it is picked, once for each recipe, by the position before it", async () => {
    const { store, link, controller } = await measured();
    controller.words.pick(TOKEN);
    expect(runState(store.state)).toMatchObject({ kind: "running", what: "Looking at a token", counts: "items" });
    await settle();
    expect(link.asked.filter((name) => name === "lookAtToken")).toHaveLength(1);
    expect(store.state.words.looks.get(tokenKey("W4A16", TOKEN))?.state).toBe("ready");
    expect(runState(store.state)).toMatchObject({ kind: "idle", end: "done", did: "one token looked at" });
    controller.words.pick(TOKEN);
    await settle();
    expect(link.asked.filter((name) => name === "lookAtToken")).toHaveLength(1);
    controller.swap();
    await settle();
    expect(store.state.scheme).toBe("W8A8");
    expect(store.state.words.looks.get(tokenKey("W8A8", TOKEN))?.state).toBe("ready");
  });

  test("of the context, and one that is not measured yet, is not picked", async () => {
    const { store, link, controller } = await measured();
    controller.words.pick({ window: 0, place: 3 });
    controller.words.pick({ window: 9, place: 40 });
    expect([store.state.words.token, link.asked]).toEqual([null, []]);
  });

  test("that cannot be looked at says so beside it, and the headline stands; it can be tried again", async () => {
    const { store, link, controller } = await measured();
    link.answers.lookAtToken = failing(BROKEN);
    controller.words.pick(TOKEN);
    await settle();
    expect(store.state.words.looks.get(tokenKey("W4A16", TOKEN))?.state).toBe("failed");
    expect([store.state.failure, store.state.end]).toEqual([null, "failed"]);
    link.answers.lookAtToken = async () => ({ ok: true, value: sampleLook() });
    await controller.words.look();
    expect(store.state.words.looks.get(tokenKey("W4A16", TOKEN))?.state).toBe("ready");
  });

  test("that another one takes the place of is asked again later", async () => {
    const { store, link, controller } = await measured();
    let stop: (outcome: Outcome<unknown>) => void = () => {};
    link.answers.lookAtToken = () => new Promise((resolve) => (stop = resolve));
    controller.words.pick(TOKEN);
    await settle();
    link.answers.lookAtToken = async () => ({ ok: true, value: sampleLook() });
    controller.words.pick({ window: 0, place: 41 });
    stop({ ok: false, error: cancelledError("looking").toData() });
    await settle();
    expect(store.state.words.looks.get(tokenKey("W4A16", TOKEN))?.state).toBe("none");
    expect(store.state.words.looks.get(tokenKey("W4A16", { window: 0, place: 41 }))?.state).toBe("ready");
  });

  test("does not disturb a job that runs", async () => {
    const { store, link, controller } = await measured();
    store.set({ job: { kind: "healing", name: "", progress: null } });
    controller.words.pick(TOKEN);
    expect(store.state.words.token).toEqual(TOKEN);
    expect(link.asked).toEqual([]);
  });
});

describe("healing", () => {
  const key = healKey("W4A16", { unit: "layer", isWhole: false }, TOKEN);

  test("grows part by part, and what was found stands when it is stopped", async () => {
    const { store, link, controller } = await measured();
    const parts = sampleHeal().parts.slice(0, 1);
    link.answers.heal = async (request) => {
      expect(request).toMatchObject({ scheme: "W4A16", unit: "layer", at: { window: 0, position: 39 } });
      controller.hear({ type: "healed", result: sampleHeal({ parts, outcome: "partial" }) });
      expect(store.state.words.heals.get(key)).toMatchObject({ state: "waiting", soFar: { parts } });
      return { ok: false, error: cancelledError("healing").toData() };
    };
    controller.words.pick(TOKEN);
    await settle();
    await controller.words.heal();
    expect(store.state.words.heals.get(key)).toMatchObject({ state: "ready", result: { outcome: "partial" } });
    link.answers.heal = async () => ({ ok: true, value: sampleHeal() });
    await controller.words.heal();
    expect(store.state.words.heals.get(key)).toMatchObject({ state: "ready", result: { outcome: "done" } });
  });

  test("of the whole text needs no token, of a token needs one", async () => {
    const { store, link, controller } = await measured();
    const asked: unknown[] = [];
    link.answers.heal = async (request) => {
      asked.push((request as { at: unknown }).at);
      return { ok: true, value: sampleHeal({ at: null }) };
    };
    await controller.words.heal();
    controller.words.set({ healing: { unit: "kind", isWhole: true } });
    await controller.words.heal();
    expect(asked).toEqual([null]);
    expect(store.state.words.heals.get(healKey("W4A16", { unit: "kind", isWhole: true }, null))?.state).toBe("ready");
  });
});

describe("more measures", () => {
  test("generation prepares as many prompts as are asked for, and remembers what it was asked for", async () => {
    const { store, link, controller } = await measured();
    const prompts: unknown[] = [];
    link.answers.prepareText = async (request) => {
      prompts.push((request as { windows: number }).windows);
      return { ok: true, value: SAMPLE.text };
    };
    link.answers.generate = async (request) => {
      expect(request).toMatchObject({ schemes: ["W4A16", "W8A8"], tokens: 9, roundings: WHOLE_PRESET });
      return { ok: true, value: sampleGeneration() };
    };
    controller.words.set({ generationAsk: { prompts: 5, tokens: 9 } });
    await controller.words.generate();
    expect(prompts).toEqual([5]);
    expect(store.state.words.generation).toMatchObject({ view: { state: "ready" }, rules: store.state.asked });
  });

  test("tasks are read from the chosen file, then answered; a bad file is told in their panel", async () => {
    const { store, link, controller } = await measured();
    link.answers.readTasks = async () => ({ ok: true, value: { name: "mine", hash: "", items: [] } });
    link.answers.answer = async (request) => {
      expect(request).toMatchObject({ tasks: { name: "mine" } });
      return { ok: true, value: sampleTasks() };
    };
    await controller.words.answer();
    expect(store.state.words.answers.view.state).toBe("ready");
    link.answers.readTasks = failing(BROKEN);
    await controller.words.answer();
    expect(store.state.words.answers.view).toMatchObject({ state: "failed", error: { code: "safetensors/too-short" } });
    expect(store.state.failure).toBeNull();
  });
});
