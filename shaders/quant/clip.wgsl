// Weights clamped to the limit of their group.
//   weights   elements of a format
//   limits    float32, one per group
//   clipped   elements
//   dispatch  one invocation per 32 weights; no workgroup memory, no barrier
// Exact: limits are rounded to the format, and magnitudes compared as bits. A NaN stays as it is.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl

const BLOCK: u32 = 32u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> limits: array<u32>;
@group(0) @binding(2) var<storage, read_write> clipped: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

// A limit's own bits.
fn limit_of(group: u32) -> u32 {
  let bits = limits[group];
  if (bits == 0u || bits >= INFINITY) {
    return narrowed(bits);
  }
  let parts = parts_of(bits);
  return narrowed(rounded_to_element(parts.mantissa, parts.exponent, false));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + BLOCK, shape.elements);
  let sign = select(0x8000u, SIGN, ELEMENT == F32);
  let infinity = narrowed(INFINITY);
  var group = first / shape.group_size;
  var next_group = (group + 1u) * shape.group_size;
  var limit = limit_of(group);
  var pending = 0u;
  for (var index = first; index < end; index += 1u) {
    if (index == next_group) {
      group += 1u;
      next_group += shape.group_size;
      limit = limit_of(group);
    }
    let raw = element_raw(weights[element_word(index)], index);
    let magnitude = raw & ~sign;
    let kept = (raw & sign) | select(min(magnitude, limit), magnitude, magnitude > infinity);
    if (ELEMENT == F32) {
      clipped[index] = kept;
    } else if ((index & 1u) == 0u) {
      pending = kept;
      // The last word is written whole.
      clipped[index >> 1u] = kept;
    } else {
      clipped[index >> 1u] = pending | (kept << 16u);
    }
  }
}
