import { expect, test } from "vitest";
import { activationSpectrum } from "./activation-spectrum.ts";

const of = (...values: readonly number[]) => activationSpectrum({ channelAbsMax: Float64Array.from(values) });

test("the loudest channel first, equally loud ones in their order", () => {
  expect(of(1, 5, 1, 9).channels.map(({ channel }) => channel)).toEqual([3, 1, 0, 2]);
});

test("the median of an even number is the mean of the middle two; eight times that is an outlier", () => {
  expect(of(1, 2, 4, 100)).toMatchObject({ median: 3, threshold: 24, notFinite: 0 });
  expect(of(1, 2, 4)).toMatchObject({ median: 2, threshold: 16 });
  expect(of()).toMatchObject({ median: 0, threshold: 0, channels: [] });
});

test("what is not finite is counted, not drawn", () => {
  expect(of(1, Number.NaN, 3, Number.POSITIVE_INFINITY)).toMatchObject({ notFinite: 2, median: 2 });
});
