import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { emptyScores, type TokenScores } from "../metrics/token-scores.ts";
import type { MeasuredTokens } from "./measure-result.ts";
import {
  divergenceReached,
  flipsOf,
  idsAround,
  layOutWindow,
  neighbourFlip,
  scoreOf,
  shareAtLeast,
  shownIds,
  survivalCurve,
  TINT_CUTS,
  tintLevel,
  tokenScore,
  wordFigures,
  worstFlips,
} from "./word-statistics.ts";

/** Two windows of six tokens, of which positions 3 and 4 are scored; the second window first, as passes may end. */
const WINDOWS = [
  [10, 11, 12, 13, 14, 15],
  [20, 21, 22, 23, 24, 25],
];
const SCORES: TokenScores = {
  ...emptyScores(4),
  kld: Float64Array.of(0.5, Number.NaN, 0.02, 0.2),
  deltaP: Float64Array.of(-0.1, Number.NaN, 0.3, 0),
  topBase: Uint32Array.of(24, 1, 7, 15),
  top: Uint32Array.of(9, 2, 14, 15),
  sameTop: Uint8Array.of(0, 0, 0, 1),
  notFinite: 1,
};
const TOKENS: MeasuredTokens = {
  doneWindows: 2,
  windows: Uint32Array.of(1, 1, 0, 0),
  places: Uint32Array.of(3, 4, 3, 4),
  rows: [{ scheme: "W4A16", scores: SCORES }],
};

test("a tint begins at its cut, and what is not finite has none", () => {
  expect(TINT_CUTS.map(tintLevel)).toEqual([1, 2, 3, 4, 5]);
  expect([tintLevel(-1e-9), tintLevel(0.0099), tintLevel(0.0999), tintLevel(Number.NaN)]).toEqual([0, 0, 2, null]);
});

test("a token has the score of the position before it; context has none, nor has a window that waits", () => {
  const laid = layOutWindow(TOKENS, WINDOWS[1] ?? [], 1);
  expect(laid.map(({ isScored }) => isScored)).toEqual([false, false, false, false, true, true]);
  expect(laid.map(({ score }) => score)).toEqual([null, null, null, null, 0, 1]);
  expect(laid[4]).toEqual({ id: 24, place: 4, isScored: true, score: 0 });
  const waiting = layOutWindow({ ...TOKENS, windows: Uint32Array.of(0, 0, 0, 0) }, WINDOWS[1] ?? [], 1);
  expect(waiting.map(({ score, isScored }) => [score, isScored]).slice(4)).toEqual([
    [null, true],
    [null, true],
  ]);
});

describe("flips", () => {
  const flips = flipsOf(TOKENS, SCORES, WINDOWS);

  test("stand in reading order, know what became of the right word, and leave out what is not finite", () => {
    expect(flips.map(({ window, place, kind, before, after }) => [window, place, kind, before, after])).toEqual([
      [0, 4, "found", 7, 14],
      [1, 4, "lost", 24, 9],
    ]);
  });

  test("are ordered by divergence or by the size of Δp", () => {
    expect(worstFlips(flips, "kld").map(({ window }) => window)).toEqual([1, 0]);
    expect(worstFlips(flips, "deltaP").map(({ window }) => window)).toEqual([0, 1]);
  });

  test("follow each other round the end", () => {
    const [first, second] = flips;
    expect(neighbourFlip(flips, null, 1)).toBe(first);
    expect(neighbourFlip(flips, null, -1)).toBe(second);
    expect(neighbourFlip(flips, first ?? null, 1)).toBe(second);
    expect(neighbourFlip(flips, second ?? null, 1)).toBe(first);
    expect(neighbourFlip(flips, { window: 0, place: 5 }, -1)).toBe(first);
    expect(neighbourFlip([], null, 1)).toBeNull();
  });
});

