// The integer code of a weight under a scale and a zero point, exactly as the named arithmetic gives it.
// Needs lib/elements.wgsl and lib/rounding.wgsl.
//
//   quotient = weight / scale, rounded to PRECISION bits
//   sum      = quotient + zero point, rounded to PRECISION bits
//   code     = sum rounded to an integer, ties to even
//
// PRECISION is that of the weights' own format under eager (8, 11, 24 bits) and 24 under triton. The exact path does all of
// this on integers. The usual path computes in float32, whose division may be 2.5 ulp off in WGSL and a product with a
// reciprocal about 4, and says where that could matter to a code that is not cut off (quotients below 2^BITS):
//  - PRECISION 8: nowhere. A quotient of two mantissas of 8 bits is at least 2^-17 (relative) away from a tie of 8 bits, so
//    that rounding on the bits removes the error. What follows is exact.
//  - PRECISION 11: where the 13 bits to be dropped are within 8 of a tie, and the step of 11 bits that they decide, with the
//    roundings after it less than 2^(BITS-10), can carry the sum over a tie of the integers.
//  - PRECISION 24: where the sum is within 2^(BITS-20) of a tie of the integers: it is less than that off.
// Kernels take the usual path for eight weights at a time and the exact one for the doubtful few afterwards: software adapters
// run both sides of a branch. They are also why nothing here is rounded by round() or clamped by clamp(), and hardly anything
// shifted: what their four lanes have no instruction for costs them thirty times a product.

override PRECISION: u32 = 8u;

// What a code beyond either end of any range stands for before it is clamped.
const BEYOND: i32 = 1024;

// How near to a tie of the integers a sum is doubtful.
fn margin_of(bits: u32) -> f32 {
  return bitcast<f32>((bits + 127u - select(20u, 10u, PRECISION == 11u)) << 23u);
}

// Codes before they are clamped, plus WHOLE_BITS, and which of them only the exact path can tell.
struct UsualCodes {
  marked: vec4<i32>,
  doubtful: vec4<bool>,
}

// Of weights under usual scales, by their reciprocals. Without zero points half of the steps are saved.
fn usual_codes(
  weights: vec4<f32>,
  inverses: vec4<f32>,
  zero_points: vec4<f32>,
  margin: f32,
  has_zero_points: bool,
) -> UsualCodes {
  let quotients = weights * inverses;
  var sums = quotients;
  if (PRECISION == 8u) {
    sums = bitcast<vec4<f32>>((bitcast<vec4<u32>>(quotients) + 0x8000u) & vec4<u32>(0xffff0000u));
  } else if (PRECISION == 11u) {
    sums = rounded_fractions(quotients, 13u);
  }
  if (has_zero_points) {
    sums += zero_points;
    if (PRECISION < 24u) {
      sums = rounded_fractions(sums, 24u - PRECISION);
    }
  }
  var doubtful = vec4<bool>(false);
  if (PRECISION > 8u) {
    doubtful = abs(sums - floor(sums) - 0.5) <= vec4<f32>(margin);
    if (PRECISION == 11u) {
      let dropped = bitcast<vec4<u32>>(quotients) & vec4<u32>(0x1fffu);
      doubtful = doubtful & (dropped - 0xff8u <= vec4<u32>(16u));
    }
  }
  return UsualCodes(bitcast<vec4<i32>>(sums + WHOLE), doubtful);
}

// A bit for each that is true of eight, in the order in which they lie.
fn places_of_eight(even: vec4<bool>, odd: vec4<bool>) -> u32 {
  let places = select(vec4<u32>(0u), vec4<u32>(1u, 4u, 16u, 64u), even) |
    select(vec4<u32>(0u), vec4<u32>(2u, 8u, 32u, 128u), odd);
  return places.x | places.y | places.z | places.w;
}

// What codes range over, plus WHOLE_BITS.
fn marked_low(bits: u32) -> i32 {
  return WHOLE_BITS - (1 << (bits - 1u));
}

fn marked_high(bits: u32) -> i32 {
  return WHOLE_BITS + (1 << (bits - 1u)) - 1;
}

// The code before it is clamped, for any weight, scale (positive, infinite or NaN) and zero point.
// A result that is not a number has code 0, as torch's cast on x86 gives.
fn exact_code(weight: u32, scale: u32, zero_point: i32) -> i32 {
  let magnitude = weight & ~SIGN;
  let is_negative = (weight & SIGN) != 0u;
  if (scale > INFINITY || magnitude > INFINITY || (scale == INFINITY && magnitude == INFINITY)) {
    return 0;
  }
  if (scale == INFINITY || magnitude == 0u) {
    return zero_point;
  }
  if (magnitude == INFINITY) {
    return select(BEYOND, -BEYOND, is_negative);
  }
  let x = parts_of(magnitude);
  let s = parts_of(scale);
  let quotient = quotient_of(x.mantissa, s.mantissa);
  let length = 32u - countLeadingZeros(quotient.bits);
  let exponent = x.exponent - s.exponent - 30;
  let leading = exponent + i32(length) - 1; // the quotient is in [2^leading, 2^(leading + 1))
  if (leading >= 9) {
    return select(BEYOND, -BEYOND, is_negative);
  }
  // Less than 1/8 changes no code, since every zero point survives the rounding of the sum.
  if (leading < -3) {
    return zero_point;
  }
  let dropped = length - PRECISION;
  let kept = without_low_bits(quotient.bits, dropped, quotient.is_inexact);
  // As whole + fraction * 2^-26: nothing is lost, since the lowest of 24 bits is worth 2^-26 at the least.
  let shift = u32(exponent + i32(dropped) + 26);
  let fraction_mask = (1u << 26u) - 1u;
  var fraction = (kept << shift) & fraction_mask;
  var whole = i32(select(kept >> (26u - min(shift, 26u)), kept << (max(shift, 26u) - 26u), shift >= 26u));
  if (is_negative) {
    whole = -whole - select(0, 1, fraction != 0u);
    fraction = (0u - fraction) & fraction_mask;
  }
  return nearest_whole(whole + zero_point, fraction);
}

// whole + fraction * 2^-26, rounded to PRECISION bits and then to an integer.
fn nearest_whole(whole: i32, fraction: u32) -> i32 {
  let is_negative = whole < 0;
  let fraction_mask = (1u << 26u) - 1u;
  var rest = select(fraction, (0u - fraction) & fraction_mask, is_negative);
  var magnitude = u32(select(whole, -whole - select(0, 1, fraction != 0u), is_negative));
  // Bits of the fraction beyond the precision: more, the more bits the whole part has.
  let whole_bits = 32u - countLeadingZeros(magnitude);
  let leading_zeros = select(0u, countLeadingZeros(rest) - 6u, magnitude == 0u && rest != 0u);
  let dropped = i32(26u + whole_bits) - i32(PRECISION + leading_zeros);
  if (dropped > 0 && dropped <= 26) {
    let unit = 1u << u32(dropped);
    let low = rest & (unit - 1u);
    let odd = select((rest >> u32(dropped)) & 1u, magnitude & 1u, dropped == 26);
    rest -= low;
    if (low > unit / 2u || (low == unit / 2u && odd == 1u)) {
      rest += unit;
    }
    magnitude += rest >> 26u;
    rest &= fraction_mask;
  }
  let half = 1u << 25u;
  if (rest > half || (rest == half && (magnitude & 1u) == 1u)) {
    magnitude += 1u;
  }
  return select(i32(magnitude), -i32(magnitude), is_negative);
}
