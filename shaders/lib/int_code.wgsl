// The integer code of a weight under a scale and a zero point, exactly as the named arithmetic gives it.
// Needs lib/elements.wgsl and lib/rounding.wgsl.
//
//   quotient = weight / scale, rounded to PRECISION bits
//   sum      = quotient + zero point, rounded to PRECISION bits
//   code     = sum rounded to an integer, ties to even
//
// PRECISION is that of the weights' own format under eager (8, 11, 24 bits) and 24 under triton. The exact path does all of
// this on integers. The usual path computes in float32, whose division may be 2.5 ulp off in WGSL and a product with a
// reciprocal about 4, and says where that could matter:
//  - PRECISION 8: nowhere. A quotient of two mantissas of 8 bits is at least 2^-17 (relative) away from a tie of 8 bits, so
//    that rounding on the bits removes the error. What follows is exact or too small to reach a tie of the integers.
//  - PRECISION 11: where the 13 bits to be dropped are within 8 of a tie.
//  - PRECISION 24: where the sum is within 2^-11 of a tie of the integers: quotients below 2^9 are less than 2^-12 off.
// Kernels take the usual path for all weights of a block first and the exact one for the doubtful few afterwards: software
// adapters run both sides of a branch, and the body of a loop once at least, for every weight that comes by.

override PRECISION: u32 = 8u;

// What a code beyond either end of any range stands for before it is clamped.
const BEYOND: i32 = 1024;

// A usual scale, ready to divide by: unit = 2^-exponent, scale in [1, 2).
struct Divisor {
  unit: f32,
  inverse: f32,
  scale: f32,
  zero_point: f32,
}

fn divisor_of(scale: u32, zero_point: i32) -> Divisor {
  let unit = bitcast<f32>((254u - (scale >> 23u)) << 23u);
  let s = bitcast<f32>(scale) * unit;
  return Divisor(unit, 1.0 / s, s, f32(zero_point));
}

// The code before it is clamped, as a whole float, and whether only the exact path can tell.
struct UsualCode {
  code: f32,
  is_doubtful: bool,
}

// For a usual scale.
fn usual_code(weight: u32, divisor: Divisor) -> UsualCode {
  let quotient = bitcast<f32>(weight) * divisor.unit * divisor.inverse;
  var sum = quotient + divisor.zero_point;
  var is_doubtful = false;
  if (PRECISION < 24u) {
    let dropped = 24u - PRECISION;
    let bits = bitcast<u32>(quotient);
    let tie = 1u << (dropped - 1u);
    is_doubtful = PRECISION > 8u && (bits & (2u * tie - 1u)) - (tie - 8u) <= 16u;
    sum = bitcast<f32>(round_fraction(bits, dropped)) + divisor.zero_point;
    sum = bitcast<f32>(round_fraction(bitcast<u32>(sum), dropped));
  }
  let code = round(sum);
  if (PRECISION == 24u) {
    is_doubtful = abs(sum - code) > 0.49951171875;
  }
  return UsualCode(code, is_doubtful);
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
