import { describe, expect, test } from "vitest";
import { FLOAT_FORMATS, roundHalfEven } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { byteAt } from "../int-params.ts";
import { BLOCK_COLUMNS } from "./block.ts";
import { columnBlockCases } from "./column_block.cases.ts";
import { type ColumnBlockShape, type ColumnBlockSource, columnBlockOracle } from "./column_block.oracle.ts";

// The cases compare bit for bit what WGSL computes only nearly. Here the rule runs in float64, and says where a division that is
// 2.5 ulp off, or a product that is fused with a sum, could show.

/** Of a quotient and of what is added to it: 2.5 ulp, and one for the sum. */
const DOUBT = 4 * 2 ** -23;

/** Of a score: both products rounded, one of them twice in it, and the quotient. */
const SCORE_DOUBT = 2 ** -19;

interface Found {
  readonly weights: Float64Array;
  readonly errors: Float64Array;
  /** What would be open in WGSL. */
  readonly doubts: readonly string[];
}

function inFloat64(source: ColumnBlockSource, shape: ColumnBlockShape, inputs: readonly Uint32Array[]): Found {
  const { element, codes, mask } = source;
  const { rows, cols, first, count, groupsPerRow, groupSize, threshold } = shape;
  const [w, order, u, scales, zeroPoints] = inputs as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  const weights = Float64Array.from(asFloats(w));
  const errors = new Float64Array(rows * BLOCK_COLUMNS).fill(Number.NaN);
  const factor = asFloats(u);
  const doubts: string[] = [];
  const factorAt = (i: number, j: number) => factor[(first + i) * cols + first + j] ?? 0;
  for (let row = 0; row < rows; row++) {
    const placeOf = (k: number) => row * cols + (order[first + k] ?? 0);
    const scoreAt = (k: number) => ((weights[placeOf(k)] ?? 0) / factorAt(k, k)) ** 2;
    const masked = Array.from({ length: count }, (_, k) => mask.kind === "threshold" && scoreAt(k) <= threshold);
    for (let k = 0; k < count; k++) {
      if (mask.kind === "threshold" && k === 0) {
        const near = masked.filter(
          (_, at) => Math.abs(scoreAt(at) / threshold - 1) < SCORE_DOUBT && factorAt(at, at) !== 1,
        );
        if (near.length > 0) doubts.push(`row ${row}: a score near the threshold`);
      }
      if (mask.kind === "n-of-m" && k % mask.m === 0) {
        const { n, m } = mask;
        const places = Array.from({ length: Math.min(m, count - k) }, (_, at) => k + at);
        const sorted = places.toSorted((one, other) => scoreAt(one) - scoreAt(other) || one - other);
        for (const place of sorted.slice(0, n)) masked[place] = true;
        const [last, next] = [sorted[n - 1], sorted[n]];
        if (last !== undefined && next !== undefined) {
          const same = Math.abs(weights[placeOf(last)] ?? 0) === Math.abs(weights[placeOf(next)] ?? 0);
          const isEqual = same && factorAt(last, last) === factorAt(next, next);
          if (!isEqual && scoreAt(next) <= scoreAt(last) * (1 + SCORE_DOUBT)) doubts.push(`${row}, ${k}: near scores`);
        }
      }
      const value = weights[placeOf(k)] ?? 0;
      if (Math.fround(value) !== value) doubts.push(`${row}, ${k}: ${value} was rounded`);
      let kept = value;
      if (masked[k]) kept = 0;
      else if (codes !== null) {
        const group = groupsPerRow === 0 ? 0 : row * groupsPerRow + Math.floor((order[first + k] ?? 0) / groupSize);
        const scale = FLOAT_FORMATS[element].fromBits(elementAt(scales, group, element));
        const zeroPoint = codes.symmetric ? 0 : byteAt(zeroPoints, group);
        const [low, high] = [-(2 ** (codes.bits - 1)), 2 ** (codes.bits - 1) - 1];
        const sum = value / scale + zeroPoint;
        const distance = Math.abs(sum - Math.floor(sum) - 0.5);
        const isInside = sum > low - 1 && sum < high + 1;
        if (isInside && distance <= DOUBT * (Math.abs(value / scale) + Math.abs(sum)))
          doubts.push(`${row}, ${k}: near a tie`);
        const exact = (roundHalfEven(Math.min(Math.max(sum, low), high)) - zeroPoint) * scale;
        kept = FLOAT_FORMATS[element].round(exact);
        if (element === "f32" && kept !== exact) doubts.push(`${row}, ${k}: a product was rounded`);
      }
      const error = (value - kept) / factorAt(k, k);
      weights[placeOf(k)] = kept;
      errors[row * BLOCK_COLUMNS + k] = error;
      for (let j = k + 1; j < count; j++) {
        weights[placeOf(j)] = (weights[placeOf(j)] ?? 0) - error * factorAt(k, j);
      }
    }
  }
  return { weights, errors, doubts };
}

describe("the cases of compensation/column_block", () => {
  test.each(columnBlockCases)("leave nothing open: $name", (item) => {
    const [source, shape] = [item.source as ColumnBlockSource, item.shape as ColumnBlockShape];
    const buffers = item.inputs.map((input) => input.slice());
    columnBlockOracle(source, shape, buffers);
    const { weights, errors, doubts } = inFloat64(source, shape, item.inputs);
    expect(doubts).toEqual([]);
    const [foundWeights, , , , , foundErrors] = buffers.map(asFloats);
    expect(Float32Array.from(weights, (value) => value + 0)).toEqual(foundWeights);
    const written = (_: number, at: number) => at % BLOCK_COLUMNS < shape.count;
    expect(Float32Array.from(errors.filter(written))).toEqual(foundErrors?.filter(written));
  });

  test("mask by threshold on both sides of it, and prune what is left by codes too", () => {
    const sources = columnBlockCases.map(({ source }) => source as ColumnBlockSource);
    const kinds = new Set(sources.map(({ mask, codes }) => `${mask.kind} ${codes === null ? "alone" : "and codes"}`));
    expect([...kinds].sort()).toEqual([
      "n-of-m alone",
      "n-of-m and codes",
      "none and codes",
      "threshold alone",
      "threshold and codes",
    ]);
  });
});
