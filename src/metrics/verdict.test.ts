import { expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { BlockBootstrap } from "./block-bootstrap.ts";
import { judgeVariants } from "./verdict.ts";

/** A variant with windows of those mean divergences. */
function variantOf(klds: readonly number[]): BlockBootstrap {
  return new BlockBootstrap(
    klds.map((kld) => ({ positions: 100, kld: 100 * kld, lnPplRatio: 0, sameTop: 100, deltaPSquares: 0 })),
  );
}

/** Divergences of some windows: what a text does to every variant, so much of it, and noise of the variant's own. */
function madeKlds(windows: number, level: number, noise: number, seed: number): readonly number[] {
  const [text, own] = [new SeededRandom(1), new SeededRandom(seed)];
  return Array.from(
    { length: windows },
    () => level * Math.exp(0.5 * text.nextNormal()) * (1 + noise * own.nextNormal()),
  );
}

const variantAt = (level: number, seed: number, { windows = 16, noise = 0.05 } = {}) =>
  variantOf(madeKlds(windows, level, noise, seed));

test("variants are ranked by mean divergence, each with its interval, and those apart are settled", () => {
  const verdict = judgeVariants([variantAt(0.4, 2), variantAt(0.01, 3), variantAt(0.1, 4)], null);
  expect(verdict.ranking.map(({ variant }) => variant)).toEqual([1, 2, 0]);
  for (const { kld, interval, isBelowFloor } of verdict.ranking) {
    expect(interval?.low).toBeLessThan(kld ?? 0);
    expect(interval?.high).toBeGreaterThan(kld ?? 0);
    expect(isBelowFloor).toBeNull();
  }
  expect(verdict.pairs.map(({ pair, tie, isSettled }) => ({ pair, tie, isSettled }))).toEqual(
    [
      [1, 2],
      [1, 0],
      [2, 0],
    ].map((pair) => ({ pair, tie: null, isSettled: true })),
  );
  expect(verdict).toMatchObject({ floor: null, isSettled: true });
});

test("differences inside their interval are a tie, open while the interval is wide and settled once it is narrow", () => {
  const wide = judgeVariants([variantAt(0.1, 2, { noise: 0.6 }), variantAt(0.1, 3, { noise: 0.6 })], null);
  expect(wide.pairs[0]).toMatchObject({ tie: "interval", isSettled: false });
  expect(wide.isSettled).toBe(false);
  const narrow = judgeVariants([variantAt(0.1, 2, { noise: 0.02 }), variantAt(0.1, 3, { noise: 0.02 })], null);
  expect(narrow.pairs[0]).toMatchObject({ tie: "interval", isSettled: true });
  expect(narrow.isSettled).toBe(true);
});

test("pairing tells variants apart whose own intervals overlap", () => {
  const { ranking, pairs } = judgeVariants([variantAt(0.1, 2), variantAt(0.12, 3)], null);
  expect(ranking[0]?.interval?.high).toBeGreaterThan(ranking[1]?.interval?.low ?? 1);
  expect(pairs[0]).toMatchObject({ pair: [0, 1], tie: null, isSettled: true });
});

test("differences below the noise floor are a tie, however sure they are", () => {
  const variants = [
    variantAt(0.001, 2, { noise: 0 }),
    variantAt(0.003, 3, { noise: 0 }),
    variantAt(0.1, 4, { noise: 0 }),
  ];
  const verdict = judgeVariants(variants, variantAt(0.005, 5));
  expect(verdict.ranking.map(({ isBelowFloor }) => isBelowFloor)).toEqual([true, true, false]);
  expect(verdict.pairs.map(({ pair, tie }) => [pair, tie])).toEqual([
    [[0, 1], "noise-floor"],
    [[0, 2], null],
    [[1, 2], null],
  ]);
  expect(verdict.isSettled).toBe(true);
  expect(verdict.floor).toBeCloseTo(0.005, 2);
  expect(judgeVariants(variants, null).pairs[0]).toMatchObject({ tie: null });
});

test("a tie within a margin that the interval leaves is open: more windows may part them", () => {
  const { pairs, isSettled } = judgeVariants(
    [variantAt(0.01, 2, { noise: 1 }), variantAt(0.0101, 3, { noise: 1 }), variantAt(9, 4)],
    variantAt(0.002, 5),
  );
  expect(pairs[0]).toMatchObject({ isSettled: false });
  expect(pairs[0]?.tie).not.toBeNull();
  // The neighbours above are apart; the open pair alone keeps the ranking open.
  expect(pairs.slice(1).every((pair) => pair.isSettled)).toBe(true);
  expect(isSettled).toBe(false);
});

test("the same variant twice is a tie without a floor, and settled", () => {
  const { pairs } = judgeVariants([variantAt(0.1, 2), variantAt(0.1, 2)], null);
  expect(pairs).toEqual([
    { pair: [0, 1], difference: 0, interval: { low: 0, high: 0 }, tie: "interval", isSettled: true },
  ]);
});

test("few windows settle nothing, one says nothing about pairs", () => {
  const seven = judgeVariants([variantAt(0.1, 2, { windows: 7 }), variantAt(4, 3, { windows: 7 })], null);
  expect(seven.pairs[0]).toMatchObject({ tie: null, isSettled: false });
  expect(seven.isSettled).toBe(false);
  const one = judgeVariants([variantAt(0.1, 2, { windows: 1 }), variantAt(4, 3, { windows: 1 })], variantAt(9, 4));
  expect(one.pairs[0]).toMatchObject({ interval: null, tie: null, isSettled: false });
});

test("a variant alone is settled when its own interval is narrow, or below the floor", () => {
  const alone = (kld: BlockBootstrap, floor: BlockBootstrap | null) => judgeVariants([kld], floor).isSettled;
  const flat = variantOf(Array.from({ length: 16 }, (_, window) => 0.1 + 0.01 * (window % 2)));
  expect(alone(flat, null)).toBe(true);
  expect(alone(variantAt(0.1, 2), null)).toBe(false);
  expect(alone(variantAt(0.1, 2), variantAt(1, 3))).toBe(true);
  expect(judgeVariants([], null)).toEqual({ ranking: [], pairs: [], floor: null, isSettled: false });
});

test("a variant that is not finite comes last and has no pairs; a floor that is not finite is none", () => {
  const broken = variantOf([0.1, Number.NaN, ...madeKlds(14, 0.1, 0, 2)]);
  const verdict = judgeVariants([broken, variantAt(0.4, 2), variantAt(0.1, 3)], broken);
  expect(verdict.ranking.map(({ variant }) => variant)).toEqual([2, 1, 0]);
  expect(verdict.ranking.at(-1)).toEqual({ variant: 0, kld: null, interval: null, isBelowFloor: null });
  expect(verdict.pairs.map(({ pair }) => pair)).toEqual([[2, 1]]);
  expect(verdict).toMatchObject({ floor: null, isSettled: true });
});
