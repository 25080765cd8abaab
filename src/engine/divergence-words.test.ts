import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import {
  beatenBy,
  belowFloorWords,
  divergenceAnswer,
  divergenceVerdict,
  leavesActivations,
  roundedWords,
  scoredPositions,
  servedWords,
  settledWords,
  standingWords,
  windowsToPart,
} from "./divergence-words.ts";
import { divergenceFrontier } from "./frontier.ts";
import { sampleMeasurement, windowsAround } from "./measure-result.cases.ts";

const ERROR = new LabError({ code: "scheme/x", doing: "a", found: "b", allowed: "c", advice: "d" }).toData();

describe("the answer of a measurement", () => {
  test("names the nearest and the smallest", () => {
    expect(divergenceAnswer(sampleMeasurement())).toBe(
      "W8A16 is nearest to the original: mean KLD 1.40e−4; W3A16 is smallest, with the same top token at 84.0 % of positions.",
    );
  });

  test("of one row says its figures, of one that is both says so", () => {
    const one = { scheme: "W4A16", bytes: 10, kld: windowsAround(0.03) };
    expect(divergenceAnswer(sampleMeasurement([one]))).toBe(
      "W4A16: mean KLD 0.0300, with the same top token at 96.0 % of positions.",
    );
    const worse = { scheme: "W4A16_ASYM", bytes: 20, kld: windowsAround(0.09) };
    expect(divergenceAnswer(sampleMeasurement([worse, one]))).toMatch(
      /^W4A16 is nearest to the original and smallest: /,
    );
  });

  test("says who is no different from the nearest", () => {
    const rows = [
      { scheme: "W4A16", bytes: 10, kld: windowsAround(0.5) },
      { scheme: "A", bytes: 20, kld: windowsAround(0.02, 16, 0.5) },
      { scheme: "B", bytes: 30, kld: [...windowsAround(0.0201, 16, 0.5)].reverse() },
    ];
    expect(divergenceAnswer(sampleMeasurement(rows))).toContain(
      "A is nearest to the original: mean KLD 0.0200, B no different on this text;",
    );
  });

  test("is none before a position is scored, and none of what cannot be exported", () => {
    expect(divergenceAnswer(sampleMeasurement([{ scheme: "W4A16", bytes: 1, kld: [] }]))).toBeNull();
    const refused = { scheme: "W4A16", bytes: 1, kld: windowsAround(0.1), change: { error: ERROR } };
    expect(divergenceAnswer(sampleMeasurement([refused]))).toBeNull();
    expect(divergenceVerdict(sampleMeasurement([refused]))).toEqual(["No row has finite figures."]);
  });

  test("cuts a name of two hundred characters", () => {
    const long = { scheme: "x".repeat(200), bytes: 1, kld: windowsAround(0.1) };
    expect(divergenceAnswer(sampleMeasurement([long]))?.length).toBeLessThan(120);
  });
});

test("what bf16 alone would hide is named", () => {
  const rows = [{ scheme: "W8A16", bytes: 10, kld: windowsAround(5e-5) }];
  expect(belowFloorWords(sampleMeasurement(rows))).toMatch(/\(1\.00e−4\): W8A16\.$/);
  expect(belowFloorWords(sampleMeasurement())).toBe("");
});

describe("whether it is settled", () => {
  test("and on how many windows", () => {
    expect(settledWords(sampleMeasurement())).toBe("the order is settled on 16 windows");
    expect(divergenceVerdict(sampleMeasurement())[0]).toMatch(/The order is settled on 16 windows\.$/);
  });

  test("on one window nothing is said of how many it would take", () => {
    const one = sampleMeasurement([
      { scheme: "A", bytes: 1, kld: [0.1] },
      { scheme: "B", bytes: 2, kld: [0.05] },
    ]);
    expect(settledWords(one)).toBe("the order is not settled on 1 window: more of them may change it");
  });

  test("of two that overlap says about how many windows would part them", () => {
    // Differences of −1 and +3 in turn: their mean of 1 lies within the noise of eight windows.
    const base = 100;
    const [a, b] = [Array(8).fill(base), [-30, 38, -30, 38, -30, 38, -30, 38].map((step) => base + step)];
    const result = sampleMeasurement([
      { scheme: "A", bytes: 1, kld: a },
      { scheme: "B", bytes: 2, kld: b },
    ]);
    expect(settledWords(result)).toMatch(
      /^the order is not settled on 8 windows: about [\d\u2009]+ more would part A and B$/,
    );
  });

  test("half widths shrink with the root of the windows", () => {
    const pair = { pair: [0, 1], tie: "interval", isSettled: false } as const;
    expect(windowsToPart({ ...pair, difference: 1, interval: { low: -1, high: 3 } }, 10)).toBe(30);
    expect(windowsToPart({ ...pair, difference: 1, interval: { low: 0, high: 2 } }, 10)).toBe(1);
    expect(windowsToPart({ ...pair, difference: 1, interval: { low: 0.1, high: 2 } }, 10)).toBeNull();
    expect(windowsToPart({ ...pair, difference: 0, interval: { low: -1, high: 1 } }, 10)).toBeNull();
    expect(windowsToPart({ ...pair, difference: 1e-3, interval: { low: -1, high: 1 } }, 10)).toBeNull();
    expect(windowsToPart({ ...pair, difference: 1, interval: null }, 10)).toBeNull();
  });
});

