// Scale and zero point of a group, exactly, from its largest magnitudes on either side of zero: the rule is at the head of
// quant/int_qparams.wgsl. Needs lib/elements.wgsl and lib/rounding.wgsl.

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;

struct Params {
  scale: u32, // float32 bits
  zero_point: i32,
}

// The number of steps, 2^BITS - 1, as 24 bits: steps = STEPS * 2^(BITS - 24).
fn steps_mantissa() -> u32 {
  return ((1u << BITS) - 1u) << (24u - BITS);
}

// A magnitude divided by the number of steps, or by half of it, rounded to the format.
fn divided(magnitude: u32, half_steps: i32) -> u32 {
  if (magnitude >= INFINITY) {
    return select(INFINITY, NAN, magnitude > INFINITY);
  }
  if (magnitude == 0u) {
    return 0u;
  }
  let top = parts_of(magnitude);
  let quotient = quotient_of(top.mantissa, steps_mantissa());
  return rounded_to_element(quotient.bits, top.exponent + half_steps + 24 - i32(BITS) - 30, quotient.is_inexact);
}

// The sum of two magnitudes, rounded to the format.
fn sum_of(a: u32, b: u32) -> u32 {
  let larger = max(a, b);
  let smaller = min(a, b);
  if (larger >= INFINITY) {
    return select(INFINITY, NAN, larger > INFINITY);
  }
  if (smaller == 0u) {
    return larger;
  }
  let x = parts_of(larger);
  let y = parts_of(smaller);
  let distance = min(u32(x.exponent - y.exponent), 31u);
  let addend = y.mantissa << 6u;
  let is_inexact = (addend & ((1u << distance) - 1u)) != 0u;
  return rounded_to_element((x.mantissa << 6u) + (addend >> distance), x.exponent - 6, is_inexact);
}

// The zero point of a group from its largest negative magnitude and its scale, which may be 0.
fn zero_point_of(negative: u32, scale: u32) -> i32 {
  let lowest = -(1 << (BITS - 1u));
  if (scale > INFINITY || (scale == INFINITY && negative == INFINITY) || (scale == 0u && negative == 0u)) {
    return 0;
  }
  if (scale == 0u) {
    return -lowest - 1;
  }
  if (scale == INFINITY || negative == 0u) {
    return lowest;
  }
  let top = parts_of(negative);
  let bottom = parts_of(scale);
  let quotient = quotient_of(top.mantissa, bottom.mantissa);
  let length = 32u - countLeadingZeros(quotient.bits);
  let exponent = top.exponent - bottom.exponent - 30;
  let leading = exponent + i32(length) - 1;
  if (leading >= i32(BITS)) {
    return -lowest - 1;
  }
  if (leading < -3) {
    return lowest;
  }
  var kept_bits = 24u;
  if (ELEMENT == BF16) {
    kept_bits = 8u;
  } else if (ELEMENT == F16) {
    kept_bits = 11u;
  }
  let dropped = length - kept_bits;
  let ratio = without_low_bits(quotient.bits, dropped, quotient.is_inexact);
  // In units of 2^-(31 - BITS): fine enough for every bit that can decide, with one flag for the rest.
  let shift = exponent + i32(dropped) + 31 - i32(BITS);
  var fixed = shifted_left(ratio, shift);
  var is_inexact = shift < 0 && (ratio & ((1u << u32(max(-shift, 0))) - 1u)) != 0u;
  let unit = 31u - BITS;
  let offset = (1u << (BITS - 1u)) << unit;
  let is_negative = fixed < offset;
  var magnitude = select(fixed - offset, offset - fixed - select(0u, 1u, is_inexact), is_negative);
  if (magnitude == 0u) {
    return 0;
  }
  let magnitude_length = 32u - countLeadingZeros(magnitude);
  if (magnitude_length > kept_bits) {
    let low = magnitude_length - kept_bits;
    magnitude = without_low_bits(magnitude, low, is_inexact) << low;
    is_inexact = false;
  }
  let whole = i32(without_low_bits(magnitude, unit, is_inexact));
  return min(select(whole, -whole, is_negative), -lowest - 1);
}

fn epsilon() -> u32 {
  if (ELEMENT == BF16) {
    return 0x3c000000u; // 2^-7
  }
  return select(0x34000000u, 0x3a800000u, ELEMENT == F16); // 2^-23, 2^-10
}

// The scale may be 0: then it is to be the format's epsilon.
fn plain_params(positive: u32, negative: u32) -> Params {
  var params = Params(0u, 0);
  if (SYMMETRIC) {
    params.scale = divided(max(positive, negative), 1);
  } else {
    params.scale = divided(sum_of(positive, negative), 0);
    params.zero_point = zero_point_of(negative, params.scale);
  }
  return params;
}
