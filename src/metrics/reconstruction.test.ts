import { expect, test } from "vitest";
import { BF16 } from "../base/float-format.ts";
import { elementAt } from "../kernels/elements.ts";
import { fillWeights, qparamsOfWeights } from "../kernels/int-inputs.ts";
import { intCoder } from "../kernels/quant/int_code.oracle.ts";
import { intError, LEVEL_WORDS, sumWords } from "../kernels/quant/int_error.ts";
import { modelRelativeMse, ReconstructionTotal } from "./reconstruction.ts";

const SHAPE = { streams: 1, streamLength: 300, groupSize: 300 };

test("figures agree with their definition in float64", () => {
  const codes = { element: "bf16", bits: 4, symmetric: true, arithmetic: "eager" } as const;
  const weights = fillWeights(SHAPE, "bf16", 0);
  const { scales, zeroPoints } = qparamsOfWeights(weights, SHAPE, codes);
  const sums = new Uint32Array(sumWords(300, 2));
  const levels = new Uint32Array(2 * LEVEL_WORDS);
  const scheme = { bits: 4, symmetric: true, groupSize: 300, first: 0 };
  // The one that counts is the second of two.
  const shape = { elements: 300, schemes: [{ ...scheme, bits: 0 }, scheme] };
  intError.oracle({ ...codes, isPruned: false }, shape, [weights, weights, scales, zeroPoints, levels, sums]);
  const total = new ReconstructionTotal();
  total.addBlocks(sums, 1, 2, 300, true);
  total.addLevels(levels.subarray(LEVEL_WORDS), 4);
  const figures = total.figures();

  const scale = BF16.fromBits(elementAt(scales, 0, "bf16"));
  const codeOf = intCoder(codes);
  const pairs = Array.from({ length: 300 }, (_, index) => {
    const weight = BF16.fromBits(elementAt(weights, index, "bf16"));
    const { code, isClipped } = codeOf(weight, scale, 0);
    return { w: weight, q: BF16.round(code * scale), code, isClipped };
  });
  const sum = (of: (pair: (typeof pairs)[number]) => number) => pairs.reduce((all, pair) => all + of(pair), 0);
  const error = sum(({ w, q }) => (w - q) ** 2);
  const energy = sum(({ w }) => w * w);
  expect(figures.mse).toBeCloseTo(error / 300, 12);
  expect(figures.meanSquare).toBeCloseTo(energy / 300, 9);
  expect(figures.relativeMse).toBeCloseTo(error / energy, 7);
  expect(figures.sqnrDb).toBeCloseTo(-10 * Math.log10(error / energy), 5);
  expect(figures.maxAbsError).toBe(Math.max(...pairs.map(({ w, q }) => Math.abs(w - q))));
  expect(figures.cosine).toBeCloseTo(sum(({ w, q }) => w * q) / Math.sqrt(energy * sum(({ q }) => q * q)), 7);
  expect(figures.clippedShare).toBe(sum(({ isClipped }) => (isClipped ? 1 : 0)) / 300);
  expect(figures.usedLevels).toBe(new Set(pairs.map(({ code }) => code)).size / 16);
});

test("nothing measured, nothing lost and values that are not finite have no figures", () => {
  expect(new ReconstructionTotal().figures()).toMatchObject({
    relativeMse: null,
    clippedShare: null,
    usedLevels: null,
  });
  const zeros = new ReconstructionTotal();
  zeros.addBlocks(new Uint32Array([0, 512 << 16, 0, 0, 0, 0, 0, 512]), 0, 1, 128, true);
  expect(zeros.figures()).toMatchObject({ mse: 0, relativeMse: null, sqnrDb: null, maxAbsError: 0, clippedShare: 0 });
  const infinite = new ReconstructionTotal();
  infinite.addBlocks(new Uint32Array([0, (512 << 16) | 3, 0, 0, 0, 0, (128 << 16) | 7, 512]), 0, 1, 128, true);
  expect(infinite.figures()).toMatchObject({
    mse: null,
    meanSquare: null,
    clippedShare: 7 / 128,
    notFinite: { weights: 3, reconstructions: 128 },
  });
});

test("reconstructions that overflow leave the mean square of the weights", () => {
  const overflow = new ReconstructionTotal();
  const two = new Uint32Array(new Float32Array([2]).buffer)[0] ?? 0;
  overflow.addBlocks(new Uint32Array([two, 512 << 16, 0, 0, 0, 0, 1 << 16, 512]), 0, 1, 8, true);
  expect(overflow.figures()).toMatchObject({ mse: null, meanSquare: 0.25 });
});

test("the error of a model goes over the same matrices for every recipe, those left alone with none", () => {
  // W = 3, 4 and 1, 1, 1, 1; the second matrix alone loses 0.5 of each weight.
  const first = { weights: 2, meanSquare: 12.5, mse: 0.02 };
  const second = { weights: 4, meanSquare: 1, mse: 0.25 };
  expect(modelRelativeMse([first, second])).toBeCloseTo((0.04 + 1) / 29, 15);
  expect(modelRelativeMse([{ ...first, mse: 0 }, second])).toBeCloseTo(1 / 29, 15);
  expect(modelRelativeMse([second])).toBe(0.25);
  expect(modelRelativeMse([{ ...first, mse: 0 }])).toBe(0);
  expect(modelRelativeMse([first, { ...second, mse: null }])).toBeNull();
  expect(modelRelativeMse([{ ...first, meanSquare: null, mse: 0 }, second])).toBeNull();
  expect(modelRelativeMse([{ weights: 4, meanSquare: 0, mse: 0 }])).toBeNull();
  expect(modelRelativeMse([])).toBeNull();
});
