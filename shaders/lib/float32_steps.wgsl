// Single steps in float32, exact to the bit whatever the adapter rounds, flushes or assumes. Needs lib/elements.wgsl and
// lib/rounding.wgsl.

// mantissa * 2^exponent, or a little more where it is inexact, rounded to float32. The mantissa has 26 to 31 bits.
fn nearest_float32(mantissa: u32, exponent: i32, is_inexact: bool) -> u32 {
  let dropped = max(8 - i32(countLeadingZeros(mantissa)), -149 - exponent);
  var bits = 0u;
  if (dropped <= 31) {
    let biased = exponent + dropped + 149;
    // The leading bit, where there is one, adds one to the exponent.
    bits = without_low_bits(mantissa, u32(dropped), is_inexact) + (u32(min(biased, 254)) << 23u);
  }
  return min(bits, INFINITY);
}

// The magnitude of a product of two magnitudes.
fn exact_product(a: u32, b: u32) -> u32 {
  var bits = 0u;
  if (a > INFINITY || b > INFINITY || (max(a, b) == INFINITY && min(a, b) == 0u)) {
    bits = NAN;
  } else if (max(a, b) == INFINITY) {
    bits = INFINITY;
  } else if (min(a, b) != 0u) {
    let x = parts_of(a);
    let y = parts_of(b);
    // Halves of 12 bits: the product is (high * 2^12 + middle) * 2^12 and what is left of the lowest.
    let high = (x.mantissa >> 12u) * (y.mantissa >> 12u);
    let low = (x.mantissa & 0xfffu) * (y.mantissa & 0xfffu);
    let crossed = (x.mantissa >> 12u) * (y.mantissa & 0xfffu) + (x.mantissa & 0xfffu) * (y.mantissa >> 12u);
    let middle = crossed + (low >> 12u);
    let is_inexact = ((middle & 127u) | (low & 0xfffu)) != 0u;
    bits = nearest_float32(high * 32u + (middle >> 7u), x.exponent + y.exponent + 19, is_inexact);
  }
  return bits;
}
