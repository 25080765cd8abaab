import { describe, expect, test } from "vitest";
import { cancelledError } from "../../base/errors.ts";
import type { CompareResult } from "../../engine/result.ts";
import { sampleResult, sampleScheme } from "../panels/compare-result.cases.ts";
import { BROKEN, failing, lab, MODEL, OTHER, PREPARED, settle } from "./lab-controller.cases.ts";
import {
  chosenScheme,
  errorPartOf,
  exportBlocked,
  isStale,
  neighbour,
  otherScheme,
  sheetOf,
  situation,
} from "./lab-state.ts";

describe("the controller", () => {
  test("opens, compares and opens the worst matrix", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    expect(link.asked).toEqual(["open", "ledger", "compare", "sheet", "sheet"]);
    expect(store.state.module).toBe("model.layers.1.mlp.down_proj");
    expect(sheetOf(store.state, chosenScheme(store.state)).state).toBe("ready");
    expect(sheetOf(store.state, otherScheme(store.state)).state).toBe("ready");
    expect(situation(store.state).kind).toBe("finished");
  });

  test("a checkpoint that cannot be opened leaves what is shown", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    const { shown } = store.state;
    link.answers.open = failing(BROKEN);
    await controller.open(OTHER);
    expect(store.state.shown).toBe(shown);
    expect(store.state.choice).toBe(MODEL);
    expect(situation(store.state)).toMatchObject({ kind: "failed", during: "opening" });
  });

  test("after a failed opening the checkpoint before is opened again when it is needed", async () => {
    const { link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    const { open } = link.answers;
    link.answers.open = failing(BROKEN);
    await controller.open(OTHER);
    if (open !== undefined) link.answers.open = open;
    link.asked.length = 0;
    controller.pickModule("model.layers.0.mlp.q_proj");
    await settle();
    expect(link.asked).toEqual(["open", "sheet", "sheet"]);
  });

  test("a new worker has to open the checkpoint again", async () => {
    const { link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    link.asked.length = 0;
    link.generation = 2;
    await controller.compare();
    expect(link.asked.slice(0, 2)).toEqual(["open", "compare"]);
  });

  test("a stopped comparison keeps what was measured", async () => {
    const { store, link, controller } = lab();
    const scheme = sampleScheme("W4A16", 19);
    const partial = sampleResult({
      finished: false,
      outcome: "partial",
      schemes: [{ ...scheme, layers: scheme.layers.slice(0, 2) }, sampleScheme("W8A8", 42)],
    });
    link.answers.compare = async () => {
      controller.hear({ type: "partial", result: partial });
      return { ok: false, error: cancelledError("comparing").toData() };
    };
    await controller.open(MODEL);
    expect(store.state.shown?.outcome).toBe("cancelled");
    expect(store.state.shown?.schemes[0]?.layers).toHaveLength(2);
    expect(situation(store.state).kind).toBe("cancelled");
  });

  test("a comparison that fails gives the whole one before it back", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    link.answers.compare = async () => {
      controller.hear({ type: "partial", result: { ...sampleResult(), finished: false, outcome: "partial" } });
      return { ok: false, error: BROKEN.toData() };
    };
    await controller.compare();
    expect(store.state.shown?.finished).toBe(true);
    expect(situation(store.state).kind).toBe("failed");
  });

  test("the plan changes its column without asking the engine", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    link.asked.length = 0;
    controller.setPlan({ gpu: "H100 SXM 80 GB", contextTokens: 1024, sequences: 2 });
    expect(store.state.shown?.original.fit.gpu).toBe("H100 SXM 80 GB");
    expect(link.asked).toEqual([]);
  });

  test("changed rules make the result stale and hold the export back", async () => {
    const { store, controller } = lab();
    await controller.open(MODEL);
    const rules = {
      schemes: ["W4A16", "W8A8"],
      arithmetic: "eager",
      ignore: ["lm_head", "re:.*embed_tokens"],
    } as const;
    controller.setRules(rules);
    expect(isStale(store.state)).toBe(false);
    expect(exportBlocked(store.state)).toBeNull();
    controller.setRules({ ...rules, arithmetic: "triton" });
    expect(isStale(store.state)).toBe(true);
    expect(exportBlocked(store.state)).toContain("compare again");
  });

  test("another set of schemes makes the result stale, another order of them does not", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    const rules = store.state.asked;
    controller.setRules({ ...rules, schemes: ["W8A8", "W4A16"] });
    expect(isStale(store.state)).toBe(false);
    for (const schemes of [["W4A16"], ["W4A16", "W8A8", "W2A16"], ["W4A16", "W2A16"]]) {
      controller.setRules({ ...rules, schemes });
      expect(isStale(store.state)).toBe(true);
    }
    link.answers.compare = async () => {
      expect(link.request).toMatchObject({ schemes: ["W4A16", "W2A16"], arithmetic: "eager" });
      return { ok: true, value: sampleResult({ schemes: [sampleScheme("W4A16", 19), sampleScheme("W2A16", 7)] }) };
    };
    await controller.compare();
    expect(isStale(store.state)).toBe(false);
  });

  test("what a recipe cannot take is not looked at", async () => {
    const { store, link, controller } = lab();
    const error = BROKEN.toData();
    const scheme = sampleScheme("W4A16", 19);
    const layers = scheme.layers.map((layer) => ({ ...layer, sqnrDb: null, error }));
    const value = sampleResult({ schemes: [{ ...scheme, layers }] });
    link.answers.compare = async () => ({ ok: true, value });
    await controller.open(MODEL);
    await settle();
    expect(link.asked).toEqual(["open", "ledger", "compare"]);
    expect(sheetOf(store.state, chosenScheme(store.state)).state).toBe("none");
    expect(store.state.module).not.toBeNull();
  });

  test("changing between two recipes keeps their sides, and asks nothing again", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    link.asked.length = 0;
    const names = () => [chosenScheme(store.state)?.scheme, otherScheme(store.state)?.scheme, store.state.isLeft];
    expect(names()).toEqual(["W4A16", "W8A8", true]);
    controller.swap();
    expect(names()).toEqual(["W8A8", "W4A16", false]);
    controller.pickScheme("W4A16");
    expect(names()).toEqual(["W4A16", "W8A8", true]);
    await settle();
    expect(link.asked).toEqual([]);
  });

  test("the next matrix is the same kind in the next layer", async () => {
    const { store, controller } = lab();
    await controller.open(MODEL);
    controller.pickModule("model.layers.0.mlp.q_proj");
    expect(neighbour(store.state, 1)).toBe("model.layers.1.mlp.q_proj");
    expect(neighbour(store.state, -1)).toBeNull();
  });

  test("weights of an error map are asked for once, and belong to their recipe and matrix", async () => {
    const { store, link, controller } = lab();
    await controller.open(MODEL);
    await settle();
    link.asked.length = 0;
    const part = { row: 0, column: 0, rows: 8, columns: 8 };
    controller.needErrors("W4A16", part);
    controller.needErrors("W4A16", part);
    await settle();
    expect(link.asked).toEqual(["errorWindow"]);
    expect(errorPartOf(store.state, chosenScheme(store.state))).not.toBeNull();
    expect(errorPartOf(store.state, otherScheme(store.state))).toBeNull();
  });

  test("another comparison forgets the close looks of the one before", async () => {
    const { store, controller } = lab();
    await controller.open(MODEL);
    await settle();
    const again = controller.compare();
    expect(store.state.sheets.size).toBe(0);
    await again;
  });

  test("an export keeps the engine's file name", async () => {
    const { store, controller } = lab();
    await controller.open(MODEL);
    await settle();
    await controller.export();
    expect(store.state.exported?.fileName).toBe("tiny-W4A16.tar");
  });

  test("the answer of an older wish is dropped", async () => {
    const { store, link, controller } = lab();
    let answer: (result: CompareResult) => void = () => undefined;
    link.answers.compare = () =>
      new Promise((resolve) => {
        answer = (value) => resolve({ ok: true, value });
      });
    const first = controller.open(MODEL);
    await settle();
    const late = answer;
    link.answers.compare = async () => ({ ok: true, value: sampleResult({ elapsedMs: 2 }) });
    await controller.open(OTHER);
    late(sampleResult({ elapsedMs: 1 }));
    await first;
    expect(store.state.shown?.elapsedMs).toBe(2);
    expect(store.state.choice).toBe(OTHER);
  });
});