describe("the figures", () => {
  test("count flips and what is finite, and say how few positions carry half of the divergence", () => {
    expect(wordFigures(SCORES, flipsOf(TOKENS, SCORES, WINDOWS))).toEqual({
      positions: 3,
      notFinite: 1,
      flips: 2,
      lost: 1,
      found: 1,
      meanKld: expect.closeTo(0.24, 12),
      halfShare: 1 / 3,
    });
  });

  test("know no half where nothing diverges, and no mean of nothing", () => {
    const still = { ...emptyScores(2), sameTop: Uint8Array.of(1, 1), notFinite: 0 };
    expect(wordFigures(still, [])).toMatchObject({ meanKld: 0, halfShare: null });
    expect(wordFigures({ ...emptyScores(0), notFinite: 0 }, [])).toMatchObject({ meanKld: null, positions: 0 });
  });
});

describe("the survival curve", () => {
  test("of few positions has each of them", () => {
    expect(survivalCurve(Float64Array.of(0.4, 0.1, Number.NaN, 0.1, 0, -1e-12))).toEqual([
      { kld: 0.1, share: 3 / 5 },
      { kld: 0.4, share: 1 / 5 },
    ]);
    expect(survivalCurve(Float64Array.of(0, Number.NaN))).toEqual([]);
  });

  test("falls, keeps both ends, tells the true share at each point and stays bounded", () => {
    const values = fc.array(fc.double({ min: -1e-6, max: 20, noNaN: true }), { minLength: 1, maxLength: 2000 });
    fc.assert(
      fc.property(values, (kld) => {
        const points = survivalCurve(Float64Array.from(kld));
        expect(points.length).toBeLessThanOrEqual(242);
        for (const [at, point] of points.entries()) {
          expect(point.share).toBe(kld.filter((value) => value >= point.kld).length / kld.length);
          if (at > 0) expect(point.kld).toBeGreaterThan(points[at - 1]?.kld ?? 0);
        }
        const shown = kld.filter((value) => value >= 1e-7);
        expect([points[0]?.kld, points.at(-1)?.kld]).toEqual(
          shown.length === 0 ? [undefined, undefined] : [Math.min(...shown), Math.max(...shown)],
        );
      }),
    );
  });
});

test("ids to name are those of the text and of what is predicted, each once", () => {
  expect([...shownIds(TOKENS, WINDOWS)].sort((a, b) => a - b)).toEqual([
    1, 2, 7, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25,
  ]);
});

test("the words around a place end at the window", () => {
  expect(idsAround(WINDOWS[0] ?? [], 4, 2, 3)).toEqual({ before: [12, 13], own: 14, after: [15] });
});

describe("one position", () => {
  test("has what both predicted, and what became of the token that came", () => {
    const scores = {
      ...SCORES,
      nllBase: Float64Array.of(Math.LN2, 0, 0, 0),
      nll: Float64Array.of(2 * Math.LN2, 0, 0, 0),
    };
    expect(tokenScore(scores, 0)).toMatchObject({ before: 24, after: 9, kld: 0.5, deltaP: -0.1, isFlip: true });
    expect(tokenScore(scores, 0).pNext).toBeCloseTo(0.5, 12);
    expect(tokenScore(scores, 0).qNext).toBeCloseTo(0.25, 12);
    expect([tokenScore(scores, 1).isFlip, tokenScore(scores, 3).isFlip]).toEqual([false, false]);
  });

  test("is found by the token that it predicts", () => {
    expect(scoreOf(TOKENS, { window: 0, place: 5 })).toBe(3);
    expect(scoreOf(TOKENS, { window: 0, place: 3 })).toBeNull();
  });
});

test("shares and what they reach are each other's inverse, over finite positions", () => {
  const kld = Float64Array.of(0.1, 0.4, Number.NaN, 0.2, 0.3);
  expect([0, 0.25, 0.4, 0.5].map((level) => shareAtLeast(kld, level))).toEqual([1, 0.5, 0.25, 0]);
  expect([0, 0.25, 0.5, 1].map((share) => divergenceReached(kld, share))).toEqual([0.4, 0.4, 0.3, 0.1]);
  expect([shareAtLeast(new Float64Array(), 1), divergenceReached(new Float64Array(), 1)]).toEqual([null, null]);
});
