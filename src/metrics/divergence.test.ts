import { expect, test } from "vitest";
import { jensenShannon } from "./divergence.ts";

test("equal shapes are 0, disjoint ones 1 bit, whatever their counts", () => {
  expect(jensenShannon([1, 2, 3], [10, 20, 30])).toBe(0);
  expect(jensenShannon([5, 0], [0, 70])).toBe(1);
});

test("half of one in a bin of its own", () => {
  // mean (3/4, 1/4): (1·log2(4/3) + ½·log2(2/3) + ½·log2(2)) / 2
  const expected = (Math.log2(4 / 3) + 0.5 * Math.log2(2 / 3) + 0.5) / 2;
  expect(jensenShannon([2, 0], [1, 1])).toBeCloseTo(expected, 15);
});

test("nothing to compare is null", () => {
  expect(jensenShannon([0, 0], [1, 0])).toBeNull();
});
