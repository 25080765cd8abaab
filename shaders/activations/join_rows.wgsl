// The extremes of windows, for each of their rows.
//   extremes   two words per row [rows, 2], as activations/extremes writes them for one piece a row
//   positions  u32 [rows], the place of a row in its window; place 0 begins one, and so does the first row
//   joined     two words per row [rows, 2]: the largest of its window
//   dispatch   one invocation per row, of which those that begin a window work; no workgroup memory, no barrier
// include: lib/invocation.wgsl

struct Shape {
  rows: u32,
}

@group(0) @binding(0) var<storage, read> extremes: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read> positions: array<u32>;
@group(0) @binding(2) var<storage, read_write> joined: array<vec2<u32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups);
  if (first >= shape.rows || (first > 0u && positions[first] > 0u)) {
    return;
  }
  var largest = extremes[first];
  var end = first + 1u;
  while (end < shape.rows && positions[min(end, shape.rows - 1u)] > 0u) {
    largest = max(largest, extremes[end]);
    end += 1u;
  }
  for (var row = first; row < end; row += 1u) {
    joined[row] = largest;
  }
}
