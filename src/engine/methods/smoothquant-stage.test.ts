import { describe, expect, test } from "vitest";
import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { smoothingFactors } from "./smoothquant-stage.ts";

// Expectations are what `SmoothQuantModifier._calculate_smoothing_scales` of LLM Compressor 0.14.0.1 said with torch 2.13 on a
// CPU, and its maximum with MINIMUM_SMOOTHING_SCALE, of a layer [[0.3, -0.02, 0, 1.7], [-0.4, 0.013, 0, 0.9]] and these
// extremes, all in the dtype. The third column is all zero; the last channel never varies.

const MAX = [1.3, 24, 2.7, 0.01];
const MIN = [-2.1, -7.7, 0.6, 0.01];
const COLUMN_MAXIMA = [0.4, 0.02, 0, 1.7];
const LEAST = Math.fround(1e-5);

const WANTED: readonly {
  readonly format: FloatName;
  readonly strength: number;
  readonly factors: readonly number[];
}[] = [
  { format: "bf16", strength: 0.5, factors: [2.0625, 28.125, 2.09375, LEAST] },
  { format: "bf16", strength: 0.8, factors: [2.78125, 30.5, 2.09375, LEAST] },
  { format: "bf16", strength: 0, factors: [1.25, 25, 2.09375, 0.29296875] },
  { format: "bf16", strength: 1, factors: [3.390625, 31.75, 2.09375, LEAST] },
  { format: "f16", strength: 0.5, factors: [2.060546875, 28.140625, 2.099609375, LEAST] },
  { format: "f16", strength: 0.8, factors: [2.78125, 30.203125, 2.099609375, LEAST] },
  { format: "f32", strength: 0.5, factors: [2.0615527629852295, 28.151376724243164, 2.0999999046325684, LEAST] },
  { format: "f32", strength: 0.8, factors: [2.783332586288452, 30.22981071472168, 2.0999999046325684, LEAST] },
];

/** Of the largest magnitudes; the paper's rule does not look at the rest. */
const statistics = (round: (value: number) => number) => ({
  absMax: Float64Array.from([2.1, 24, 2.7, 0.01], round),
  max: Float64Array.from(MAX, round),
  min: Float64Array.from(MIN, round),
});

describe("factors of SmoothQuant", () => {
  test.each(WANTED)("are the tool's in $format at strength $strength", ({ format, strength, factors }) => {
    const { round, epsilon } = FLOAT_FORMATS[format];
    const maxima = Float64Array.from(COLUMN_MAXIMA, round);
    const found = smoothingFactors("tool", strength, statistics(round), maxima, format);
    for (const [channel, factor] of found.entries()) {
      const wanted = factors[channel] ?? Number.NaN;
      // In float32 two powers may be a unit in the last place off; rounded to 8 or 11 bits they are the same.
      const allowed = format === "f32" ? 3 * epsilon * wanted : 0;
      expect(Math.abs(factor - wanted)).toBeLessThanOrEqual(allowed);
    }
  });

  test("are the paper's by its rule, whatever the dtype", () => {
    // torch, float32: a^s / max(w, 1e-5)^(1 − s), as `smooth_ln_fcs_llama_like` writes it.
    const wanted = [
      { strength: 0.5, factors: [2.291287899017334, 34.64101791381836, 519.6152954101562, 0.0766965001821518] },
      { strength: 0.8, factors: [2.1745200157165527, 27.794763565063477, 22.13558578491211, 0.022589685395359993] },
    ];
    for (const { strength, factors } of wanted) {
      const found = smoothingFactors(
        "paper",
        strength,
        statistics(Math.fround),
        Float64Array.from(COLUMN_MAXIMA),
        "bf16",
      );
      for (const [channel, factor] of found.entries()) {
        const expected = factors[channel] ?? Number.NaN;
        // torch rounds both powers and the quotient to float32, the lab once.
        expect(Math.abs(factor - expected)).toBeLessThanOrEqual(4 * 2 ** -23 * expected);
      }
    }
  });

  test("never divide by zero", () => {
    const still = { absMax: new Float64Array(1), max: new Float64Array(1), min: new Float64Array(1) };
    for (const rule of ["tool", "paper"] as const) {
      for (const maxima of [Float64Array.of(0), Float64Array.of(0.5)]) {
        for (const strength of [0, 0.5, 1]) {
          const [factor = 0] = smoothingFactors(rule, strength, still, maxima, "bf16");
          expect(factor).toBeGreaterThanOrEqual(LEAST);
          expect(factor).toBeLessThan(Number.POSITIVE_INFINITY);
        }
      }
    }
  });
});
