// Each float32 becomes the nearest value of a format, ties to even.
//   values    float32 bits [elements], in place; what lies behind them stays
//   dispatch  one invocation per 32 numbers; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/format_rounding.wgsl

const PER_INVOCATION: u32 = 32u;

struct Shape {
  elements: u32,
}

@group(0) @binding(0) var<storage, read_write> values: array<vec4<u32>>;
@group(0) @binding(1) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.elements);
  let whole = max(first, end & ~3u);
  for (var at = first / 4u; at < whole / 4u; at += 1u) {
    values[at] = rounded_bits(values[at]);
  }
  for (var at = whole; at < end; at += 1u) {
    values[at >> 2u][at & 3u] = rounded_bits(values[at >> 2u])[at & 3u];
  }
}
