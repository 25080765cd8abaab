import { describe, expect, test } from "vitest";
import { LabError } from "../../base/errors.ts";
import { sampleMeasurement } from "../../engine/measure-result.cases.ts";
import { SAMPLE_GAINS, sampleMethods } from "../../engine/method-words.cases.ts";
import type { AskedText } from "../parts/asked-text.ts";
import { sampleResult } from "./compare-result.cases.ts";
import { keptWords } from "./compare-settings-model.ts";
import { headline } from "./headline-model.ts";
import { measurementAnswer } from "./headline-words.ts";
import { NO_RULES } from "./panel-events.ts";
import { runBar } from "./run-bar-model.ts";

const shown = sampleResult();
const chosen = shown.schemes[0] ?? null;
const measured = sampleMeasurement();
const text: AskedText = { source: { kind: "bundled", names: ["scripture"] }, windows: 16, context: null };
const rules = { ...NO_RULES, schemes: ["W4A16"] } as const;
const was = { rules, text, against: null };
const failure = (code: LabError["code"]) =>
  new LabError({ code, doing: "preparing text", found: "b", allowed: "c", advice: "d" }).toData();

describe("the answer of a measurement", () => {
  test("says on what it stands", () => {
    const { evidence = "" } = measurementAnswer(measured) ?? {};
    expect(evidence).toBe(
      "scripture: 16 windows · 2\u2009032 positions · intervals at 95 %, drawn over windows · the order is settled on 16 windows · noise floor 1.00e−4 · eager arithmetic · in 12.0 s.",
    );
  });

  test("says how many windows were measured before, and whose activations are not rounded", () => {
    const rows = [{ scheme: "W8A8", bytes: 1, kld: [0.1, 0.2] }];
    const roundings = { weights: true, activations: false, kvCache: null };
    const result = sampleMeasurement(rows, { finished: false, roundings });
    const answer = measurementAnswer({ ...result, text: { ...result.text, windows: 9, knownWindows: 2 } });
    expect(answer?.evidence).toContain("2 of 9 windows so far · 2 measured before");
    expect(answer?.evidence).toContain("of W8A8 the activations not rounded");
    expect(measurementAnswer(sampleMeasurement(rows))?.evidence).not.toContain("not rounded");
  });

  test("says what the best method saves and the worst adds, never without an interval, and names what is open", () => {
    const result = sampleMethods();
    const won = measurementAnswer(result);
    expect(won?.sentence).toMatch(
      /\. gptq \| W4A16 saves 30\.0 % of the mean KLD of W4A16 \(95 %: 0\.0080 … 0\.012 nats\)\.$/,
    );
    expect(won?.evidence).toContain(" · open whether awq | W4A16 gains over plain rounding · ");
    const withGain = (gain: (typeof SAMPLE_GAINS)["loses" | "alone"]) =>
      measurementAnswer({ ...result, rows: result.rows.map((row) => ({ ...row, gain: row.gain && gain })) });
    expect(withGain(SAMPLE_GAINS.loses)?.sentence).toMatch(/ adds 30\.0 % of the mean KLD of W4A16 \(95 %: −0\.012/);
    expect(withGain(SAMPLE_GAINS.alone)?.sentence).not.toMatch(/saves|adds/);
  });

  test("is none before the first figure", () => {
    expect(measurementAnswer(sampleMeasurement([{ scheme: "A", bytes: 1, kld: [] }]))).toBeNull();
  });
});

describe("the headline while text is measured", () => {
  const measuring = (isPreparing: boolean, so: typeof measured | null) =>
    headline({ kind: "measuring", model: "tiny", isPreparing }, shown, chosen, null, so);

  test("says what runs, then what is known so far", () => {
    expect(measuring(true, null).sentence).toBe("Preparing the text for tiny.");
    expect(measuring(false, null).sentence).toMatch(/^Running tiny /);
    expect(measuring(false, { ...measured, finished: false }).sentence).toMatch(/^W8A16 is nearest/);
    const one = sampleMeasurement([{ scheme: "A", bytes: 1, kld: [0.1] }], { finished: false });
    expect(measuring(false, one).sentence).toMatch(/^After one window: A: mean KLD/);
    // What stood before is not what runs.
    expect(measuring(true, measured).sentence).toBe("Preparing the text for tiny.");
  });

  test("stopped, says how far, and offers to go on", () => {
    const half = { ...measured, finished: false, text: { ...measured.text, windows: 32 } };
    const view = headline({ kind: "halted", isByUser: true }, shown, chosen, null, half);
    expect(view.sentence).toBe("Stopped by you after 16 of 32 windows; what was measured stands.");
    expect(view.actions).toEqual([{ action: "measure", words: "Go on measuring", isMain: true }]);
    expect(headline({ kind: "halted", isByUser: false }, shown, chosen, null, half).sentence).toMatch(/^Stopped after/);
  });

  test("another surface gives its own answer meanwhile", () => {
    const answer = { sentence: "Layers.", evidence: "e" };
    for (const kind of ["halted", "measuring"] as const) {
      const situation = kind === "halted" ? { kind, isByUser: true } : { kind, model: "tiny", isPreparing: true };
      expect(headline(situation, shown, chosen, answer, measured).sentence).toBe("Layers.");
    }
  });
});

describe("what is old says why", () => {
  const pasted: AskedText = { ...text, source: { kind: "pasted", text: "x" } };
  test.each([
    [{ ...was, text: pasted }, "These divergences are of scripture; you have chosen the pasted text."],
    [
      { ...was, text: { ...text, context: 9 } },
      "These divergences are of scripture in other windows than you have chosen.",
    ],
    [
      { ...was, rules: { ...rules, arithmetic: "triton" } },
      "These divergences are of eager arithmetic; you have chosen triton.",
    ],
    [{ ...was, rules: { ...rules, schemes: ["W4A16", "W8A8"] } }, "W8A8 has not run over the text yet."],
    [{ ...was, rules: { ...rules, schemes: [] } }, "You have taken out W4A16."],
    [{ ...was, rules: { ...rules, served: true } }, "These divergences are of other roundings than you have chosen."],
    [
      { ...was, rules: { ...rules, calibration: new File([], "own.txt") } },
      "These numbers are calibrated on the bundled text; you have chosen own.txt.",
    ],
    [{ ...was, rules: { ...rules, ignore: ["a"] } }, "These divergences are of another list of modules left alone."],
    [{ ...was, against: { name: "other" } }, "other has not run over the text yet."],
  ] as const)("%#", (now, sentence) => {
    const view = headline({ kind: "old-text", was, now }, shown, chosen, null, measured);
    expect([view.sentence, view.tone]).toEqual([sentence, "stale"]);
    expect(view.actions.map(({ action }) => action)).toEqual(["measure", "reset-text"]);
  });

  test("a checkpoint that was taken out", () => {
    const view = headline({ kind: "old-text", was: { ...was, against: { name: "other" } }, now: was }, shown, chosen);
    expect(view.sentence).toBe("You have taken out the other checkpoint.");
  });
});

describe("a failure while measuring offers what helps", () => {
  test.each([
    ["text/no-tokenizer", ["pick-text", "bundled-text", "copy-details", "dismiss"]],
    ["tokenizer/too-large", ["pick-text", "bundled-text", "copy-details", "dismiss"]],
    ["config/unsupported-feature", ["copy-details", "dismiss"]],
    ["device/lost", ["measure", "copy-details", "dismiss"]],
  ] as const)("%s", (code, actions) => {
    const view = headline({ kind: "failed", error: failure(code), during: "measuring" }, shown, chosen);
    expect(view.actions.map(({ action }) => action)).toEqual(actions);
    expect(view.evidence).toContain("The comparison of the weights of tiny below stands.");
  });

  test("and says what of the measurement stands", () => {
    const situation = { kind: "failed", error: failure("device/lost"), during: "measuring" } as const;
    expect(headline(situation, shown, chosen, null, measured).evidence).toContain(
      "The 16 windows measured before stand, and",
    );
  });
});

test("the run bar counts windows, not the bytes that each reads again", () => {
  const progress = {
    phase: "running the models",
    doneBytes: 50,
    totalBytes: 100,
    item: "down_proj",
    doneItems: 4,
    totalItems: 16,
    bytesPerSecond: 1e6,
    leftMs: 6000,
  };
  const bar = runBar({ kind: "running", what: "Preparing text", progress, counts: "windows" }, null);
  expect([bar.strong, bar.percent]).toEqual(["Running the models", "50 %"]);
  expect(bar.parts).toEqual(["4 of 16 windows", "6 s left", "down_proj"]);
  const done = runBar({ kind: "idle", end: "done", measured }, shown);
  expect(done.parts).toEqual(["16 windows under 3 schemes", "12.0 s"]);
});

test("what is kept is counted and weighed", () => {
  const entry = { name: "scores-a", sizeBytes: 620_000 };
  expect(keptWords({ entries: [entry, entry] })).toBe("2 results kept here, 1.24 MB");
  expect(keptWords({ entries: [entry] })).toBe("1 result kept here, 620 kB");
  expect([keptWords({ entries: [] }), keptWords(null)]).toEqual(["", ""]);
});

describe("the headline while a method runs", () => {
  test("says which, and that the comparison follows", () => {
    const view = headline({ kind: "comparing", model: "tiny", method: "GPTQ" }, shown, chosen);
    expect(view.sentence).toBe("GPTQ goes through the layers over the calibration text.");
    expect(headline({ kind: "comparing", model: "tiny", method: null }, shown, chosen).sentence).not.toContain("GPTQ");
  });

  test("another calibration text makes what methods made old", () => {
    const texts = { was: new File([], "own.txt"), now: null };
    const asked = { ...NO_RULES, schemes: ["gptq | W4A16"] };
    const view = headline({ kind: "stale", asked: { ...shown, ...asked, ignore: shown.ignore }, texts }, shown, chosen);
    expect(view.sentence).toBe("These numbers are calibrated on own.txt; you have chosen the bundled text.");
  });

  test("plain rounding is said of plain rounding alone", () => {
    const gptq = chosen && { ...chosen, method: "gptq" };
    expect(headline({ kind: "finished" }, shown, chosen).evidence).toContain(", plain rounding");
    expect(headline({ kind: "finished" }, shown, gptq).evidence).not.toContain("plain rounding");
  });
});
