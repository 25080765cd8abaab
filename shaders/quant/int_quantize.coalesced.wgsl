// Codes of integer quantization, packed densely, as quant/int_quantize.wgsl has them: fewer weights to an invocation, for GPUs,
// whose neighbours should load and store neighbouring words.
//   dispatch  one workgroup per 64 eights of a stream's weights; no workgroup memory, no barrier
// STORED_BITS is 4 or 8, so that eight codes fill whole words.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_fields.wgsl

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

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let eights = (shape.stream_length + 7u) / 8u;
  let eight = linear_index(id, workgroups);
  let stream = eight / eights;
  if (stream >= shape.streams) {
    return;
  }
  let start = (eight % eights) * 8u;
  let first = stream * shape.stream_length + start;
  let count = min(8u, shape.stream_length - start);

  // The usual path where all eight lie in one vector and one group; a bit for each that it leaves to the exact one.
  var fields = vec2<u32>(0u);
  var places = (1u << count) - 1u;
  let group = first / shape.group_size;
  let is_whole = count == 8u && (first & 7u) == 0u && (first + 7u) / shape.group_size == group;
  let scale = scale_at(group);
  if (is_whole && is_usual(scale)) {
    let found = eight_fields(first, 1.0 / bitcast<f32>(scale), zero_point_at(group));
    fields = found.fields;
    places = places_of_eight(found.doubtful_even, found.doubtful_odd);
  }
  for (; places != 0u; places &= places - 1u) {
    let place = countTrailingZeros(places);
    let at = first + place;
    let own = at / shape.group_size;
    let field = field_of(exact_code(weight_at(at), scale_at(own), i32(zero_point_at(own))));
    let shift = (place & 3u) * STORED_BITS;
    let mask = ((1u << STORED_BITS) - 1u) << shift;
    fields[place >> 2u] = (fields[place >> 2u] & ~mask) | (field << shift);
  }

  let word = stream * ((shape.stream_length * STORED_BITS + 31u) / 32u) + start * STORED_BITS / 32u;
  if (STORED_BITS == 4u) {
    codes[word] = fields.x + fields.y * 65536u;
  } else {
    codes[word] = fields.x;
    if (count > 4u) {
      codes[word + 1u] = fields.y;
    }
  }
}
