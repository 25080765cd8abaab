// The extremes of each group of weights on either side of zero.
//   weights   elements of a format: elements in all, groups of group_size one after the other, the last may be shorter
//   extremes  two words per group, float32 bits without sign: the largest magnitude among its positive weights and zero, the
//             largest among its negative ones; a NaN counts as larger than infinity
//   dispatch  one invocation per group; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// Own bits, those of 16-bit elements in the upper half, as signed numbers: positive ones order as they are, negative ones
// with their sign changed, and what is of the other sign is less than zero.
struct Extremes {
  positive: vec4<i32>,
  negative: vec4<i32>,
}

fn include(found: ptr<function, Extremes>, raw: vec4<u32>) {
  (*found).positive = max((*found).positive, bitcast<vec4<i32>>(raw));
  (*found).negative = max((*found).negative, bitcast<vec4<i32>>(raw ^ vec4<u32>(SIGN)));
}

fn include_some(found: ptr<function, Extremes>, first: u32, end: u32) {
  for (var index = first; index < end; index += 1u) {
    let word = element_word(index);
    let raw = element_raw(weights[word >> 2u][word & 3u], index);
    include(found, vec4<u32>(select(raw << 16u, raw, ELEMENT == F32)));
  }
}

fn largest(of_lanes: vec4<i32>) -> u32 {
  let raw = u32(max(max(of_lanes.x, of_lanes.y), max(of_lanes.z, of_lanes.w)));
  return widened(select(raw >> 16u, raw, ELEMENT == F32));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let group = linear_index(id, workgroups);
  let first = group * shape.group_size;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + shape.group_size, shape.elements);
  // Whole eights, and what is left on either side of them.
  let whole_first = min((first + 7u) & ~7u, end);
  let whole_end = max(whole_first, end & ~7u);
  var found = Extremes();
  include_some(&found, first, whole_first);
  let last_vector = element_word(whole_end) / 4u;
  for (var at = element_word(whole_first) / 4u; at < last_vector; at += 1u) {
    let words = weights[at];
    include(&found, words);
    if (ELEMENT != F32) {
      include(&found, words * 65536u);
    }
  }
  include_some(&found, whole_end, end);
  extremes[2u * group] = largest(found.positive);
  extremes[2u * group + 1u] = largest(found.negative);
}
