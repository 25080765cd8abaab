import { describe, expect, test } from "vitest";
import { cancelledError, LabError } from "../../base/errors.ts";
import { sampleMeasurement } from "../../engine/measure-result.cases.ts";
import { sampleResult } from "../panels/compare-result.cases.ts";
import { BROKEN, failing, lab, MODEL, OTHER, PREPARED, settle } from "./lab-controller.cases.ts";
import {
  exportBlocked,
  isMeasurementOld,
  isTextOld,
  measuredAlike,
  measureStep,
  runState,
  situation,
} from "./lab-state.ts";

describe("measuring", () => {
  async function opened() {
    const made = lab();
    await made.controller.open(MODEL);
    await settle();
    made.link.asked.length = 0;
    return made;
  }

  test("prepares the text, then measures the asked recipes on it, and turns the frontier to what it found", async () => {
    const { store, link, controller } = await opened();
    const requests: unknown[] = [];
    link.answers.prepareText = async () => {
      requests.push(link.request);
      expect(runState(store.state)).toMatchObject({ kind: "running", what: "Preparing text", counts: "windows" });
      return { ok: true, value: PREPARED };
    };
    await controller.measure();
    expect(link.asked).toEqual(["prepareText", "measure"]);
    expect(requests).toEqual([{ source: { kind: "bundled", names: ["scripture", "jargon", "satire"] }, windows: 16 }]);
    expect(link.request).toMatchObject({ schemes: ["W4A16", "W8A8"], arithmetic: "eager", text: PREPARED });
    expect(store.state.measured?.result.finished).toBe(true);
    expect(store.state.frontierBy).toBe("divergence");
    expect(store.state.prepared).toMatchObject({ hash: "0123456789", bos: "<s> (1)" });
    expect(store.state.prepared?.findings.map(({ severity }) => severity)).toEqual(["warning", "note"]);
    expect(store.state.kept?.entries).toHaveLength(1);
    expect(situation(store.state).kind).toBe("finished");
    expect(measureStep(store.state)).toBe("again");
    expect(runState(store.state)).toMatchObject({ kind: "idle", end: "done", measured: { kind: "measure" } });
  });

  test("results grow while it runs, a stop keeps them, and going on asks the same again", async () => {
    const { store, link, controller } = await opened();
    const partial = sampleMeasurement(undefined, { finished: false, outcome: "partial" });
    link.answers.measure = async () => {
      controller.hear({ type: "measured", result: partial });
      expect(situation(store.state)).toMatchObject({ kind: "measuring" });
      expect(exportBlocked(store.state)).toContain("measurement");
      return { ok: false, error: cancelledError("measuring").toData() };
    };
    await controller.measure();
    expect(store.state.measured?.result).toBe(partial);
    expect(situation(store.state)).toEqual({ kind: "halted", isByUser: true });
    expect(measureStep(store.state)).toBe("go-on");
    link.answers.measure = async () => ({ ok: true, value: { result: sampleMeasurement(), tokens: null } });
    await controller.measure();
    expect(situation(store.state).kind).toBe("finished");
    // Whoever has turned the frontier back finds it so after the next run.
    store.set({ frontierBy: "weights" });
    await controller.measure();
    expect(store.state.frontierBy).toBe("weights");
  });

  test("what a job of before still says is dropped", async () => {
    const { store, link, controller } = await opened();
    controller.hear({ type: "measured", result: sampleMeasurement() });
    expect(store.state.measured).toBeNull();
    await controller.measure();
    const { measured } = store.state;
    link.answers.compare = async () => {
      controller.hear({ type: "measured", result: sampleMeasurement() });
      return { ok: true, value: sampleResult() };
    };
    await controller.compare();
    expect(store.state.measured).toBe(measured);
  });

  test("a failure leaves what was measured, and another text takes the failure away", async () => {
    const { store, link, controller } = await opened();
    await controller.measure();
    const { measured } = store.state;
    link.answers.prepareText = failing(
      new LabError({ code: "text/no-tokenizer", doing: "preparing text", found: "b", allowed: "c", advice: "d" }),
    );
    await controller.measure();
    expect(situation(store.state)).toMatchObject({ kind: "failed", during: "measuring" });
    expect(store.state.measured).toBe(measured);
    controller.setSource({ kind: "pasted", text: "words" });
    expect(store.state.failure).toBeNull();
    expect(store.state.text).toMatchObject({ windows: 16, context: null, source: { kind: "pasted" } });
  });

  test("another text, other rules or another checkpoint make it old; more windows only add to it", async () => {
    const { store, controller } = await opened();
    await controller.measure();
    const { text, asked } = store.state;
    controller.setText({ ...text, windows: 32 });
    expect([isMeasurementOld(store.state), measureStep(store.state)]).toEqual([false, "add"]);
    controller.setText({ ...text, context: 128 });
    expect([isMeasurementOld(store.state), isTextOld(store.state)]).toEqual([true, true]);
    expect(situation(store.state).kind).toBe("old-text");
    controller.resetMeasurement();
    expect(situation(store.state).kind).toBe("finished");
    controller.setSource({ kind: "bundled", names: ["satire"] });
    expect(isTextOld(store.state)).toBe(true);
    controller.resetMeasurement();
    controller.setAgainst(OTHER);
    expect([isMeasurementOld(store.state), isTextOld(store.state)]).toEqual([true, false]);
    controller.resetMeasurement();
    expect(store.state.against).toBeNull();
    controller.setRules({ ...asked, schemes: [...asked.schemes, "W2A16"] });
    // The weights come first: that is what is compared again.
    expect([isMeasurementOld(store.state), situation(store.state).kind]).toEqual([true, "stale"]);
    expect(measuredAlike(store.state)).not.toBeNull();
    store.set({ shown: sampleResult({ arithmetic: "triton" }) });
    expect(measuredAlike(store.state)).toBeNull();
  });

  test("another model drops it", async () => {
    const { store, controller } = await opened();
    await controller.measure();
    controller.setAgainst(OTHER);
    await controller.open(OTHER);
    expect([store.state.measured, store.state.prepared, store.state.against]).toEqual([null, null, null]);
    expect(store.state.frontierBy).toBe("weights");
  });

  test("a new worker opens the checkpoint again, and a lost one leaves what was measured", async () => {
    const { store, link, controller } = await opened();
    const partial = sampleMeasurement(undefined, { finished: false, outcome: "partial" });
    link.answers.measure = async () => {
      controller.hear({ type: "measured", result: partial });
      return { ok: false, error: BROKEN.toData() };
    };
    await controller.measure();
    expect(situation(store.state)).toMatchObject({ kind: "failed", during: "measuring" });
    controller.dismissFailure();
    expect(situation(store.state)).toEqual({ kind: "halted", isByUser: false });
    link.generation++;
    link.asked.length = 0;
    await controller.measure();
    expect(link.asked).toEqual(["open", "prepareText", "measure"]);
  });

  test("forgetting empties what is kept, and leaves what is shown", async () => {
    const { store, controller } = await opened();
    await controller.measure();
    await controller.forget();
    expect(store.state.kept?.entries).toEqual([]);
    expect(store.state.measured).not.toBeNull();
  });
});
