import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leastTellingLoss, likeliestChoice, pairAnswers, pairedDifferenceInterval } from "./choice-scores.ts";

const answers = (both: number, onlyFirst: number, onlySecond: number, neither: number) => ({
  both,
  onlyFirst,
  onlySecond,
  neither,
});

describe("the interval of a paired difference", () => {
  test.each([
    // Newcombe 1998, worked example of Armitage and Berry's culture media.
    ["Newcombe", answers(20, 12, 2, 16), 0.0562, 0.3292],
    // Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, 2017, chapter 8: Bentur and others 2009.
    ["Fagerland", answers(1, 1, 7, 12), -0.5069, -0.0256],
    // Altman and others, Statistics with Confidence, 2nd edition 2000, table 6.2.
    ["Altman", answers(14, 5, 0, 22), 0.0115, 0.2265],
  ] as const)("is %s's", (_, counts, low, high) => {
    const interval = pairedDifferenceInterval(counts);
    expect(interval?.low).toBeCloseTo(low, 4);
    expect(interval?.high).toBeCloseTo(high, 4);
  });

  test("holds nothing where two models never differ, and is not a point", () => {
    const interval = pairedDifferenceInterval(answers(25, 0, 0, 25));
    expect(interval?.low).toBeLessThan(-0.03);
    expect(interval?.high).toBe(-(interval?.low ?? 0));
  });

  test("is of no one item", () => {
    expect(pairedDifferenceInterval(answers(1, 0, 0, 0))).toBeNull();
    expect(pairedDifferenceInterval(answers(1, 0, 1, 0))).not.toBeNull();
  });

  test("holds the difference, stays within −1 … 1, and turns around with the models", () => {
    const count = fc.nat(40);
    fc.assert(
      fc.property(count, count, count, count, (both, first, second, neither) => {
        const interval = pairedDifferenceInterval(answers(both, first, second, neither));
        if (interval === null) return;
        const difference = (first - second) / (both + first + second + neither);
        expect(interval.low).toBeLessThanOrEqual(difference);
        expect(interval.high).toBeGreaterThanOrEqual(difference);
        // A last bit of the square root.
        expect(Math.max(-interval.low, interval.high)).toBeLessThanOrEqual(1 + 1e-12);
        const turned = pairedDifferenceInterval(answers(both, second, first, neither));
        expect(turned?.low).toBeCloseTo(-interval.high, 12);
      }),
    );
  });
});

test("the likeliest choice is the first of the largest, and never one without a likelihood", () => {
  expect(likeliestChoice([-3, -1, -1])).toBe(1);
  expect(likeliestChoice([Number.NaN, -Infinity, Number.NaN])).toBe(1);
  expect(likeliestChoice([Number.NaN, Number.NaN])).toBeNull();
});

test("answers are paired item by item", () => {
  const found = pairAnswers([true, true, false, false, true], [true, false, true, false, false]);
  expect(found).toEqual({ both: 1, onlyFirst: 2, onlySecond: 1, neither: 1 });
});

test("the least loss that tells is the first whose interval leaves nothing out", () => {
  const lost = leastTellingLoss(60, 120);
  if (lost === null) throw new Error("so many items can tell");
  const high = (own: number) => pairedDifferenceInterval(answers(60 - own, 0, own, 60))?.high ?? Number.NaN;
  expect(high(lost)).toBeLessThan(0);
  expect(high(lost - 1)).toBeGreaterThanOrEqual(0);
  expect(leastTellingLoss(2, 3)).toBeNull();
});
