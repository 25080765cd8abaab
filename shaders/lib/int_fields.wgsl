// What is stored for weights: their codes as fields of STORED_BITS. Needs lib/elements.wgsl, lib/weights.wgsl,
// lib/rounding.wgsl, lib/int_code.wgsl and the bindings `scales` and `zero_points`, arrays of u32.
// OFFSET is added to each code before packing: 2^(BITS-1) for pack-quantized, 0 for int-quantized (two's complement).

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;
override STORED_BITS: u32 = 4u;
override OFFSET: u32 = 8u;

fn zero_point_at(group: u32) -> f32 {
  var zero_point = 0.0;
  if (!SYMMETRIC) {
    zero_point = signed_byte(zero_points[group >> 2u], group);
  }
  return zero_point;
}

fn scale_at(group: u32) -> u32 {
  return element_bits(scales[element_word(group)], group);
}

fn field_of(code: i32) -> u32 {
  let limit = 1 << (BITS - 1u);
  return u32(clamp(code, -limit, limit - 1) + i32(OFFSET)) & ((1u << STORED_BITS) - 1u);
}

// What is stored for codes before they are clamped, plus WHOLE_BITS, whose lower half is zero.
fn fields_of(marked: vec4<i32>) -> vec4<u32> {
  let kept = min(max(marked, vec4<i32>(marked_low(BITS))), vec4<i32>(marked_high(BITS)));
  return (bitcast<vec4<u32>>(kept) + OFFSET) & vec4<u32>((1u << STORED_BITS) - 1u);
}

// The fields of the eight weights from `index` on, and which of them only the exact path can tell.
struct EightFields {
  fields: vec2<u32>,
  doubtful_even: vec4<bool>,
  doubtful_odd: vec4<bool>,
}

fn eight_fields(index: u32, inverse: f32, zero_point: f32) -> EightFields {
  let eight = eight_weights(index);
  let inverses = vec4<f32>(inverse);
  let points = vec4<f32>(zero_point);
  let even = usual_codes(eight.even, inverses, points, margin_of(BITS), !SYMMETRIC);
  let odd = usual_codes(eight.odd, inverses, points, margin_of(BITS), !SYMMETRIC);
  let pairs = fields_of(even.marked) + fields_of(odd.marked) * (1u << STORED_BITS);
  let fields = pairs.xz + pairs.yw * (1u << (2u * STORED_BITS));
  return EightFields(fields, even.doubtful, odd.doubtful);
}
