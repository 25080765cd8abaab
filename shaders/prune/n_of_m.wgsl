// N:M pruning: of each M neighbours the N of smallest magnitude become +0, the others are copied bit for bit.
//   weights  elements (lib/elements.wgsl): groups of M, one after the other
//   pruned   elements, as many; where a half word is left over, it is 0
//   dispatch one invocation per 16 groups; no workgroup memory, no barrier
// Exact: magnitudes order like their bits without the sign, infinity and NaN above all. Of equals the later one goes first.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

override N: u32 = 2u;
override M: u32 = 4u;

const GROUPS: u32 = 16u; // an even number, so that no two invocations write one word
const LARGEST_M: u32 = 32u; // bits of a mask

struct Shape {
  elements: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> pruned: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// The places of the N smallest, one bit each.
fn smallest_of(magnitudes: ptr<function, array<u32, LARGEST_M>>) -> u32 {
  var taken = 0u;
  for (var round = 0u; round < N; round += 1u) {
    var smallest = 0xffffffffu;
    var place = 0u;
    for (var i = 0u; i < M; i += 1u) {
      let magnitude = (*magnitudes)[i];
      if (((taken >> i) & 1u) == 0u && magnitude <= smallest) {
        smallest = magnitude;
        place = i;
      }
    }
    taken |= 1u << place;
  }
  return taken;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let start = linear_index(id, workgroups) * (GROUPS * M);
  let end = min(start + GROUPS * M, shape.elements);
  let sign = select(0x8000u, SIGN, ELEMENT == F32);
  var raw: array<u32, LARGEST_M>;
  var magnitudes: array<u32, LARGEST_M>;
  var word = 0u;
  for (var first = start; first < end; first += M) {
    for (var i = 0u; i < M; i += 1u) {
      let index = first + i;
      raw[i] = element_raw(weights[element_word(index)], index);
      magnitudes[i] = raw[i] & ~sign;
    }
    let gone = smallest_of(&magnitudes);
    for (var i = 0u; i < M; i += 1u) {
      let index = first + i;
      let kept = select(raw[i], 0u, ((gone >> i) & 1u) == 1u);
      if (ELEMENT == F32) {
        pruned[index] = kept;
      } else if ((index & 1u) == 0u) {
        word = kept;
      } else {
        pruned[index >> 1u] = word | (kept << 16u);
      }
    }
  }
  if (ELEMENT != F32 && start < end && (end & 1u) == 1u) {
    pruned[end >> 1u] = word;
  }
}
