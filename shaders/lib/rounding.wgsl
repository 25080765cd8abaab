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

// floor(top * 2^30 / bottom) of two mantissas of 24 bits, which has 30 or 31 bits, and whether something was left over.
struct Quotient {
  bits: u32,
  is_inexact: bool,
}

fn quotient_of(top: u32, bottom: u32) -> Quotient {
  var bits = top / bottom;
  var rest = (top % bottom) << 8u;
  for (var step = 0u; step < 3u; step += 1u) {
    bits = (bits << 8u) | (rest / bottom);
    rest = (rest % bottom) << 8u;
  }
  rest >>= 2u;
  return Quotient((bits << 6u) | (rest / bottom), rest % bottom != 0u);
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

// `bits` of a float32 of either sign, rounded to nearest, ties to even, with `dropped` (1 or more) fraction bits fewer.
fn round_fraction(bits: u32, dropped: u32) -> u32 {
  let unit = 1u << dropped;
  let odd = (bits >> dropped) & 1u;
  return (bits + (unit >> 1u) - 1u + odd) & ~(unit - 1u);
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
