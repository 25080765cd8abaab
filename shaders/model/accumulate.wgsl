// What one expert adds to its layer's output: total += source * weight of the row.
//   weights   float32 [rows, experts], of which column `expert`
//   source    float32 [rows, width]; where the weight is 0 it counts as 0
//   total     the same, overwritten under FIRST
//   dispatch  one invocation per chunk of a row (lib/row_chunks.wgsl); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/row_chunks.wgsl

override FIRST: bool = false;

struct Shape {
  rows: u32,
  width: u32,
  experts: u32,
  expert: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> total: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let chunk = chunk_of(linear_index(id, workgroups), shape.width);
  if (chunk.row >= shape.rows) {
    return;
  }
  let weight = weights[chunk.row * shape.experts + shape.expert];
  let is_out = weight == 0.0;
  let start = chunk.row * shape.width;
  // Vectors of a row are vectors of the array only where rows are of whole ones.
  let whole = select(chunk.first, chunk.end, (shape.width & 3u) == 0u);
  for (var column = chunk.first; column < whole; column += 4u) {
    let at = (start + column) >> 2u;
    var sum = select(source[at] * weight, vec4<f32>(), is_out);
    if (!FIRST) {
      sum += total[at];
    }
    total[at] = sum;
  }
  for (var column = whole; column < chunk.end; column += 1u) {
    let at = start + column;
    var sum = select(source[at >> 2u][at & 3u] * weight, 0.0, is_out);
    if (!FIRST) {
      sum += total[at >> 2u][at & 3u];
    }
    total[at >> 2u][at & 3u] = sum;
  }
}
