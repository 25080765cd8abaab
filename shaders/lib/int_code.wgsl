// The integer code of a bf16 weight under a bf16 scale, exactly as the named arithmetic gives it.
//
// The quotient is computed in float32, a few ulp off (a WGSL division may be 2.5, a product with a reciprocal 4), and then
// rounded on its bits with DROPPED_BITS fraction bits fewer, which removes that error:
//  - eager, 16: torch rounds the quotient to bf16. A quotient of two 8-bit mantissas is never a tie of bf16, and at least
//    2^-17 (relative) away from one.
//  - triton, 6: the kernel rounds the float32 quotient straight to an integer. That differs from rounding the true
//    quotient nowhere, since the two are on the same side of every k + 1/2: the true quotient is either exactly there or
//    at least 2^-16 (relative) away, so 17 fraction bits decide.
// The self-test runs all 16,384 pairs of mantissas on the adapter in use.

override BITS: u32 = 4u;
override DROPPED_BITS: u32 = 16u;

// For a usual scale, without a branch: the code as a float, from a weight and 1 / scale in the same unit.
fn usual_code(weight: f32, inverse: f32) -> f32 {
  let quotient = bitcast<f32>(round_fraction(bitcast<u32>(weight * inverse), DROPPED_BITS));
  let limit = f32(1u << (BITS - 1u));
  return clamp(round(quotient), -limit, limit - 1.0);
}

// For any scale: code from -2^(BITS-1) to 2^(BITS-1)-1. A weight or scale that is not finite has code 0, as torch's cast
// on x86 gives.
fn any_code(weight: u32, scale: u32) -> i32 {
  let magnitude = weight & 0x7fffu;
  if (magnitude == 0u || magnitude >= BF16_INFINITY || scale >= BF16_INFINITY) {
    return 0;
  }
  let x = bf16_parts(magnitude);
  let s = bf16_parts(scale);
  let negative = (weight & 0x8000u) != 0u;
  let limit = select((1 << (BITS - 1u)) - 1, 1 << (BITS - 1u), negative);
  let exponent = x.exponent - s.exponent;
  if (exponent > 8) {
    return select(limit, -limit, negative);
  }
  if (exponent < -8) {
    return 0;
  }
  let quotient = bitcast<f32>(round_fraction(bitcast<u32>(f32(x.mantissa) / f32(s.mantissa)), DROPPED_BITS));
  let rounded = min(i32(round(scaled(quotient, exponent))), limit);
  return select(rounded, -rounded, negative);
}
