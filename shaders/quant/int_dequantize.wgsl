// Weights that a packed integer matrix stands for: code * scale, rounded to bf16.
//   codes    32 / BITS codes to a word, element 0 in the lowest bits
//   scales   bf16, two to a word: one per group
//   weights  bf16, two to a word: groups * group_size elements; the last half word is 0 when their number is odd
//   dispatch one invocation per block of 128 weights; no workgroup memory, no barrier
// OFFSET is subtracted from each stored code; 0 means two's complement. Exact: the product of a code of at most 8 bits and
// a mantissa of 8 bits is an integer, rounded on its bits.
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl

override BITS: u32 = 4u;
override OFFSET: u32 = 8u;

const BLOCK: u32 = 128u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> codes: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> weights: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn code_of(field: u32) -> i32 {
  if (OFFSET != 0u) {
    return i32(field) - i32(OFFSET);
  }
  return i32(field << (32u - BITS)) >> (32u - BITS);
}

// For a scale whose products stay far from the ends of float32: the product is exact, and one rounding makes it bf16.
fn usual_weight(code: i32, scale: f32) -> u32 {
  return round_fraction(bitcast<u32>(f32(code) * scale), 16u) >> 16u;
}

// For any scale, on integers.
fn any_weight(code: i32, scale: u32) -> u32 {
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
  let bits = round_fraction(bitcast<u32>(f32(u32(abs(code)) * parts.mantissa)), 16u) >> 16u;
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
  let per_word = 32u / BITS;
  let mask = (1u << BITS) - 1u;
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + BLOCK, shape.elements);
  var group = first / shape.group_size;
  var next_group = (group + 1u) * shape.group_size;
  var scale = bf16_half(scales[group >> 1u], group);
  if (is_usual(scale) && end <= next_group && end - first == BLOCK) {
    let s = bf16_value(scale);
    for (var start = first; start < end; start += per_word) {
      var word = codes[start / per_word];
      for (var position = 0u; position < per_word; position += 2u) {
        let lower = usual_weight(code_of(word & mask), s);
        let upper = usual_weight(code_of((word >> BITS) & mask), s);
        weights[(start + position) >> 1u] = lower | (upper << 16u);
        word = (word >> BITS) >> BITS;
      }
    }
    return;
  }
  var pair = 0u;
  for (var index = first; index < end; index += 1u) {
    if (index == next_group) {
      group += 1u;
      next_group += shape.group_size;
      scale = bf16_half(scales[group >> 1u], group);
    }
    let word = codes[index / per_word];
    pair |= any_weight(code_of((word >> ((index % per_word) * BITS)) & mask), scale) << ((index & 1u) * 16u);
    if ((index & 1u) == 1u || index + 1u == end) {
      weights[index >> 1u] = pair;
      pair = 0u;
    }
  }
}
