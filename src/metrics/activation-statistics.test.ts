import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SeededRandom } from "../base/random.ts";
import type { ChannelStatistics } from "../models/channel-statistics.ts";
import { kurtosisOf, OUTLIER_RATIO, outlierChannels, spectrum } from "./activation-statistics.ts";

/** Exact statistics of columns of equal length, in float64. */
function statisticsOf(columns: readonly (readonly number[])[]): ChannelStatistics {
  const rows = columns[0]?.length ?? 0;
  const each = (of: (column: readonly number[]) => number) => Float64Array.from(columns, of);
  const mean = (term: (value: number) => number) =>
    each((column) => column.reduce((sum, value) => sum + term(value), 0) / rows);
  return {
    rows,
    absMax: each((column) => Math.max(...column.map(Math.abs))),
    min: each((column) => Math.min(...column)),
    max: each((column) => Math.max(...column)),
    meanAbs: mean(Math.abs),
    meanSquare: mean((value) => value ** 2),
    mean: mean((value) => value),
    meanCube: mean((value) => value ** 3),
    meanFourth: mean((value) => value ** 4),
  };
}

/** Channels of one row with these magnitudes, every other one negative. */
function channels(...magnitudes: readonly number[]): ChannelStatistics {
  return statisticsOf(magnitudes.map((own, index) => [index % 2 === 0 ? own : -own]));
}

function normalColumns(count: number, rows: number, deviation = 1, shift = 0): readonly (readonly number[])[] {
  const random = new SeededRandom(count + rows);
  return Array.from({ length: count }, () =>
    Array.from({ length: rows }, () => shift + deviation * random.nextNormal()),
  );
}

describe("kurtosis", () => {
  test("of two values of equal weight is 1, the least there is", () => {
    expect(kurtosisOf(statisticsOf([[-1, 1, 1, -1]]))).toBeCloseTo(1, 12);
    expect(kurtosisOf(statisticsOf([[2, 5, 5, 2]]))).toBeCloseTo(1, 10);
  });

  test("of one value among n that differ not is that of a Bernoulli variable, (1 − 3p(1 − p)) / (p(1 − p))", () => {
    const p = 1 / 16;
    const column = Array.from({ length: 16 }, (_, index) => (index === 3 ? 1 : 0));
    expect(kurtosisOf(statisticsOf([column]))).toBeCloseTo((1 - 3 * p * (1 - p)) / (p * (1 - p)), 10);
  });

  test("of evenly spread values is 3 (3n² − 7) / (5 (n² − 1))", () => {
    const n = 101;
    const column = Array.from({ length: n }, (_, index) => index - 20);
    expect(kurtosisOf(statisticsOf([column]))).toBeCloseTo((3 * (3 * n ** 2 - 7)) / (5 * (n ** 2 - 1)), 9);
  });

  test("of normal numbers is 3, wherever their mean lies", () => {
    // Its standard error over 320,000 entries is √(24/n) = 0.009.
    expect(kurtosisOf(statisticsOf(normalColumns(32, 10_000)))).toBeCloseTo(3, 1);
    expect(kurtosisOf(statisticsOf(normalColumns(32, 10_000, 0.5, 2)))).toBeCloseTo(3, 1);
  });

  test("is of all entries: normal channels of two sizes have 3 (a⁴ + b⁴) / 2 over ((a² + b²) / 2)²", () => {
    const [a, b] = [1, 5];
    const both = statisticsOf([...normalColumns(16, 10_000, a), ...normalColumns(16, 10_000, b)]);
    expect(kurtosisOf(both)).toBeCloseTo((3 * (a ** 4 + b ** 4)) / 2 / ((a ** 2 + b ** 2) / 2) ** 2, 0);
    expect(kurtosisOf(both)).toBeGreaterThan(5);
  });

  test("is that of the deviations, taken one by one", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 6, maxLength: 6 }), {
          minLength: 1,
          maxLength: 5,
        }),
        (columns) => {
          const all = columns.flat();
          const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
          const power = (n: number) => all.reduce((sum, value) => sum + (value - mean) ** n, 0) / all.length;
          const [found, square] = [kurtosisOf(statisticsOf(columns)), mean ** 2 + power(2)];
          if (power(2) < 0.01 * square) return;
          if (power(2) === 0) expect(found).toBeNull();
          else expect(Math.abs((found ?? Number.NaN) - power(4) / power(2) ** 2)).toBeLessThan(1e-6 * (found ?? 0));
        },
      ),
    );
  });

  test("is null where nothing varies", () => {
    expect(
      kurtosisOf(
        statisticsOf([
          [0, 0],
          [0, 0],
        ]),
      ),
    ).toBeNull();
    expect(kurtosisOf(statisticsOf([[0.1, 0.1, 0.1]]))).toBeNull();
    expect(kurtosisOf(statisticsOf([]))).toBeNull();
  });

  test("is null where float32 sums cannot tell how much it varies, and where they can a number", () => {
    // Means of 1000 and 10 times the deviation: what sums may lose is then 8 and 8 · 10⁻² of the squared variance.
    expect(kurtosisOf(statisticsOf([[999, 1001]]))).toBeNull();
    expect(kurtosisOf(statisticsOf([[9, 11]]))).toBeCloseTo(1, 6);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("is null where a moment is %d", (wrong) => {
    const usual = statisticsOf(normalColumns(3, 10));
    for (const which of ["mean", "meanSquare", "meanCube", "meanFourth"] as const) {
      expect(kurtosisOf({ ...usual, [which]: usual[which].map((own, at) => (at === 1 ? wrong : own)) })).toBeNull();
    }
  });
});

