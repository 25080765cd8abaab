import { describe, expect, test } from "vitest";
import { sampleCurveOf, sampleSalient, sampleStrengths } from "../../engine/sweep-words.cases.ts";
import {
  foundRecipes,
  layersDataOf,
  salientDataOf,
  salientGround,
  samplesDataOf,
  strengthDataOf,
  sweepCost,
  sweepLacks,
  sweepSamples,
  sweepStrengths,
} from "./sweep-model.ts";

const ASK = { windows: 4, isFine: false, isWhole: false, share: 0.01 };

describe("what is asked", () => {
  test("is six strengths or eleven, the numbers of samples that the text has, or the engine's own", () => {
    expect(sweepStrengths(ASK)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(sweepStrengths({ isFine: true })).toHaveLength(11);
    expect(sweepSamples(ASK, 64)).toEqual([2, 4, 8, 16]);
    expect(sweepSamples(ASK, 5)).toEqual([2, 4]);
    expect([sweepSamples(ASK, 1), sweepSamples({ isWhole: true }, 64)]).toEqual([null, null]);
  });

  test("says what it takes", () => {
    expect(sweepCost("strengths", ASK)).toMatch(/^up to 8 runs: 6 strengths, none, and one a layer;.* 4 windows/);
    expect(sweepCost("strengths", { ...ASK, isFine: true, windows: 16 })).toMatch(/^up to 13 runs: .* 16 windows/);
    expect(sweepCost("samples", ASK)).toMatch(/^up to 5 runs: the method on 2, 4, 8, 16 windows/);
    expect(sweepCost("samples", { ...ASK, isWhole: true })).toMatch(/^a run for 8, 16, 32 … and all windows/);
    expect(sweepCost("salient", ASK)).toContain("four models side by side over 4 windows");
  });

  test("is not possible where nothing is rounded, samples not where no weight depends on them", () => {
    expect(sweepLacks("strengths", "W8A8")).toBeNull();
    expect(sweepLacks("samples", "W8A8")).toContain("its weights take no samples");
    expect(sweepLacks("samples", "gptq | W4A16")).toBeNull();
    expect(sweepLacks("samples", "wanda:2:4 | W4A16")).toBeNull();
    expect(sweepLacks("salient", "magnitude:0.5 | none")).toBe("it rounds nothing");
  });
});

describe("what came of it", () => {
  test("strengths have the recipe's colour, shares of no smoothing, and the least with its like", () => {
    const data = strengthDataOf(sampleStrengths());
    expect(data).toMatchObject({ best: 0.5, ties: [0.75], family: "int8", isHollow: true, shape: "square" });
    expect(data.plain.relative.kld).toBe(1);
    expect(data.points.map(({ relative }) => relative.kld?.toFixed(2))).toEqual(["0.90", "0.40", "0.42", "2.50"]);
    expect(strengthDataOf(sampleStrengths({ best: null }))).toMatchObject({ best: null, ties: [] });
  });

  test("layers have the errors of the strength that they want", () => {
    const data = layersDataOf(sampleStrengths());
    expect(data?.layers).toEqual([
      { layer: 0, strength: 0.5, weights: 0.0002, activations: 0.0003 },
      { layer: 1, strength: 0.75, weights: 0.0003, activations: 0.0003 },
    ]);
    expect(layersDataOf(sampleStrengths({ perLayer: null }))).toBeNull();
  });

  test("recipes are found to take along, once where both are the same", () => {
    expect(foundRecipes(sampleStrengths()).map(({ what, recipe }) => [what, recipe])).toEqual([
      ["least", "smoothquant | W8A8"],
      ["a strength a layer", "smoothquant:layers=1/0.75 | W8A8"],
    ]);
    const { points } = sampleStrengths();
    expect(foundRecipes(sampleStrengths({ perLayer: points[1] ?? null }))).toHaveLength(1);
    expect(foundRecipes(sampleStrengths({ best: null, perLayer: null }))).toEqual([]);
  });

  test("samples have their method's shape, and shares of plain rounding", () => {
    const data = samplesDataOf(sampleCurveOf());
    expect(data).toMatchObject({ shape: "diamond", family: "int4", isHollow: false, enough: 8, enoughWord: "≈ 16" });
    expect(samplesDataOf(sampleCurveOf({ windows: 8 })).enoughWord).toBe("enough");
    expect(data.points.map(({ relative }) => relative.onSamples)).toEqual([0.2, 0.4, 0.4]);
  });

  test("channels are rows under the names of what chose them, and say of which matrices they are", () => {
    const data = salientDataOf(sampleSalient());
    expect(data.choices.map(({ name, isPlain }) => [name, isPlain])).toEqual([
      ["none", true],
      ["loudest inputs", false],
      ["largest weights", false],
      ["at random", false],
    ]);
    expect(data.choices[1]?.outcome).toBe("75.0 % of the divergence gone");
    expect(data.family).toBe("int3");
    const ground = salientGround(sampleSalient()).replaceAll("\u2009", " ");
    expect(ground).toBe("1 %: 92 of 8 192 input channels of 28 matrices of W3A16; 1 matrix is left out");
  });
});
