import { asFloats } from "../floats.ts";

/**
 * A comparison of float32 outputs: the first that is further than `limit` from the expected one, or null. An infinity must be
 * met as it is. A limit of 0, for what a kernel must leave alone, means the same number.
 */
export function compareFloats(
  limit: (index: number, expected: number) => number,
): (actual: Uint32Array, expected: Uint32Array) => string | null {
  return (actual, expected) => {
    const [found, wanted] = [asFloats(actual), asFloats(expected)];
    for (const [index, value] of wanted.entries()) {
      const own = found[index] ?? Number.NaN;
      // A NaN is at no distance, and is never within the limit.
      if (own === value || Math.abs(own - value) <= limit(index, value)) continue;
      return `number ${index}: ${own}, expected ${value} ± ${limit(index, value)}`;
    }
    return null;
  };
}
