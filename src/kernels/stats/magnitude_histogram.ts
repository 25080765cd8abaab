import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import {
  type MagnitudeHistogramShape,
  type MagnitudeHistogramSource,
  magnitudeHistogramOracle,
} from "./magnitude_histogram.oracle.ts";

const WEIGHTS_PER_INVOCATION = 128;

/** Weights that a thread handles at once; `magnitude_histogram.as.ts` has the same number. */
const WEIGHTS_PER_PIECE = 8192;

/** Bins of a histogram, one word each. */
export function magnitudeBins({ digit }: MagnitudeHistogramSource): number {
  return digit === "high" ? 2 ** 15 : 2 ** 16;
}

/**
 * Counts of magnitudes, for finding the k-th smallest of any number of weights exactly. A magnitude is an element's own bits
 * without the sign, so infinity and NaN lie above all others. `high`: the 15 magnitude bits of bf16 and f16, all there are;
 * the upper 15 of f32's 31. `low`, f32 alone: the lower 16 bits of those weights whose upper bits are `prefix`.
 *
 * `weights` [elements] → `counts` [32768] or [65536], unsigned, added to: the caller zeroes them and may run many tiles.
 */
export const magnitudeHistogram: Kernel<MagnitudeHistogramSource, MagnitudeHistogramShape> = {
  name: "stats/magnitude_histogram",
  wgsl: shaderSource("stats/magnitude_histogram"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "counts", access: "write" },
  ],
  isExact: true,
  constants: ({ element, digit }) => ({ ELEMENT: ELEMENT_CODES[element], DIGIT: digit === "low" ? 1 : 0 }),
  uniforms: ({ elements, prefix }) => [elements, prefix],
  invocations: (_source, { elements }) => Math.ceil(elements / WEIGHTS_PER_INVOCATION),
  wasm: (_source, { elements }) => [{ name: "magnitude_histogram", pieces: Math.ceil(elements / WEIGHTS_PER_PIECE) }],
  oracle: magnitudeHistogramOracle,
};

/**
 * The bin in which the k-th smallest lies.
 * @param k from 1 to the sum of all counts
 * @returns the bin, and how many lie in those below it: the k-th smallest of all is the (k − below)-th smallest of the bin
 * @throws RangeError where there is no k-th
 */
export function kthBin(counts: ArrayLike<number>, k: number): { readonly bin: number; readonly below: number } {
  let below = 0;
  for (let bin = 0; k >= 1 && bin < counts.length; bin++) {
    const count = counts[bin] ?? 0;
    if (below + count >= k) return { bin, below };
    below += count;
  }
  throw new RangeError(`there is no ${k}-th of ${below} weights`);
}
