// Codes of integer quantization, packed densely.
//   weights      elements of a format: streams * stream_length of them
//   scales       elements of the same format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   codes        STORED_BITS to a code, element 0 of a stream in the lowest bits of its first word, codes running on across
//                words; each stream begins in a word of its own and its last word is padded with zero bits
//   dispatch     one invocation per block of 128 weights of a stream (4 * STORED_BITS words); no workgroup memory, no barrier
// OFFSET is added to each code before packing: 2^(BITS-1) for pack-quantized, 0 for int-quantized (two's complement).
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;
override STORED_BITS: u32 = 4u;
override OFFSET: u32 = 8u;

const BLOCK: u32 = 128u;

struct Shape {
  streams: u32,
  stream_length: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> codes: array<u32>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn zero_point_at(group: u32) -> i32 {
  if (SYMMETRIC) {
    return 0;
  }
  return i32(zero_points[group >> 2u] << (24u - 8u * (group & 3u))) >> 24u;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let blocks = (shape.stream_length + BLOCK - 1u) / BLOCK;
  let block = linear_index(id, workgroups);
  let stream = block / blocks;
  if (stream >= shape.streams) {
    return;
  }
  let start = (block % blocks) * BLOCK;
  let first = stream * shape.stream_length + start;
  let end = first + min(BLOCK, shape.stream_length - start);
  var place = stream * ((shape.stream_length * STORED_BITS + 31u) / 32u) + start * STORED_BITS / 32u;
  let limit = 1 << (BITS - 1u);
  let mask = (1u << STORED_BITS) - 1u;

  var word = 0u;
  var filled = 0u;
  var index = first;
  while (index < end) {
    let group = index / shape.group_size;
    let group_end = min((group + 1u) * shape.group_size, end);
    let scale = element_bits(scales[element_word(group)], group);
    let zero_point = zero_point_at(group);
    let has_divisor = is_usual(scale);
    let divisor = divisor_of(scale, zero_point);
    for (; index < group_end; index += 1u) {
      let weight = element_bits(weights[element_word(index)], index);
      var code: i32;
      if (has_divisor) {
        code = i32(usual_code(weight, scale, zero_point, divisor));
      } else {
        code = exact_code(weight, scale, zero_point);
      }
      let field = u32(clamp(code, -limit, limit - 1) + i32(OFFSET)) & mask;
      word |= field << filled;
      filled += STORED_BITS;
      if (filled >= 32u) {
        codes[place] = word;
        place += 1u;
        filled -= 32u;
        // The bits that did not fit; shifting by STORED_BITS leaves none where all did.
        word = field >> (STORED_BITS - filled);
      }
    }
  }
  if (filled > 0u) {
    codes[place] = word;
  }
}
