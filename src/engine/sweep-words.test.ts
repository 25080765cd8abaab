import { describe, expect, test } from "vitest";
import { SAMPLE_KERNEL, sampleCurveOf, samplePoint, sampleSalient, sampleStrengths } from "./sweep-words.cases.ts";
import {
  besideNone,
  keptWords,
  layerStrengthWords,
  relativeInterval,
  relativeSamples,
  relativeStrength,
  relativeTo,
  type StrengthSweep,
  salientWords,
  sampleWords,
  shareWords,
  strengthWords,
  sweepBasis,
  sweptWords,
} from "./sweep-words.ts";

const best = (change: Partial<NonNullable<StrengthSweep["best"]>>): NonNullable<StrengthSweep["best"]> => ({
  ...{ strength: 0.5, ties: [], gain: 0.012, interval: { low: 0.01, high: 0.014 }, verdict: "wins" },
  ...change,
});

describe("figures over a reference", () => {
  test("are null where there is none, and where it is 0", () => {
    expect(relativeTo(0.5, 2)).toBe(0.25);
    expect([relativeTo(null, 2), relativeTo(1, null), relativeTo(1, 0)]).toEqual([null, null, null]);
    expect(relativeInterval({ low: 1, high: 3 }, 2)).toEqual({ low: 0.5, high: 1.5 });
    expect([relativeInterval(null, 2), relativeInterval({ low: 1, high: 3 }, 0)]).toEqual([null, null]);
  });

  test("are of no smoothing for strengths, of plain rounding for samples", () => {
    const sweep = sampleStrengths();
    const last = sweep.points.at(-1);
    expect(last && relativeStrength(last, sweep)).toMatchObject({ kld: 2.5, weights: 100, activations: 0.1 });
    const curve = sampleCurveOf();
    const [first] = curve.points;
    expect(first && relativeSamples(first, curve)).toMatchObject({ outputError: 1.2, onSamples: 0.2 });
  });
});

describe("the strength in words", () => {
  test("is the least one, what it buys, and which are as good", () => {
    expect(strengthWords(sampleStrengths())).toEqual({
      strong: "Strength 0.5 is least: mean KLD 0.00800, 40.0 % of that without smoothing.",
      plain: "Better than none by 0.0120 nats, 95 % 0.0100 … 0.0140. It cannot be told from 0.75 on 4 windows.",
    });
  });

  test("says where no other is as good, and where all are", () => {
    expect(strengthWords(sampleStrengths({ best: best({}) })).plain).toContain(
      "Every other strength is known to be worse.",
    );
    expect(strengthWords(sampleStrengths({ best: best({ ties: [0, 0.75, 1] }) })).plain).toContain(
      "It cannot be told from any other strength on 4 windows.",
    );
  });

  test("does not call best what cannot be told from none, and says how to know more", () => {
    const open = sampleStrengths({
      best: best({ verdict: "open", interval: { low: -0.01, high: 0.03 }, ties: [0.75] }),
    });
    expect(strengthWords(open)).toEqual({
      strong: "No strength is known to be better than none on 4 windows.",
      plain:
        "Least at 0.5: mean KLD 0.00800, 40.0 % of that without smoothing. It cannot be told from 0.75 on 4 windows. So few tell little apart: more of them may.",
    });
    const many = strengthWords({ ...open, windows: 16 });
    expect(many.plain).not.toContain("So few");
    const one = strengthWords({
      ...open,
      windows: 1,
      best: best({ verdict: "open", interval: null, ties: [0, 0.75, 1] }),
    });
    expect(one.strong).toBe("One window cannot tell any strength from no smoothing.");
    expect(one.plain).toBe("Least at 0.5: mean KLD 0.00800, 40.0 % of that without smoothing.");
  });

  test("says where every strength loses, and where none is finite", () => {
    const loses = best({ verdict: "loses", gain: -0.004, interval: { low: -0.006, high: -0.002 } });
    const worse = strengthWords(sampleStrengths({ best: loses }));
    expect(worse.strong).toMatch(/^Every strength is worse than none: the least, 0\.5, has mean KLD 0\.00800/);
    expect(worse.plain).toContain("It loses by 0.00400 nats, 95 % −0.00600 … −0.00200.");
    expect(strengthWords(sampleStrengths({ best: null }))).toEqual({
      strong: "No strength has a finite divergence to compare.",
      plain: "",
    });
  });
});

