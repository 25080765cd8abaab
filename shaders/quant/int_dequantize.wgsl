// Weights that a packed integer matrix stands for: (code - zero point) * scale, rounded to the format of the scales.
//   codes        STORED_BITS to a code, stream by stream as quant/int_quantize packs them
//   scales       elements of a format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   weights      elements of the same format; the last half word is 0 when their number is odd
//   dispatch     one invocation per block of 128 weights; no workgroup memory, no barrier
// OFFSET is subtracted from each stored code; 0 means two's complement. Exact: the product of a whole number of at most 8
// bits and a mantissa is rounded on its bits.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_weight.wgsl

override SYMMETRIC: bool = true;
override STORED_BITS: u32 = 4u;
override OFFSET: u32 = 8u;

const BLOCK: u32 = 128u;

struct Shape {
  streams: u32,
  stream_length: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> codes: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> weights: array<u32>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn zero_point_at(group: u32) -> i32 {
  if (SYMMETRIC) {
    return 0;
  }
  return i32(zero_points[group >> 2u] << (24u - 8u * (group & 3u))) >> 24u;
}

fn scale_at(group: u32) -> u32 {
  return element_bits(scales[element_word(group)], group);
}

// Code `index` of the stream whose words begin at `place`.
fn code_at(place: u32, index: u32) -> i32 {
  let bit = index * STORED_BITS;
  let word = place + (bit >> 5u);
  let at = bit & 31u;
  var field = codes[word] >> at;
  if (32u % STORED_BITS != 0u) {
    // Where the field ends in its word the next one adds nothing that the mask keeps.
    field |= select(0u, codes[word + 1u] << ((32u - at) & 31u), at + STORED_BITS > 32u);
  }
  if (OFFSET != 0u) {
    return i32(field & ((1u << STORED_BITS) - 1u)) - i32(OFFSET);
  }
  return i32(field << (32u - STORED_BITS)) >> (32u - STORED_BITS);
}

// A word of weights is put together from one or two elements.
fn store(index: u32, raw: u32, half: ptr<function, u32>) {
  if (ELEMENT == F32) {
    weights[index] = raw;
  } else if ((index & 1u) == 1u) {
    weights[index >> 1u] = *half | (raw << 16u);
    *half = 0u;
  } else {
    *half = raw;
  }
}

// Weights from first to end under scales far from the ends of the format, or under any.
fn restore(first: u32, end: u32, is_exact: bool) {
  let stream_words = (shape.stream_length * STORED_BITS + 31u) / 32u;
  var half = 0u;
  var index = first;
  while (index < end) {
    let group = index / shape.group_size;
    let stream = index / shape.stream_length;
    let stream_first = stream * shape.stream_length;
    let piece_end = min(min((group + 1u) * shape.group_size, stream_first + shape.stream_length), end);
    let scale = scale_at(group);
    let zero_point = zero_point_at(group);
    let place = stream * stream_words;
    if (is_exact) {
      for (; index < piece_end; index += 1u) {
        store(index, narrowed(weight_of(code_at(place, index - stream_first) - zero_point, scale)), &half);
      }
    } else {
      for (; index < piece_end; index += 1u) {
        let level = f32(code_at(place, index - stream_first) - zero_point);
        store(index, round_fraction(bitcast<u32>(level * bitcast<f32>(scale)), 16u) >> 16u, &half);
      }
    }
  }
  if (ELEMENT != F32 && (end & 1u) == 1u) {
    weights[end >> 1u] = half;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let elements = shape.streams * shape.stream_length;
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= elements) {
    return;
  }
  let end = min(first + BLOCK, elements);
  // Of bf16 under a usual scale the product is exact and one rounding makes it an element. The other formats end far inside
  // float32, or where it does.
  var is_plain = ELEMENT == BF16;
  for (var group = first / shape.group_size; group * shape.group_size < end; group += 1u) {
    is_plain = is_plain && is_usual(scale_at(group));
  }
  if (is_plain) {
    restore(first, end, false);
  } else {
    restore(first, end, true);
  }
}
