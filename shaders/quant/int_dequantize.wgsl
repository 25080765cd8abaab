// Weights that a packed integer matrix stands for: (code - zero point) * scale, rounded to the format of the scales.
//   codes        STORED_BITS to a code, stream by stream as quant/int_quantize packs them
//   scales       elements of a format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   weights      elements of the same format; the last half word is 0 when their number is odd
//   dispatch     one invocation per block of 128 weights; no workgroup memory, no barrier
// OFFSET is subtracted from each stored code; 0 means two's complement. Exact: under scales far from the ends of the format
// products are computed in float32 and rounded on their bits, others on integers.
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
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<u32>>;
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

// Four fields of stored codes in the lowest bits of a word, where they lie within whole bytes or across two words.
fn four_fields(bit: u32) -> u32 {
  let word = bit >> 5u;
  let at = bit & 31u;
  var window = codes[word] >> at;
  if (32u % (4u * STORED_BITS) != 0u) {
    window |= select(0u, codes[word + 1u] << ((32u - at) & 31u), at + 4u * STORED_BITS > 32u);
  }
  return window;
}

// Fields at two places of words, as whole floats. Software adapters convert signed numbers faster.
fn unpacked(words: vec4<u32>, first: u32, second: u32) -> vec4<f32> {
  let mask = (1u << STORED_BITS) - 1u;
  let bits = words & vec4<u32>(mask << first, mask << second, mask << first, mask << second);
  let units = vec2<f32>(bitcast<f32>((127u - first) << 23u), bitcast<f32>((127u - second) << 23u));
  var numbers: vec4<f32>;
  if (STORED_BITS == 8u) {
    numbers = vec4<f32>(bits);
  } else {
    numbers = vec4<f32>(bitcast<vec4<i32>>(bits));
  }
  return numbers * units.xyxy;
}

// The eight codes at a bit of the codes, as stored or, in two's complement, plus 2^(STORED_BITS - 1).
fn eight_codes(bit: u32) -> Eight {
  var fields: vec2<u32>;
  if (STORED_BITS == 4u) {
    let word = codes[bit >> 5u];
    fields = vec2<u32>(word, word >> 16u);
  } else if (STORED_BITS == 8u) {
    fields = vec2<u32>(codes[bit >> 5u], codes[(bit >> 5u) + 1u]);
  } else {
    fields = vec2<u32>(four_fields(bit), four_fields(bit + 4u * STORED_BITS));
  }
  if (OFFSET == 0u) {
    let lowest_bits = 1u + (1u << STORED_BITS) + (1u << (2u * STORED_BITS)) + (1u << (3u * STORED_BITS));
    fields ^= vec2<u32>(lowest_bits << (STORED_BITS - 1u));
  }
  return Eight(unpacked(fields.xxyy, 0u, 2u * STORED_BITS), unpacked(fields.xxyy, STORED_BITS, 3u * STORED_BITS));
}

// WGSL leaves open to which neighbour a product is rounded. Two that lie in the middle tell what the adapter does: one goes
// up and one down where ties go to even. The factor is not known before the run.
fn rounds_to_even() -> bool {
  let three = f32(3u + (shape.streams >> 31u));
  let neighbours = bitcast<vec4<f32>>(vec4<u32>(0x3f800001u, 0x3f800003u, 0xbf800001u, 0xbf800003u));
  let products = bitcast<vec4<u32>>(neighbours * three);
  return all(products == vec4<u32>(0x40400002u, 0x40400004u, 0xc0400002u, 0xc0400004u));
}

// Whether level * scale is 0 or a normal number of the format for every level of at most 8 bits, and rounded as it should be.
fn is_plain(scale: u32) -> bool {
  var plain = is_usual(scale);
  if (ELEMENT == F16) {
    plain = scale >= 0x38800000u && scale < 0x43800000u; // 2^-14 to 2^8
  } else if (ELEMENT == F32) {
    plain = plain && rounds_to_even();
  }
  return plain;
}

// Own bits, in the lower half where there are 16, of products that are plain.
fn plain_elements(products: vec4<f32>) -> vec4<u32> {
  var raw = bitcast<vec4<u32>>(products);
  if (ELEMENT == BF16) {
    raw = bitcast<vec4<u32>>(rounded_fractions(products, 16u)) >> vec4<u32>(16u);
  } else if (ELEMENT == F16) {
    let bits = bitcast<vec4<u32>>(rounded_fractions(products, 13u));
    let magnitude = bits & vec4<u32>(~SIGN);
    let normal = (magnitude - 0x38000000u) >> vec4<u32>(13u);
    raw = ((bits & vec4<u32>(SIGN)) >> vec4<u32>(16u)) | select(normal, vec4<u32>(0u), magnitude == vec4<u32>(0u));
  }
  return raw;
}

// Restores the eight weights from `index` on, a multiple of 8.
fn restore_eight(index: u32, bit: u32, scale: f32, zero_point: f32) {
  let stored = eight_codes(bit);
  let even = plain_elements((stored.even - zero_point) * scale);
  let odd = plain_elements((stored.odd - zero_point) * scale);
  if (ELEMENT == F32) {
    weights[index >> 2u] = vec4<u32>(even.x, odd.x, even.y, odd.y);
    weights[(index >> 2u) + 1u] = vec4<u32>(even.z, odd.z, even.w, odd.w);
  } else {
    weights[index >> 3u] = even | (odd * 65536u);
  }
}

// Own bits of any weight.
fn exact_element(index: u32) -> u32 {
  let group = index / shape.group_size;
  let stream = index / shape.stream_length;
  let code = code_at(stream * stream_words(), index - stream * shape.stream_length);
  return narrowed(weight_of(code - zero_point_at(group), scale_at(group)));
}

fn stream_words() -> u32 {
  return (shape.stream_length * STORED_BITS + 31u) / 32u;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let elements = shape.streams * shape.stream_length;
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= elements) {
    return;
  }
  let end = min(first + BLOCK, elements);
  let stored_offset = select(1u << (STORED_BITS - 1u), OFFSET, OFFSET != 0u);
  var index = first;
  while (index < end) {
    let group = index / shape.group_size;
    let stream = index / shape.stream_length;
    let stream_first = stream * shape.stream_length;
    let piece_end = min(min((group + 1u) * shape.group_size, stream_first + shape.stream_length), end);
    let scale = scale_at(group);
    let zero_point = f32(i32(stored_offset) + zero_point_at(group));
    // Eights that lie in the group and in the stream as a whole, where the stream begins with one.
    let is_fast = is_plain(scale) && (stream_first & 7u) == 0u;
    let stop = select(index, max(index, piece_end & ~7u), is_fast);
    let stream_bit = stream * stream_words() * 32u;
    for (; index < stop; index += 8u) {
      restore_eight(index, stream_bit + (index - stream_first) * STORED_BITS, bitcast<f32>(scale), zero_point);
    }
    for (; index < piece_end; index += 8u) {
      let eight_end = min(index + 8u, end);
      if (ELEMENT == F32) {
        for (var at = index; at < eight_end; at += 1u) {
          weights[at >> 2u][at & 3u] = exact_element(at);
        }
      } else {
        for (var at = index; at < eight_end; at += 2u) {
          var word = exact_element(at);
          if (at + 1u < eight_end) {
            word |= exact_element(at + 1u) << 16u;
          }
          weights[at >> 3u][(at >> 1u) & 3u] = word;
        }
      }
    }
  }
}
