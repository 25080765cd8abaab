import { expect, test } from "vitest";
import { fromBf16, roundToBf16 } from "../base/bfloat16.ts";
import { halfAt } from "../kernels/halves.ts";
import { fillWeights, scalesOf } from "../kernels/int-inputs.ts";
import { intCode } from "../kernels/quant/int_code.oracle.ts";
import { ERROR_WORDS, intError, segmentsPerGroup } from "../kernels/quant/int_error.ts";
import { ReconstructionTotal } from "./reconstruction.ts";

const shape = { groups: 1, groupSize: 300 };

test("figures agree with their definition in float64", () => {
  const weights = fillWeights(shape, 5);
  const scales = scalesOf(shape, weights, 4);
  const sums = new Uint32Array(segmentsPerGroup(shape.groupSize) * ERROR_WORDS);
  intError.oracle({ bits: 4, arithmetic: "eager" }, shape, [weights, scales, sums]);
  const total = new ReconstructionTotal();
  total.addSegments(sums, shape.groupSize);
  const figures = total.figures();

  const scale = halfAt(scales, 0);
  const pairs = Array.from({ length: shape.groupSize }, (_, index) => {
    const bits = halfAt(weights, index);
    const code = intCode({ bits: 4, arithmetic: "eager" }, bits, scale);
    return [fromBf16(bits), roundToBf16(code * fromBf16(scale))] as const;
  });
  const sum = (of: (pair: readonly [number, number]) => number) => pairs.reduce((all, pair) => all + of(pair), 0);
  const error = sum(([w, q]) => (w - q) ** 2);
  const energy = sum(([w]) => w * w);
  expect(figures.mse).toBeCloseTo(error / 300, 12);
  expect(figures.relativeMse).toBeCloseTo(error / energy, 7);
  expect(figures.sqnrDb).toBeCloseTo(-10 * Math.log10(error / energy), 5);
  expect(figures.maxAbsError).toBe(Math.max(...pairs.map(([w, q]) => Math.abs(w - q))));
  expect(figures.cosine).toBeCloseTo(sum(([w, q]) => w * q) / Math.sqrt(energy * sum(([, q]) => q * q)), 7);
});

test("nothing measured, nothing lost and values that are not finite have no figures", () => {
  expect(new ReconstructionTotal().figures().relativeMse).toBeNull();
  const zeros = new ReconstructionTotal();
  zeros.addSegments(new Uint32Array([0, 0, 0, 0, 0, 512 << 16]), 128);
  expect(zeros.figures()).toMatchObject({ mse: 0, relativeMse: null, sqnrDb: null, maxAbsError: 0 });
  const infinite = new ReconstructionTotal();
  infinite.addSegments(new Uint32Array([0, 0, 0, 0, 0, (512 << 16) | (128 << 8) | 3]), 128);
  expect(infinite.figures()).toMatchObject({ mse: null, notFinite: { weights: 3, reconstructions: 128 } });
});
