// Pruning by a threshold: weights up to a magnitude become +0, the others are copied bit for bit.
//   weights  elements (lib/elements.wgsl)
//   pruned   elements, as many; where a half word is left over, it is 0
//   dispatch one invocation per 64 words; no workgroup memory, no barrier
// Exact: magnitudes order like their bits without the sign, infinity and NaN above all.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

const WORDS: u32 = 64u;

struct Shape {
  elements: u32,
  threshold: u32, // the largest magnitude that goes: an element's own bits without the sign
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> pruned: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

fn kept(raw: u32) -> u32 {
  let sign = select(0x8000u, SIGN, ELEMENT == F32);
  return select(raw, 0u, (raw & ~sign) <= shape.threshold);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * WORDS;
  if (ELEMENT == F32) {
    for (var at = first; at < min(first + WORDS, shape.elements); at += 1u) {
      pruned[at] = kept(weights[at]);
    }
    return;
  }
  let pairs = shape.elements >> 1u;
  for (var at = first; at < min(first + WORDS, pairs); at += 1u) {
    let word = weights[at];
    pruned[at] = kept(word & 0xffffu) | (kept(word >> 16u) << 16u);
  }
  if ((shape.elements & 1u) == 1u && pairs >= first && pairs < first + WORDS) {
    pruned[pairs] = kept(weights[pairs] & 0xffffu);
  }
}
