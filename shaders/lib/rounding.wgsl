// Exact steps on the bits of floats. Needs lib/elements.wgsl.

// A finite magnitude other than zero as mantissa * 2^exponent, the mantissa of exactly 24 bits: subnormals are shifted up.
struct Parts {
  mantissa: u32,
  exponent: i32,
}

fn parts_of(magnitude: u32) -> Parts {
  let biased = magnitude >> 23u;
  if (biased != 0u) {
    return Parts(0x800000u | (magnitude & 0x7fffffu), i32(biased) - 150);
  }
  let shift = countLeadingZeros(magnitude) - 8u;
  return Parts(magnitude << shift, -149 - i32(shift));
}

// Added to a float32 below 2^22 this leaves the nearest whole number, ties to even, in the low bits of the sum: they are
// WHOLE_BITS and that number. The sum is only read as bits, so that no compiler can take the addition back. Larger numbers
// and infinities stay beyond, since bits order as floats do.
const WHOLE: f32 = 12582912.0;
const WHOLE_BITS: i32 = 0x4b400000;

// floor(top * 2^30 / bottom) of two mantissas of 24 bits, which has 30 or 31 bits, and whether something was left over.
struct Quotient {
  bits: u32,
  is_inexact: bool,
}

// A few digits of a division, and what is left over.
struct Digits {
  digits: u32,
  rest: u32,
}

// rest * base / bottom for rest < bottom < 2^24 and base up to 2^8. Software adapters divide whole numbers lane by lane; the
// float is at most one off, and what is left over tells.
fn digits_of(rest: u32, base: u32, bottom: u32, inverse: f32) -> Digits {
  let guess = bitcast<u32>(f32(rest) * f32(base) * inverse + WHOLE) - u32(WHOLE_BITS);
  let left = i32(rest * base - guess * bottom);
  let step = select(select(0, 1, left >= i32(bottom)), -1, left < 0);
  return Digits(guess + u32(step), u32(left - step * i32(bottom)));
}

fn quotient_of(top: u32, bottom: u32) -> Quotient {
  let inverse = 1.0 / f32(bottom);
  let whole = select(0u, 1u, top >= bottom);
  let a = digits_of(top - whole * bottom, 256u, bottom, inverse);
  let b = digits_of(a.rest, 256u, bottom, inverse);
  let c = digits_of(b.rest, 256u, bottom, inverse);
  let d = digits_of(c.rest, 64u, bottom, inverse);
  let bits = (((whole * 256u + a.digits) * 256u + b.digits) * 256u + c.digits) * 64u + d.digits;
  return Quotient(bits, d.rest != 0u);
}

// `bits` without its lowest `dropped` (0 to 31), rounded to nearest, ties to even. `is_inexact`: a little more than `bits`.
fn without_low_bits(bits: u32, dropped: u32, is_inexact: bool) -> u32 {
  if (dropped == 0u) {
    return bits;
  }
  let kept = bits >> dropped;
  let rest = bits & ((1u << dropped) - 1u);
  let half = 1u << (dropped - 1u);
  let is_up = rest > half || (rest == half && (is_inexact || (kept & 1u) == 1u));
  return kept + select(0u, 1u, is_up);
}

// mantissa * 2^exponent, or a little more where it is inexact, rounded to the element's format: as float32 bits. The mantissa
// is not zero; where it is inexact it has at least 26 bits and at most 31.
fn rounded_to_element(mantissa: u32, exponent: i32, is_inexact: bool) -> u32 {
  var kept_bits = 24;
  var lowest = -149; // exponent of the smallest subnormal
  var beyond = 128; // exponent of the smallest power of two that is too large
  if (ELEMENT == BF16) {
    kept_bits = 8;
    lowest = -133;
  } else if (ELEMENT == F16) {
    kept_bits = 11;
    lowest = -24;
    beyond = 16;
  }
  let length = 32 - i32(countLeadingZeros(mantissa));
  let dropped = max(max(length - kept_bits, lowest - exponent), 0);
  if (dropped > 31) {
    return 0u;
  }
  let kept = without_low_bits(mantissa, u32(dropped), is_inexact);
  if (kept == 0u) {
    return 0u;
  }
  let unit = exponent + dropped;
  let kept_length = 32 - i32(countLeadingZeros(kept));
  let leading = unit + kept_length - 1;
  if (leading >= beyond) {
    return INFINITY;
  }
  if (leading < -126) {
    return kept << u32(unit + 149);
  }
  return (u32(leading + 127) << 23u) + (shifted_left(kept, 24 - kept_length) & 0x7fffffu);
}

// A float32 magnitude of the shader's own making as bits: kept bits moved to 24 bits; those of a power of two may be 25.
fn shifted_left(bits: u32, by: i32) -> u32 {
  if (by >= 0) {
    return bits << u32(by);
  }
  return bits >> u32(-by);
}

// Float32 of either sign, rounded to nearest, ties to even, with `dropped` (1 or more) fraction bits fewer.
fn rounded_fractions(values: vec4<f32>, dropped: u32) -> vec4<f32> {
  let unit = 1u << dropped;
  let bits = bitcast<vec4<u32>>(values);
  let is_odd = (bits & vec4<u32>(unit)) != vec4<u32>(0u);
  let half = select(vec4<u32>((unit >> 1u) - 1u), vec4<u32>(unit >> 1u), is_odd);
  return bitcast<vec4<f32>>((bits + half) & vec4<u32>(~(unit - 1u)));
}

// value * 2^exponent, exact, as a float32; 0 where the result would be subnormal. The value is in [1, 2^32).
fn scaled(value: f32, exponent: i32) -> f32 {
  if (exponent < -126) {
    return 0.0;
  }
  return value * bitcast<f32>(u32(exponent + 127) << 23u);
}

// A scale whose products with codes and quotients with weights stay far from the ends of float32. Weights that are subnormal
// beside it have the code of zero and an error too small for float32, whether the adapter flushes them or not.
fn is_usual(magnitude: u32) -> bool {
  let biased = magnitude >> 23u;
  return biased >= 32u && biased <= 222u;
}
