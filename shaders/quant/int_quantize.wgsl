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

fn scale_at(group: u32) -> u32 {
  return element_bits(scales[element_word(group)], group);
}

fn field_of(code: i32) -> u32 {
  let limit = 1 << (BITS - 1u);
  return u32(clamp(code, -limit, limit - 1) + i32(OFFSET)) & ((1u << STORED_BITS) - 1u);
}

// Puts a field in place of what lies at a bit of the codes that begin at word `place`.
fn replace_field(place: u32, bit: u32, field: u32) {
  let mask = (1u << STORED_BITS) - 1u;
  let word = place + (bit >> 5u);
  let at = bit & 31u;
  codes[word] = (codes[word] & ~(mask << at)) | (field << at);
  if (at + STORED_BITS > 32u) {
    let above = 32u - at;
    codes[word + 1u] = (codes[word + 1u] & ~(mask >> above)) | (field >> above);
  }
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
  let place = stream * ((shape.stream_length * STORED_BITS + 31u) / 32u) + start * STORED_BITS / 32u;

  // A bit for each weight of the block that the usual path cannot tell.
  var doubtful: array<u32, BLOCK / 32u>;
  var next_word = place;
  var word = 0u;
  var filled = 0u;
  var index = first;
  for (var part = 0u; part < BLOCK / 32u; part += 1u) {
    let part_first = first + 32u * part;
    let part_end = min(part_first + 32u, end);
    var doubts = 0u;
    while (index < part_end) {
      let group = index / shape.group_size;
      let group_end = min((group + 1u) * shape.group_size, part_end);
      let scale = scale_at(group);
      let divisor = divisor_of(scale, zero_point_at(group));
      let is_unusual = !is_usual(scale);
      for (; index < group_end; index += 1u) {
        let usual = usual_code(element_bits(weights[element_word(index)], index), divisor);
        doubts |= select(0u, 1u, is_unusual || usual.is_doubtful) << (index - part_first);
        let field = field_of(i32(usual.code));
        word |= field << filled;
        filled += STORED_BITS;
        if (filled >= 32u) {
          codes[next_word] = word;
          next_word += 1u;
          filled -= 32u;
          // The bits that did not fit; shifting by STORED_BITS leaves none where all did.
          word = field >> (STORED_BITS - filled);
        }
      }
    }
    doubtful[part] = doubts;
  }
  if (filled > 0u) {
    codes[next_word] = word;
  }

  var part = 0u;
  var doubts = doubtful[0];
  loop {
    for (; doubts == 0u && part + 1u < BLOCK / 32u;) {
      part += 1u;
      doubts = doubtful[part];
    }
    if (doubts == 0u) {
      break;
    }
    let position = 32u * part + countTrailingZeros(doubts);
    doubts &= doubts - 1u;
    let at = first + position;
    let group = at / shape.group_size;
    let weight = element_bits(weights[element_word(at)], at);
    let code = exact_code(weight, scale_at(group), zero_point_at(group));
    replace_field(place, position * STORED_BITS, field_of(code));
  }
}
