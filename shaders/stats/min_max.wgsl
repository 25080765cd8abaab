// The extremes of each group of weights on either side of zero.
//   weights   elements of a format: elements in all, groups of group_size one after the other, the last may be shorter
//   extremes  two words per group, float32 bits without sign: the largest magnitude among its positive weights and zero, the
//             largest among its negative ones; a NaN counts as larger than infinity
//   dispatch  one invocation per group; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/extremes.wgsl

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

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
  for (var index = first; index < whole_first; index += 1u) {
    include_one(&found, index);
  }
  let last_vector = element_word(whole_end) / 4u;
  for (var at = element_word(whole_first) / 4u; at < last_vector; at += 1u) {
    include_vector(&found, at);
  }
  for (var index = whole_end; index < end; index += 1u) {
    include_one(&found, index);
  }
  extremes[2u * group] = magnitude_bits(largest_lane(found.positive));
  extremes[2u * group + 1u] = magnitude_bits(largest_lane(found.negative));
}
