// total += source, number by number.
//   source    float32 [elements]
//   total     float32 [elements], what lies behind them stays
//   dispatch  one invocation per 32 numbers; no workgroup memory, no barrier
// include: lib/invocation.wgsl

const PER_INVOCATION: u32 = 32u;

struct Shape {
  elements: u32,
}

@group(0) @binding(0) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> total: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.elements);
  let whole = max(first, end & ~3u);
  for (var at = first / 4u; at < whole / 4u; at += 1u) {
    total[at] += source[at];
  }
  for (var at = whole; at < end; at += 1u) {
    total[at >> 2u][at & 3u] += source[at >> 2u][at & 3u];
  }
}