test("how rows stand, in the words of a table", () => {
  const result = sampleMeasurement([
    { scheme: "A", bytes: 100, kld: windowsAround(0.1) },
    { scheme: "B", bytes: 125, kld: windowsAround(0.2) },
    { scheme: "C", bytes: 126, kld: windowsAround(0.1) },
    { scheme: "D", bytes: 200, kld: windowsAround(0.01) },
  ]);
  const points = divergenceFrontier(result);
  expect(points.map(standingWords)).toEqual([
    "on the line",
    "beaten by A, 20 % smaller, 50 % of its KLD",
    "≈ A, which is 21 % smaller",
    "on the line",
  ]);
  expect(points[1] && beatenBy({ ...points[1], smallerBy: 0 })).toBe("the same size, 50 % of its KLD");
  const partial = divergenceFrontier({ ...result, finished: false });
  expect(partial.map(standingWords)[0]).toBe("on the line so far");
});

describe("what was rounded", () => {
  const rows = (...schemes: readonly string[]) =>
    sampleMeasurement(schemes.map((scheme) => ({ scheme, bytes: 1, kld: windowsAround(0.1) }))).rows;
  const said = (schemes: readonly string[], change: Partial<Parameters<typeof roundedWords>[0]["roundings"]> = {}) =>
    roundedWords({
      rows: rows(...schemes),
      roundings: { weights: true, activations: true, kvCache: null, ...change },
      calibration: null,
    });

  test("as the recipes have it", () => {
    expect(said(["W4A16"])).toBe("weights rounded");
    expect(said(["W8A8"])).toBe("weights and activations rounded");
    expect(said(["W4A16", "W8A8"])).toBe("weights rounded, activations where the scheme says so");
  });

  test("as it was asked", () => {
    expect(said(["W8A8"], { activations: false })).toBe("weights alone rounded");
    expect(said(["W8A8"], { weights: false })).toBe("activations alone rounded");
    expect(said(["W4A16"], { weights: false })).toBe("nothing rounded");
    expect(said(["W8A8"], { weights: false, activations: false, kvCache: "int8:token-head" })).toBe(
      "keys and values int8 per token and head, taken at run time (vLLM's rule)",
    );
  });

  test("whence ranges come, and a checkpoint that was given counts for nothing", () => {
    const [own, given] = rows("W8A8", "elsewhere");
    if (!own || !given) throw new Error("no rows");
    expect(
      roundedWords({
        rows: [own, { ...given, method: "given" }],
        roundings: { weights: true, activations: true, kvCache: "int8:tensor" },
        calibration: { name: "calibration: 64 windows", hash: "", windows: 64 },
      }),
    ).toBe(
      "weights and activations rounded; keys and values int8 per tensor, static (static_minmax); ranges from calibration: 64 windows",
    );
  });

  test("a recipe with activations leaves them out only where they were asked to stay", () => {
    const off = { roundings: { weights: true, activations: false, kvCache: null } };
    expect(leavesActivations({ roundsActivations: true }, off)).toBe(true);
    expect(leavesActivations({ roundsActivations: false }, off)).toBe(false);
    expect(leavesActivations({ roundsActivations: true }, sampleMeasurement())).toBe(false);
  });
});

test("serving on one line with its difference", () => {
  const [row] = sampleMeasurement([{ scheme: "W8A8", bytes: 1, kld: windowsAround(0.02) }]).rows;
  const divergence = row?.divergence ?? null;
  const difference = { value: -1.5e-5, interval: { low: -1.4e-4, high: 1.3e-4 } };
  expect(servedWords({ divergence, difference, evidence: "" })).toBe(
    "mean KLD 0.02000 ± 0.0010; served − simulated −1.50e−5, 95 % −1.4e−4 … 1.3e−4",
  );
  const alone = { value: 0.001, interval: null };
  expect(servedWords({ divergence, difference: alone, evidence: "" })).toMatch(/; served − simulated 0\.00100$/);
  expect(servedWords({ divergence: null, difference: null, evidence: "" })).toBe("");
});

test("of a window the positions n/2 to n − 2 are scored", () => {
  expect(scoredPositions(16, 256)).toBe(2032);
  expect(scoredPositions(1, 3)).toBe(1);
  expect(scoredPositions(5, 2)).toBe(0);
});
