// Weights quantized and restored at once, under the eager arithmetic. Needs lib/elements.wgsl, lib/rounding.wgsl,
// lib/int_code.wgsl, lib/int_weight.wgsl and lib/int_params.wgsl.

// A scale and a zero point, made ready for many weights.
struct Restorer {
  scale: u32, // float32 bits
  zero_point: i32,
  factor: f32,
  inverse: f32,
  is_usual: bool,
}

// Of a group with such largest magnitudes on either side of zero.
fn restorer_of(positive: u32, negative: u32) -> Restorer {
  let params = plain_params(positive, negative);
  let scale = select(params.scale, epsilon(), params.scale == 0u);
  var has_usual_products = is_usual(scale);
  if (ELEMENT == F16) {
    // 2^-14 to 2^7: no product is subnormal or infinite as an f16.
    has_usual_products = scale >= 0x38800000u && scale <= 0x43000000u;
  }
  let factor = bitcast<f32>(scale);
  return Restorer(scale, params.zero_point, factor, 1.0 / factor, has_usual_products);
}

// And which of four only the exact path can tell.
struct RestoredFour {
  values: vec4<f32>,
  doubtful: vec4<bool>,
}

// Under a usual scale. Products of levels with 16-bit scales are exact before they are rounded to the format.
fn restored_four(weights: vec4<f32>, by: Restorer) -> RestoredFour {
  let codes = usual_codes(weights, vec4<f32>(by.inverse), vec4<f32>(f32(by.zero_point)), margin_of(BITS), !SYMMETRIC);
  let kept = min(max(codes.marked, vec4<i32>(marked_low(BITS))), vec4<i32>(marked_high(BITS)));
  var values = vec4<f32>(kept - vec4<i32>(WHOLE_BITS + by.zero_point)) * by.factor;
  if (ELEMENT == BF16) {
    values = rounded_fractions(values, 16u);
  } else if (ELEMENT == F16) {
    values = rounded_fractions(values, 13u);
  }
  return RestoredFour(values, codes.doubtful);
}

// Any finite weight, as float32 bits, under any finite scale.
fn restored_one(weight: u32, by: Restorer) -> f32 {
  let limit = 1 << (BITS - 1u);
  let code = min(max(exact_code(weight, by.scale, by.zero_point), -limit), limit - 1);
  return bitcast<f32>(weight_of(code - by.zero_point, by.scale));
}

// A magnitude times a positive float32 that is not larger than 1: rounded to float32 and then to the element's format, as
// torch multiplies a tensor by a Python number.
fn shrunk(magnitude: u32, share: u32) -> u32 {
  if (magnitude == 0u || magnitude >= INFINITY) {
    return magnitude;
  }
  let x = parts_of(magnitude);
  let y = parts_of(share);
  // The product has 47 or 48 bits: its upper 31 at the most, and whether there are others.
  let low = (x.mantissa & 0xfffu) * (y.mantissa & 0xfffu);
  let middle = (x.mantissa & 0xfffu) * (y.mantissa >> 12u) + (x.mantissa >> 12u) * (y.mantissa & 0xfffu) + (low >> 12u);
  let rest = (middle & 0x1fu) | (low & 0xfffu);
  let bits = (x.mantissa >> 12u) * (y.mantissa >> 12u) * 128u + (middle >> 5u);
  let exponent = x.exponent + y.exponent + 17;
  let dropped = max(8 - i32(countLeadingZeros(bits)), -149 - exponent);
  if (dropped > 31) {
    return 0u;
  }
  let kept = without_low_bits(bits, u32(dropped), rest != 0u);
  if (kept == 0u) {
    return 0u;
  }
  return rounded_to_element(kept, exponent + dropped, false);
}
