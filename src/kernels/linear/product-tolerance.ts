import { asFloats, type LinearShape } from "./linear.oracle.ts";

/**
 * The first sum that is further from the expected one than its additions explain, or null. A product and each addition may
 * round either way in WGSL, so that they lose at most 2⁻²³ of all magnitudes together; a product below 2⁻¹²⁶ may be taken
 * for 0, and inputs are below 8.
 */
export function compareProducts(
  { m, n, k }: LinearShape,
  inputs: Uint32Array,
  weights: Uint32Array,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  const [x, w] = [asFloats(inputs), asFloats(weights)];
  return (actual, expected) => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (let at = 0; at < m * n; at++) {
      const [row, column] = [Math.floor(at / n), at % n];
      let magnitudes = 0;
      for (let i = 0; i < k; i++) magnitudes += Math.abs((x[row * k + i] ?? 0) * (w[column * k + i] ?? 0));
      const limit = (k + 1) * (2 ** -23 * magnitudes + 2 ** -123);
      const distance = Math.abs((found[at] ?? Number.NaN) - (wanted[at] ?? Number.NaN));
      // A NaN is no distance, and is never within the limit.
      if (!(distance <= limit)) return `sum ${row}, ${column}: ${found[at]}, expected ${wanted[at]} ± ${limit}`;
    }
    return null;
  };
}
