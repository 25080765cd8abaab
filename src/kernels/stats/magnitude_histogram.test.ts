import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRandom } from "../../base/random.ts";
import { magnitudeHistogramOracle } from "./magnitude_histogram.oracle.ts";
import { kthBin, magnitudeBins } from "./magnitude_histogram.ts";

test("the bin of the k-th is where the k-th of the sorted list lies", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(4), { minLength: 1, maxLength: 20 }), (counts) => {
      const sorted = counts.flatMap((count, bin) => new Array<number>(count).fill(bin));
      sorted.forEach((bin, index) => {
        expect(kthBin(counts, index + 1)).toEqual({ bin, below: sorted.indexOf(bin) });
      });
      expect(() => kthBin(counts, sorted.length + 1)).toThrow(RangeError);
      expect(() => kthBin(counts, 0)).toThrow(RangeError);
    }),
  );
});

test("two passes find the k-th smallest of float32 magnitudes", () => {
  const random = new SeededRandom(1);
  const weights = new Uint32Array(new Float32Array(5000).map(() => random.nextNormal() * 0.02).buffer);
  const sorted = weights.map((bits) => bits & 0x7fffffff).sort();
  const shape = { elements: weights.length, prefix: 0 };
  const [high, low] = [{ element: "f32", digit: "high" } as const, { element: "f32", digit: "low" } as const];
  const counts = new Uint32Array(magnitudeBins(high));
  magnitudeHistogramOracle(high, shape, [weights, counts]);
  for (const k of [1, 2, 1250, 2500, 4999, 5000]) {
    const upper = kthBin(counts, k);
    const finer = new Uint32Array(magnitudeBins(low));
    magnitudeHistogramOracle(low, { ...shape, prefix: upper.bin }, [weights, finer]);
    const lower = kthBin(finer, k - upper.below);
    expect(upper.bin * 65536 + lower.bin).toBe(sorted[k - 1]);
  }
});
