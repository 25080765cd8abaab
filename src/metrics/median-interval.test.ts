import fc from "fast-check";
import { expect, test } from "vitest";
import { medianInterval } from "./median-interval.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

// Ranks of Conover's table for 95 %: the k-th smallest and the k-th largest.
test.each([
  [6, 1],
  [8, 1],
  [9, 2],
  [11, 2],
  [12, 3],
  [17, 5],
  [20, 6],
  [25, 8],
  [50, 18],
  [100, 40],
])("%i values have an interval from number %i on", (count, place) => {
  expect(medianInterval(upTo(count))).toEqual({
    median: (count + 1) / 2,
    interval: { low: place, high: count + 1 - place },
  });
});

test("fewer than six values say nothing of the median's bounds", () => {
  expect(medianInterval([3, 1, 2, 5, 4])).toEqual({ median: 3, interval: { low: 0, high: null } });
  expect(medianInterval([7])).toEqual({ median: 7, interval: { low: 0, high: null } });
  expect(medianInterval([])).toEqual({ median: null, interval: { low: 0, high: null } });
});

test("what was never seen counts as beyond everything", () => {
  expect(medianInterval([null, 4, null, 2, 9, 3])).toEqual({ median: 6.5, interval: { low: 2, high: null } });
  expect(medianInterval([null, 4, null, 2, null, 3]).median).toBeNull();
  expect(medianInterval(Array.from({ length: 8 }, () => null))).toEqual({
    median: null,
    interval: { low: null, high: null },
  });
});

test("an interval of thousands is that of the normal distribution", () => {
  // k = n/2 − 1.96·√n/2 within one place.
  const { interval } = medianInterval(upTo(4000));
  expect(Math.abs((interval.low ?? 0) - (2000 - 1.96 * (Math.sqrt(4000) / 2)))).toBeLessThanOrEqual(1);
});

test("the median lies in its interval, and order does not matter", () => {
  const values = fc.array(fc.option(fc.nat(600)), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(values, (own) => {
      const found = medianInterval(own);
      const beyond = (value: number | null) => value ?? Number.POSITIVE_INFINITY;
      expect(beyond(found.interval.low)).toBeLessThanOrEqual(beyond(found.median));
      expect(beyond(found.median)).toBeLessThanOrEqual(beyond(found.interval.high));
      expect(medianInterval(own.toReversed())).toEqual(found);
    }),
  );
});
