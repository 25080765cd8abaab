import { FLOAT_FORMATS } from "../../base/float-format.ts";
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

/** How far from each other two numbers may come to lie by rounding to a format: both are at most `error` from `value`. */
export function roundedSpread(format: "bf16" | "f16", value: number, error: number): number {
  const { round } = FLOAT_FORMATS[format];
  return round(value + error) - round(value - error);
}
