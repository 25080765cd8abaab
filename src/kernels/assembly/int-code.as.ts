import { F32, rounded } from "./elements.as";

// The integer code of a weight, as `quant/int_code.oracle.ts` tells it.
//
// Division of WebAssembly is exact, so that the usual path differs from the plain one only in what it leaves out: it takes
// scales and weights from which no quotient or product leaves the normal numbers of float32, and rounds their fractions on
// the bits. Under 8 bits of precision a product with the reciprocal does as well as a quotient: it is less than 2^-22 off,
// while two mantissas of 8 bits never have a quotient within 2^-17 of a tie of 8 bits.

/** A scale whose products with codes and quotients with weights stay normal: 2^-95 to 2^95. */
@inline
export function isUsual(scale: f32): bool {
  const biased = reinterpret<u32>(scale) >> 23;
  return biased >= 32 && biased <= 222;
}

/** The same of four scales: all bits of a lane, or none. */
@inline
export function usualScales(scales: v128): v128 {
  return i32x4.le_u(i32x4.sub(i32x4.shr_u(scales, 23), i32x4.splat(32)), i32x4.splat(190));
}

/** The format whose precision a quotient keeps. */
@inline
export function quotientElement(element: u32, precision: u32): u32 {
  return precision == 24 ? F32 : element;
}

/** Before it is clamped to the range; NaN becomes 0. */
export function plainCode(weight: f32, scale: f32, zeroPoint: f32, lowest: f32, highest: f32, quotient: u32): f32 {
  const sum = rounded(rounded(weight / scale, quotient) + zeroPoint, quotient);
  if (sum != sum) return 0;
  return nearest<f32>(min<f32>(max<f32>(sum, 2 * lowest), 2 * highest + 1));
}

@inline
export function clamped(code: f32, lowest: f32, highest: f32): f32 {
  return min<f32>(max<f32>(code, lowest), highest);
}

/** A signed byte of zero points, or 0. */
@inline
export function zeroPointAt(zeroPoints: usize, place: u32, symmetric: u32): f32 {
  return symmetric ? 0 : <f32>load<i8>(zeroPoints + place);
}

/**
 * Four float32 with `dropped` (16 or 13) fraction bits fewer, ties to even: Veltkamp's splitting, in three steps. Values are
 * normal and below 2^110. That it breaks ties to even is no theorem, but so for every mantissa: `int-code.test.ts`.
 */
@inline
export function roundedFractions(values: v128, dropped: i32): v128 {
  const split = f32x4.mul(values, f32x4.splat(<f32>((1 << dropped) + 1)));
  return f32x4.sub(split, f32x4.sub(split, values));
}

/**
 * Sums of quotients and zero point of four weights under a usual scale, rounded to `precision` bits.
 * @param divisor the scale; its reciprocal under 8 bits
 */
@inline
export function quotientSums(weights: v128, divisor: v128, zeroPoints: v128, precision: u32, symmetric: bool): v128 {
  let sums: v128;
  if (precision == 8) sums = roundedFractions(f32x4.mul(weights, divisor), 16);
  else {
    sums = f32x4.div(weights, divisor);
    if (precision == 11) sums = roundedFractions(sums, 13);
  }
  if (!symmetric) {
    sums = f32x4.add(sums, zeroPoints);
    if (precision == 8) sums = roundedFractions(sums, 16);
    else if (precision == 11) sums = roundedFractions(sums, 13);
  }
  return sums;
}

/** What `quotientSums` takes for a scale. */
@inline
export function divisorOf(scale: f32, precision: u32): f32 {
  return precision == 8 ? <f32>1 / scale : scale;
}
