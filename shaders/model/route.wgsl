// Weights of experts: the softmax of each row of which all but the top_k largest become 0, ties in favour of lower numbers.
//   logits    float32 [rows, experts]
//   weights   float32 [rows, experts]; under NORMALIZED, those that stay are divided by their sum
//   dispatch  one invocation per row; no workgroup memory, no barrier
// include: lib/invocation.wgsl

override NORMALIZED: bool = true;

struct Shape {
  rows: u32,
  experts: u32,
  top_k: u32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read_write> weights: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// How many come before an expert of the row from `start` on, when they are sorted by their logits.
fn place_of(start: u32, expert: u32) -> u32 {
  let logit = logits[start + expert];
  var place = 0u;
  for (var other = 0u; other < shape.experts; other += 1u) {
    let beside = logits[start + other];
    place += select(0u, 1u, beside > logit || (beside == logit && other < expert));
  }
  return place;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let row = linear_index(id, workgroups);
  if (row >= shape.rows) {
    return;
  }
  let start = row * shape.experts;
  let end = start + shape.experts;
  var largest = logits[start];
  for (var at = start + 1u; at < end; at += 1u) {
    largest = max(largest, logits[at]);
  }
  var total = 0.0;
  for (var expert = 0u; expert < shape.experts; expert += 1u) {
    let power = exp(logits[start + expert] - largest);
    let kept = select(0.0, power, place_of(start, expert) < shape.top_k);
    total += select(power, kept, NORMALIZED);
    weights[start + expert] = kept;
  }
  for (var at = start; at < end; at += 1u) {
    weights[at] = weights[at] / total;
  }
}
