import { describe, expect, test } from "vitest";
import { LabError } from "../base/errors.ts";
import {
  beatenBy,
  belowFloorWords,
  divergenceAnswer,
  divergenceVerdict,
  scoredPositions,
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

test("of a window the positions n/2 to n − 2 are scored", () => {
  expect(scoredPositions(16, 256)).toBe(2032);
  expect(scoredPositions(1, 3)).toBe(1);
  expect(scoredPositions(5, 2)).toBe(0);
});
