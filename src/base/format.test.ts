import { expect, test } from "vitest";
import { formatBytes, formatCount, formatDuration, formatNumber, formatRate, formatWait } from "./format.ts";

test("figures have three significant digits, a true minus and thin spaces", () => {
  expect(
    [0, 1, 2.7355, 12.345, 999.6, 1234.5, -0.5, 0.000065123, Number.POSITIVE_INFINITY, Number.NaN].map((value) =>
      formatNumber(value),
    ),
  ).toEqual(["0", "1.00", "2.74", "12.3", "1\u2009000", "1\u2009235", "−0.500", "6.51e−5", "∞", "–"]);
});

test("bytes take decimal units", () => {
  expect([0, 999, 7_345_664, 24e9].map((value) => formatBytes(value))).toEqual(["0 B", "999 B", "7.35 MB", "24.0 GB"]);
});

test("counts, rates and durations", () => {
  expect(formatCount(3_672_320)).toBe("3\u2009672\u2009320");
  expect(formatRate(304e6, "elements/s")).toBe("304 Melem/s");
  expect(formatRate(1.2e9, "bytes/s")).toBe("1.20 GB/s");
  expect([840, 12_400, 200_000].map(formatDuration)).toEqual(["840 ms", "12.4 s", "3 min 20 s"]);
});

test("a wait is told in whole seconds, never too short", () => {
  expect([1, 5999, 60_000, 200_000].map(formatWait)).toEqual(["1 s", "6 s", "1 min 0 s", "3 min 20 s"]);
});
