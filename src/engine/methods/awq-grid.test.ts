import { describe, expect, test } from "vitest";
import { gridFactors, gridPoints } from "./awq-grid.ts";

// Expectations are what LLM Compressor 0.14.0.1 said with torch 2.13 on a CPU: `AWQModifier._get_grid_search_params` itself, and
// the lines of `_compute_best_scale` that make `scales`, on these very float32 vectors.

const ACTIVATIONS = Float64Array.of(0.5, 2, 0, 8, 0.125);
const WEIGHTS = Float64Array.of(0.25, 0.5, 0.75, 1, 0.0625);

/** A power, a sum, two quotients and a root, each of at most one unit in the last place, here and in torch. */
const RELATIVE = 5 * 2 ** -23;

const points = (duoScaling: boolean | "both", grid: number) =>
  gridPoints({ duoScaling, grid }).map((point) => [point.ratio, point.duoScaling]);

describe("the points of the grid", () => {
  test("are the tool's, with duo scaling, without, and with both", () => {
    expect(points(true, 5)).toEqual([
      [0, false],
      [0, true],
      [1 / 3, true],
      [2 / 3, true],
      [1, true],
    ]);
    expect(points(false, 4)).toEqual([
      [0, false],
      [1 / 3, false],
      [2 / 3, false],
      [1, false],
    ]);
    expect(points("both", 6)).toEqual([
      [0, false],
      [0, true],
      [0.5, false],
      [0.5, true],
      [1, false],
      [1, true],
    ]);
  });

  test("are as many as were asked for, the first no change", () => {
    for (const [duoScaling, least] of [
      [false, 2],
      [true, 3],
      ["both", 4],
    ] as const) {
      for (const grid of [least, 20, 100]) {
        const found = gridPoints({ duoScaling, grid });
        expect(found).toHaveLength(grid);
        expect(found[0]).toEqual({ ratio: 0, duoScaling: false });
        expect(found.every(({ ratio }) => ratio >= 0 && ratio <= 1)).toBe(true);
      }
    }
  });
});

describe("the factors of a point", () => {
  test.each([
    { ratio: 0, duoScaling: false, wanted: [1, 1, 1, 1, 1] },
    {
      ratio: 0.25,
      duoScaling: false,
      wanted: [64.84197998046875, 91.70040893554688, 0.007711054291576147, 129.6839599609375, 45.85020446777344],
    },
    {
      ratio: 0,
      duoScaling: true,
      wanted: [1.0004496574401855, 0.5003247857093811, 0.3335720896720886, 0.25018739700317383, 3.9970035552978516],
    },
    {
      ratio: 0.6,
      duoScaling: true,
      wanted: [61.54958724975586, 107.16856384277344, 0.005359135568141937, 186.59727478027344, 46.63984298706055],
    },
    {
      ratio: 1,
      duoScaling: true,
      wanted: [17.676786422729492, 70.70714569091797, 0.0035357107408344746, 282.8285827636719, 4.419196605682373],
    },
  ])("are torch's: ratio $ratio, duo scaling $duoScaling", ({ ratio, duoScaling, wanted }) => {
    const found = gridFactors({ ratio, duoScaling }, ACTIVATIONS, WEIGHTS);
    for (const [channel, factor] of found.entries()) {
      const expected = wanted[channel] ?? Number.NaN;
      expect(Math.abs(factor - expected)).toBeLessThanOrEqual(RELATIVE * expected);
    }
  });

  test("are 1 where one is no number, as torch's are", () => {
    expect([...gridFactors({ ratio: 0.5, duoScaling: false }, Float64Array.of(0.5, Number.NaN, 3), WEIGHTS)]).toEqual([
      1, 1, 1,
    ]);
    // [inf, 1.7e19, 0]: 3e38 over 1e-4 leaves float32.
    const far = gridFactors({ ratio: 1, duoScaling: true }, Float64Array.of(3e38, 0, 3), Float64Array.of(1, 1, 1));
    expect(far.every(Number.isFinite)).toBe(true);
  });

  test("lie as far above 1 as below it", () => {
    const found = gridFactors({ ratio: 0.4, duoScaling: true }, ACTIVATIONS, WEIGHTS);
    expect(Math.max(...found) * Math.min(...found)).toBeCloseTo(1, 5);
  });
});
