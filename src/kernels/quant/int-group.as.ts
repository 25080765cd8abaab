import { BF16, F16, rounded, roundedF32x4 } from "../assembly/elements.as";
import { divisorOf, isUsual, quotientSums, roundedFractions } from "../assembly/int-code.as";

// Scale and zero point of one group, and what becomes of its weights under them in the eager arithmetic.

/** Before a scale of 0 becomes the format's epsilon. */
@inline
export function plainScale(positive: f32, negative: f32, element: u32, bits: u32, symmetric: u32): f32 {
  const steps = <f32>((1 << bits) - 1);
  if (symmetric) return rounded(max<f32>(positive, negative) / (steps / 2), element);
  return rounded(rounded(positive + negative, element) / steps, element);
}

/** From the scale before that; NaN becomes 0. */
@inline
export function plainZeroPoint(negative: f32, scale: f32, element: u32, bits: u32): f32 {
  const lowest = <f32>(-(1 << (bits - 1)));
  const highest = <f32>((1 << (bits - 1)) - 1);
  const shifted = rounded(lowest - rounded(-negative / scale, element), element);
  const point = nearest<f32>(min<f32>(max<f32>(shifted, lowest), highest));
  return point == point ? point : 0;
}

/** `torch.finfo(dtype).eps`. */
@inline
export function epsilonOf(element: u32): f32 {
  return element == BF16 ? 0.0078125 : element == F16 ? 0.0009765625 : 1.1920928955078125e-7;
}

// Of the group at hand.
let scales: v128 = i64x2.splat(0);
let divisors: v128 = i64x2.splat(0);
let points: v128 = i64x2.splat(0);
let low: v128 = i64x2.splat(0);
let high: v128 = i64x2.splat(0);

/** How the weights of a group are restored. */
export const NOT_FINITE: u32 = 0; // not at all: a weight or the scale is not finite
export const PLAIN: u32 = 1; // step by step
export const USUAL: u32 = 2; // no number leaves the normal ones of float32, nor its powers up to the third

/** Takes a group with such largest magnitudes on either side of zero. @returns which of the three `restoredFour` is told */
export function useGroup(positive: f32, negative: f32, element: u32, bits: u32, symmetric: u32): u32 {
  let scale = plainScale(positive, negative, element, bits, symmetric);
  const point: f32 = symmetric ? 0 : plainZeroPoint(negative, scale, element, bits);
  if (scale == 0) scale = epsilonOf(element);
  const largest = max<f32>(positive, negative);
  if (!(scale < Infinity) || !(largest < Infinity)) return NOT_FINITE;
  scales = f32x4.splat(scale);
  points = f32x4.splat(point);
  low = f32x4.splat(<f32>(-(1 << (bits - 1))));
  high = f32x4.splat(<f32>((1 << (bits - 1)) - 1));
  // No product is subnormal or infinite as an f16.
  const fits = element != F16 || (scale >= 6.103515625e-5 && scale < 256);
  const usual = fits && isUsual(scale) && largest < 1099511627776; // 2^40
  divisors = f32x4.splat(usual ? divisorOf(scale, precisionOf(element)) : scale);
  return usual ? USUAL : PLAIN;
}

/** Significant bits of a format. */
@inline
function precisionOf(element: u32): u32 {
  return element == BF16 ? 8 : element == F16 ? 11 : 24;
}

/** Four weights of the group, restored. */
@inline
export function restoredFour(weights: v128, element: u32, usual: bool): v128 {
  const own = points;
  let sums: v128;
  if (usual) sums = quotientSums(weights, divisors, own, precisionOf(element), false);
  else {
    const quotients = roundedF32x4(f32x4.div(weights, divisors), element);
    sums = roundedF32x4(f32x4.add(quotients, own), element);
  }
  const codes = f32x4.nearest(f32x4.pmin(high, f32x4.pmax(low, sums)));
  const values = f32x4.mul(f32x4.sub(codes, own), scales);
  if (!usual) return roundedF32x4(values, element);
  if (element == BF16) return roundedFractions(values, 16);
  if (element == F16) return roundedFractions(values, 13);
  return values;
}
