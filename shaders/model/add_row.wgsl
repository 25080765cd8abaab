// total += row, the same for each row.
//   row       float32 [width]
//   total     float32 [rows, width], what lies behind them stays
//   dispatch  one invocation per chunk of a row (lib/row_chunks.wgsl); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/row_chunks.wgsl

struct Shape {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> row: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> total: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let chunk = chunk_of(linear_index(id, workgroups), shape.width);
  if (chunk.row >= shape.rows) {
    return;
  }
  let start = chunk.row * shape.width;
  // Vectors of a row are vectors of the array only where rows are of whole ones.
  let whole = select(chunk.first, chunk.end, (shape.width & 3u) == 0u);
  for (var column = chunk.first; column < whole; column += 4u) {
    total[(start + column) >> 2u] += row[column >> 2u];
  }
  for (var column = whole; column < chunk.end; column += 1u) {
    let at = start + column;
    total[at >> 2u][at & 3u] += row[column >> 2u][column & 3u];
  }
}
