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

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// Its own bits of either sign: the sign is the highest bit, so that negative ones are larger than all positive ones.
struct Extremes {
  positive: u32,
  negative: u32,
}

fn include(found: ptr<function, Extremes>, raw: u32) {
  let sign = select(0x8000u, SIGN, ELEMENT == F32);
  let is_negative = raw >= sign;
  (*found).positive = max((*found).positive, select(raw, 0u, is_negative));
  (*found).negative = max((*found).negative, select(0u, raw, is_negative));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let group = linear_index(id, workgroups);
  let first = group * shape.group_size;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + shape.group_size, shape.elements);
  var found = Extremes(0u, 0u);
  var index = first;
  if (ELEMENT != F32) {
    if ((index & 1u) != 0u) {
      include(&found, weights[index >> 1u] >> 16u);
      index += 1u;
    }
    for (; index + 1u < end; index += 2u) {
      let word = weights[index >> 1u];
      include(&found, word & 0xffffu);
      include(&found, word >> 16u);
    }
  }
  for (; index < end; index += 1u) {
    include(&found, element_raw(weights[element_word(index)], index));
  }
  extremes[2u * group] = widened(found.positive);
  extremes[2u * group + 1u] = widened(found.negative) & ~SIGN;
}