describe("outlier channels", () => {
  test("are those planted, loudest first, with their ratio to the median channel", () => {
    const columns = normalColumns(63, 100).map((column) => column.map((value) => Math.max(-2, Math.min(2, value))));
    const planted = columns.map((column, channel) =>
      column.map((value) => value * (channel === 7 ? 40 : channel === 50 ? 20 : 1)),
    );
    expect(outlierChannels(statisticsOf(planted))).toEqual([
      { channel: 7, absMax: 80, ratio: 40 },
      { channel: 50, absMax: 40, ratio: 20 },
    ]);
  });

  test("begin at eight times the median channel exactly", () => {
    expect(OUTLIER_RATIO).toBe(8);
    expect(outlierChannels(channels(1, 0.5, 1, 7.999, 1))).toEqual([]);
    expect(outlierChannels(channels(1, 0.5, 1, 8, 1))).toEqual([{ channel: 3, absMax: 8, ratio: 8 }]);
  });

  test("are measured against the mean of the middle two of an even number", () => {
    expect(outlierChannels(channels(1, 2, 3, 20))).toEqual([{ channel: 3, absMax: 20, ratio: 8 }]);
    expect(outlierChannels(channels(1, 2, 3, 19.9))).toEqual([]);
  });

  test("are none where all is zero, most is zero, or there is one channel", () => {
    expect(outlierChannels(channels(0, 0, 0))).toEqual([]);
    expect(outlierChannels(channels(0, 0, 0, 1))).toEqual([]);
    expect(outlierChannels(channels(1000))).toEqual([]);
    expect(outlierChannels(statisticsOf([]))).toEqual([]);
  });
});

describe("the spectrum", () => {
  test("has every channel, largest first, equals in their order", () => {
    expect(spectrum(channels(1, 3, 0, 3, 2))).toEqual([
      { channel: 1, absMax: 3 },
      { channel: 3, absMax: 3 },
      { channel: 4, absMax: 2 },
      { channel: 0, absMax: 1 },
      { channel: 2, absMax: 0 },
    ]);
    expect(spectrum(channels(5))).toEqual([{ channel: 0, absMax: 5 }]);
    expect(spectrum(channels(0, 0)).map(({ absMax }) => absMax)).toEqual([0, 0]);
  });

  test("keeps its order where channels are infinite or not numbers", () => {
    const own = channels(1, 2, 3, 4, 5);
    const absMax = Float64Array.of(1, Number.NaN, 3, Number.POSITIVE_INFINITY, 5);
    expect(spectrum({ ...own, absMax }).map(({ channel }) => channel)).toEqual([1, 3, 4, 2, 0]);
  });
});
