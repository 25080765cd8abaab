// Codes of symmetric integer quantization, packed into words.
//   weights  bf16, two to a word: groups * group_size elements
//   scales   bf16, two to a word: one per group
//   codes    32 / BITS codes to a word, element 0 in the lowest bits; the last word is padded with zero bits
//   dispatch one invocation per block of 128 weights; no workgroup memory, no barrier
// OFFSET is added to each code before packing: 2^(BITS-1) for pack-quantized, 0 for int-quantized (two's complement).
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl
// include: lib/int_code.wgsl

override OFFSET: u32 = 8u;

const BLOCK: u32 = 128u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn field(code: i32, position: u32) -> u32 {
  return (u32(code + i32(OFFSET)) & ((1u << BITS) - 1u)) << (position * BITS);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let per_word = 32u / BITS;
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + BLOCK, shape.elements);
  var group = first / shape.group_size;
  var next_group = (group + 1u) * shape.group_size;
  var scale = bf16_half(scales[group >> 1u], group);
  if (is_usual(scale) && end <= next_group && end - first == BLOCK) {
    let inverse = 1.0 / bf16_value(scale);
    for (var start = first; start < end; start += per_word) {
      var word = 0u;
      for (var position = 0u; position < per_word; position += 2u) {
        let pair = weights[(start + position) >> 1u];
        word |= field(i32(usual_code(bf16_value(pair), inverse)), position);
        word |= field(i32(usual_code(bf16_value(pair >> 16u), inverse)), position + 1u);
      }
      codes[start / per_word] = word;
    }
    return;
  }
  var word = 0u;
  for (var index = first; index < end; index += 1u) {
    if (index == next_group) {
      group += 1u;
      next_group += shape.group_size;
      scale = bf16_half(scales[group >> 1u], group);
    }
    let position = index % per_word;
    word |= field(any_code(bf16_half(weights[index >> 1u], index), scale), position);
    if (position == per_word - 1u || index + 1u == end) {
      codes[index / per_word] = word;
      word = 0u;
    }
  }
}
