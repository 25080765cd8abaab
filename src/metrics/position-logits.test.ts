import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { klDivergence, mostLikely, softmax } from "./position-logits.ts";

const logits = fc.array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });

describe("softmax", () => {
  test("adds up to 1, in the order of the logits, whatever is added to all of them", () => {
    fc.assert(
      fc.property(logits, fc.float({ min: -5, max: 5, noNaN: true }), (values, shift) => {
        const p = softmax(Float32Array.from(values));
        expect(p.reduce((sum, own) => sum + own, 0)).toBeCloseTo(1, 12);
        const shifted = softmax(Float32Array.from(values, (value) => Math.fround(value) + Math.fround(shift)));
        for (const [id, own] of p.entries()) expect(shifted[id]).toBeCloseTo(own, 4);
      }),
    );
  });

  test("of a masked token is 0, of logits with a NaN nothing", () => {
    expect([...softmax(Float32Array.of(0, Number.NEGATIVE_INFINITY))]).toEqual([1, 0]);
    expect(softmax(Float32Array.of(0, Number.NaN)).every(Number.isNaN)).toBe(true);
    expect(mostLikely(softmax(Float32Array.of(0, Number.NaN)), 2)).toEqual([]);
  });
});

test("the most likely ids are those of a full sort, the lower id first where two are equal", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), fc.nat(12), (values, count) => {
      const all = values.map((value, id) => ({ value, id })).toSorted((a, b) => b.value - a.value || a.id - b.id);
      expect(mostLikely(Float64Array.from(values), count)).toEqual(all.slice(0, count).map(({ id }) => id));
    }),
  );
});

test("a divergence is nothing of equal distributions, Σ p ln(p/q) of others, and endless where q leaves a token out", () => {
  const [p, q] = [Float64Array.of(0.5, 0.25, 0.25), Float64Array.of(0.25, 0.5, 0.25)];
  expect(klDivergence(p, p)).toBe(0);
  expect(klDivergence(p, q)).toBeCloseTo(0.25 * Math.LN2, 15);
  expect(klDivergence(p, Float64Array.of(1, 0, 0))).toBe(Number.POSITIVE_INFINITY);
  expect(klDivergence(Float64Array.of(1, 0), Float64Array.of(1, 0))).toBe(0);
});