describe("methods", () => {
  const FILE = new File(["x"], "own.txt");
  const schemes = ["W4A16", "gptq | W4A16"];
  const methods = async () => {
    const made = lab();
    made.link.answers.compare = async () => ({
      ok: true,
      value: sampleResult({ schemes: schemes.map((scheme) => sampleScheme(scheme, 19)) }),
    });
    made.controller.setRules({ schemes, calibration: FILE });
    await made.controller.open(MODEL);
    await settle();
    return made;
  };

  test("are compared, looked at and exported with the calibration text that was chosen for the comparison", async () => {
    const { store, link, controller } = await methods();
    expect(link.asked.slice(2, 4)).toEqual(["prepareText", "compare"]);
    expect(store.state.calibratedOn).toBe(FILE);
    const requests: [string, unknown][] = [];
    const note = (name: string) => {
      const answer = link.answers[name];
      link.answers[name] = async (request) => {
        requests.push([name, request]);
        return (await answer?.(request)) ?? { ok: true, value: null };
      };
    };
    for (const name of ["prepareText", "compare", "exportCheckpoint"]) note(name);
    controller.pickScheme("gptq | W4A16");
    await controller.export();
    await controller.compare();
    const texts = requests.filter(([name]) => name === "prepareText").map(([, request]) => request);
    expect(new Set(texts.map((request) => JSON.stringify(request))).size).toBe(1);
    expect(texts[0]).toEqual({ source: { kind: "file", file: FILE } });
    expect(requests.filter(([name]) => name !== "prepareText")).toMatchObject([
      ["exportCheckpoint", { scheme: "gptq | W4A16", calibration: PREPARED }],
      ["compare", { schemes, calibration: PREPARED }],
    ]);
  });

  test("another calibration text makes them old, and plain rounding not", async () => {
    const { store, controller } = await methods();
    expect(isStale(store.state)).toBe(false);
    controller.setRules({ calibration: null });
    expect(isStale(store.state)).toBe(true);
    expect(situation(store.state)).toMatchObject({ kind: "stale", texts: { was: FILE, now: null } });
    const plain = lab();
    await plain.controller.open(MODEL);
    plain.controller.setRules({ calibration: FILE });
    expect(isStale(plain.store.state)).toBe(false);
    expect(plain.link.asked).not.toContain("prepareText");
  });

  test("a failed comparison leaves what the one before was calibrated on", async () => {
    const { store, link, controller } = await methods();
    link.answers.compare = failing(BROKEN);
    controller.setRules({ calibration: null });
    await controller.compare();
    expect(store.state.calibratedOn).toBe(FILE);
  });
});
