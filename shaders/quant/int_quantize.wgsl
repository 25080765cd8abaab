// Codes of integer quantization, packed densely.
//   weights      elements of a format: streams * stream_length of them
//   scales       elements of the same format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   codes        STORED_BITS to a code, element 0 of a stream in the lowest bits of its first word, codes running on across
//                words; each stream begins in a word of its own and its last word is padded with zero bits
//   dispatch     one invocation per block of 128 weights of a stream (4 * STORED_BITS words); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_fields.wgsl

const BLOCK: u32 = 128u;

struct Shape {
  streams: u32,
  stream_length: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> codes: array<u32>;
@group(0) @binding(4) var<uniform> shape: Shape;

// Where the next codes go: the word that is being filled and the bits that it has, its place, and that beyond the block.
struct Target {
  word: u32,
  filled: u32,
  place: u32,
  end: u32,
}

// Four fields, the first in the lowest bits.
fn put_four(to: ptr<function, Target>, fields: u32) {
  (*to).word |= fields << (*to).filled;
  (*to).filled += 4u * STORED_BITS;
  if ((*to).filled >= 32u) {
    if ((*to).place < (*to).end) {
      codes[(*to).place] = (*to).word;
    }
    (*to).place += 1u;
    (*to).filled -= 32u;
    // The bits that did not fit; shifting by all bits leaves none where all did.
    (*to).word = fields >> (4u * STORED_BITS - (*to).filled);
  }
}

// The fields of eight codes, each four the first in the lowest bits.
fn put_eight(to: ptr<function, Target>, fields: vec2<u32>) {
  if (STORED_BITS == 4u) {
    codes[(*to).place] = fields.x + fields.y * 65536u;
    (*to).place += 1u;
  } else if (STORED_BITS == 8u) {
    codes[(*to).place] = fields.x;
    if ((*to).place + 1u < (*to).end) {
      codes[(*to).place + 1u] = fields.y;
    }
    (*to).place += 2u;
  } else {
    put_four(to, fields.x);
    put_four(to, fields.y);
  }
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

  // A bit for each eight of the block that the usual path cannot take, and for each of which it has doubts.
  var unusual = 0u;
  var doubtful = 0u;
  var to = Target(0u, 0u, place, place + ((end - first) * STORED_BITS + 31u) / 32u);
  var index = first;
  var eight = 1u;
  while (index < end) {
    let group = index / shape.group_size;
    let group_end = min((group + 1u) * shape.group_size, end);
    let scale = scale_at(group);
    let inverse = 1.0 / bitcast<f32>(scale);
    let zero_point = zero_point_at(group);
    // Eights that lie in the group as a whole, where the stream begins with one.
    let is_fast = is_usual(scale) && (first & 7u) == 0u;
    let stop = select(index, max(index, group_end & ~7u), is_fast);
    for (; index < stop; index += 8u) {
      let found = eight_fields(index, inverse, zero_point);
      put_eight(&to, found.fields);
      if (PRECISION > 8u) {
        doubtful |= select(0u, eight, any(found.doubtful_even | found.doubtful_odd));
      }
      eight += eight;
    }
    for (; index < group_end; index += 8u) {
      put_eight(&to, vec2<u32>(0u));
      unusual |= eight;
      eight += eight;
    }
  }
  if (to.filled > 0u && to.place < to.end) {
    codes[to.place] = to.word;
  }

  for (var rest = unusual | doubtful; rest != 0u; rest &= rest - 1u) {
    let start = first + 8u * countTrailingZeros(rest);
    var places = (1u << min(end - start, 8u)) - 1u;
    if (PRECISION > 8u) {
      // Looked at once more, since it is less work to know that there are doubts than where. Doubts begin at twice the error:
      // a weight that is doubtful at one look only has its right code.
      let group = start / shape.group_size;
      let again = eight_fields(start & ~7u, 1.0 / bitcast<f32>(scale_at(group)), zero_point_at(group));
      let is_unusual = (unusual & rest & (0u - rest)) != 0u;
      places = select(places_of_eight(again.doubtful_even, again.doubtful_odd), places, is_unusual);
    }
    for (; places != 0u; places &= places - 1u) {
      let at = start + countTrailingZeros(places);
      let group = at / shape.group_size;
      let code = exact_code(weight_at(at), scale_at(group), i32(zero_point_at(group)));
      replace_field(place, (at - first) * STORED_BITS, field_of(code));
    }
  }
}