describe("a strength for each layer", () => {
  test("is told with what it comes to beside one for all", () => {
    expect(layerStrengthWords(sampleStrengths())).toEqual({
      strong: "By the errors of their own rounding layers want 0.5 to 0.75.",
      plain: "As a recipe: mean KLD 0.00780, 95 % 0.00700 … 0.00860; 0.5 for all has 0.00800.",
    });
  });

  test("that is the same everywhere is compared with nothing", () => {
    const { points } = sampleStrengths();
    const layers = [0, 1].map((layer) => ({ layer, strength: 0.5 }));
    const same = sampleStrengths({ layers, perLayer: points[1] ?? null });
    expect(layerStrengthWords(same)).toEqual({
      strong: "By the errors of its own rounding every layer wants 0.5.",
      plain: "As a recipe: mean KLD 0.00800, 95 % 0.00720 … 0.00880.",
    });
    expect(layerStrengthWords(sampleStrengths({ perLayer: null }))).toBeNull();
  });
});

describe("samples in words", () => {
  test("names the fewest that nothing tells from the most, and where samples are learnt by heart", () => {
    expect(sampleWords(sampleCurveOf())).toEqual({
      strong: "Nothing tells 8 windows from 16 on 4 windows of text.",
      plain:
        "Mean KLD 0.0280 with 2, 0.0185 with 8 and 0.0180 with 16; 0.0300 by plain rounding. With 2 the error falls on the samples and rises on held-out text. So few tell little apart: more of them may.",
    });
  });

  test("calls nothing enough that is not known to be, and no single point a curve", () => {
    const open = sampleWords(sampleCurveOf({ enough: null, windows: 16 }));
    expect(open.strong).toBe("No fewer than 16 windows are known to be enough on 16 windows of text.");
    expect(open.plain).not.toContain("So few");
    expect(sampleWords(sampleCurveOf({ enough: null, windows: 1 })).strong).toBe(
      "One window of text cannot tell numbers of samples apart.",
    );
    const alone = sampleCurveOf({ enough: null, points: [samplePoint(1, 0.02, null)] });
    expect(sampleWords(alone).strong).toBe("One window alone makes no curve.");
    expect(sampleWords(sampleCurveOf({ windows: 8 })).strong).toBe(
      "8 windows are enough: nothing tells them from 16 on 8 windows of text.",
    );
    expect(sampleWords(sampleCurveOf({ enough: 1, windows: 8 })).strong).toMatch(
      /^One window is enough: nothing tells it/,
    );
  });
});

describe("kept channels in words", () => {
  test("say what each choice takes away, and what cannot be told", () => {
    expect(salientWords(sampleSalient())).toEqual({
      strong: "The loudest 1 % of the input channels kept: 75.0 % of the divergence gone.",
      plain:
        "The largest by weight: 5.00 % of the divergence gone. Any: no difference that 4 windows can tell. 12.5 % of the channels are chosen by both.",
    });
    expect(salientWords(sampleSalient({ channels: { kept: 0, all: 8 } })).strong).toBe("No channel is kept.");
  });

  test("lie beside none by their paired difference, share as it was asked for", () => {
    const beside = besideNone(sampleSalient(), "activations");
    expect([beside?.low, beside?.high].map((end) => end?.toFixed(6))).toEqual(["0.030000", "0.070000"]);
    expect(besideNone(sampleSalient(), "none")).toBeNull();
    expect([0.01, 0.015, 0.07, 1].map(shareWords)).toEqual(["1 %", "1.5 %", "7 %", "100 %"]);
  });

  test("that make it worse, of one window, and without a finite figure", () => {
    const rows = sampleSalient().rows.map((row) =>
      row.gain ? { ...row, gain: { value: -0.02, interval: { low: -0.03, high: -0.01 } } } : row,
    );
    expect(keptWords(sampleSalient({ rows }), "weights")).toBe("the divergence grows by 10.0 %");
    const one = rows.map((row) => ({ ...row, gain: row.gain && { ...row.gain, interval: null } }));
    expect(keptWords(sampleSalient({ rows: one, windows: 1 }), "random")).toBe(
      "the divergence grows by 10.0 %, which one window cannot tell from nothing",
    );
    const none = rows.map((row) => ({ ...row, gain: null }));
    expect(keptWords(sampleSalient({ rows: none }), "random")).toBe("no finite divergence to compare");
  });
});

test("figures stand on positions, a calibration text and devices, each of them once", () => {
  const fallback = { ...SAMPLE_KERNEL, kernel: "other", fallback: "the adapter was lost" };
  const kernels = [SAMPLE_KERNEL, { ...SAMPLE_KERNEL, kernel: "third" }, fallback];
  expect(sweepBasis(sampleSalient({ kernels }))).toBe(
    "Measured here over 508 positions of scripture: 4 windows; calibrated on calibration: 64 windows; kernels ran on wasm (2 threads); wasm (2 threads): the adapter was lost",
  );
  expect(sweptWords({ kld: null, interval: null })).toBe("not finite");
  expect(sweptWords({ kld: 0.01, interval: { low: 0.009, high: 0.011 } })).toBe("0.0100 nats, 95 % 0.00900 … 0.0110");
});
