import { asFloats } from "../floats.ts";
import type { LinearShape } from "./linear.oracle.ts";

/** What is wrong with a number of the block, or null. The row is one of x and y, the column one of the block. */
type Judgement = (found: number, wanted: number, row: number, column: number) => string | null;

/** Holds the numbers of the block that a product writes to a judgement, and all others to the bits that were there before. */
export function compareBlock(
  { m, n, firstRow, outputStride, outputStart }: LinearShape,
  judge: Judgement,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  return (actual, expected) => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (const [at, bits] of expected.entries()) {
      const [row, column] = [Math.floor(at / outputStride), (at % outputStride) - outputStart];
      const isInside = row >= firstRow && row < firstRow + m && column >= 0 && column < n;
      if (!isInside && actual[at] !== bits) return `word ${at} is outside of the block, and was written`;
      const wrong = isInside ? judge(found[at] ?? Number.NaN, wanted[at] ?? Number.NaN, row, column) : null;
      if (wrong !== null) return `${row}, ${column}: ${found[at]}, expected ${wanted[at]} ${wrong}`;
    }
    return null;
  };
}

/**
 * The first sum that is further from the expected one than its additions explain, or null. A product and each addition may
 * round either way in WGSL, so that they lose at most 2⁻²³ of all magnitudes together; a product below 2⁻¹²⁶ may be taken
 * for 0, and inputs are below 8.
 */
export function compareProducts(
  shape: LinearShape,
  inputs: Uint32Array,
  weights: Uint32Array,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  const { k } = shape;
  const [x, w] = [asFloats(inputs), asFloats(weights)];
  return compareBlock(shape, (found, wanted, row, column) => {
    let magnitudes = 0;
    for (let i = 0; i < k; i++) magnitudes += Math.abs((x[row * k + i] ?? 0) * (w[column * k + i] ?? 0));
    const limit = (k + 1) * (2 ** -23 * magnitudes + 2 ** -123);
    // A NaN is no distance, and is never within the limit.
    return Math.abs(found - wanted) <= limit ? null : `± ${limit}`;
  });
}
