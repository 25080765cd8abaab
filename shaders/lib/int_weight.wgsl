// The weight that a code stands for. Needs lib/elements.wgsl and lib/rounding.wgsl.

// level * scale for a whole number of at most 8 bits and any scale, rounded to the element's format, as float32 bits. Level
// 0 of a finite scale is +0.
fn weight_of(level: i32, scale: u32) -> u32 {
  if (scale > INFINITY || (scale == INFINITY && level == 0)) {
    return NAN;
  }
  if (level == 0) {
    return 0u;
  }
  let sign = select(0u, SIGN, level < 0);
  if (scale == INFINITY) {
    return sign | INFINITY;
  }
  let parts = parts_of(scale);
  return sign | rounded_to_element(u32(abs(level)) * parts.mantissa, parts.exponent, false);
}
