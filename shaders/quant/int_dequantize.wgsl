// Weights that a packed integer matrix stands for: code * scale, rounded to bf16.
//   codes    32 / BITS codes to a word, element 0 in the lowest bits
//   scales   bf16, two to a word: one per group
//   weights  bf16, two to a word: groups * group_size elements; the last half word is 0 when their number is odd
//   dispatch one invocation per word of weights; no workgroup memory, no barrier
// OFFSET is subtracted from each stored code; 0 means two's complement. Exact: the product of a code of at most 8 bits and
// a mantissa of 8 bits is an integer, rounded on its bits.
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl

override BITS: u32 = 4u;
override OFFSET: u32 = 8u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> codes: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn code_at(index: u32) -> i32 {
  let per_word = 32u / BITS;
  let field = (codes[index / per_word] >> ((index % per_word) * BITS)) & ((1u << BITS) - 1u);
  if (OFFSET != 0u) {
    return i32(field) - i32(OFFSET);
  }
  return i32(field << (32u - BITS)) >> (32u - BITS);
}

fn weight_at(index: u32) -> u32 {
  let group = index / shape.group_size;
  let scale = bf16_half(scales[group >> 1u], group);
  let code = code_at(index);
  if (scale >= (32u << 7u) && scale < (223u << 7u)) {
    // The usual case: the product is exact and far from the ends of float32.
    return round_fraction(bitcast<u32>(f32(code) * bf16_value(scale)), 16u) >> 16u;
  }
  if (scale > BF16_INFINITY || (scale == BF16_INFINITY && code == 0)) {
    return BF16_NAN;
  }
  if (code == 0) {
    return 0u;
  }
  let sign = select(0u, 0x8000u, code < 0);
  if (scale == BF16_INFINITY) {
    return sign | BF16_INFINITY;
  }
  let parts = bf16_parts(scale);
  let product = f32(u32(abs(code)) * parts.mantissa);
  let bits = round_fraction(bitcast<u32>(product), 16u) >> 16u;
  let biased = i32(bits >> 7u) + parts.exponent;
  if (biased >= 255) {
    return sign | BF16_INFINITY;
  }
  if (biased >= 1) {
    return sign | (u32(biased) << 7u) | (bits & 0x7fu);
  }
  // A subnormal result comes from a subnormal scale only, of which it is a multiple: nothing is shifted out.
  return sign | ((128u | (bits & 0x7fu)) >> u32(1 - biased));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * 2u;
  if (first >= shape.elements) {
    return;
  }
  var word = weight_at(first);
  if (first + 1u < shape.elements) {
    word |= weight_at(first + 1u) << 16u;
  }
  weights[first >> 1u] = word;
}
