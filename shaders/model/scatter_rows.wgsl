// Puts rows where a list says: row targets[r] of the destination becomes row r of the source, bit for bit.
//   targets      u32 [rows], no two the same
//   source       words [rows, width], width a multiple of 4
//   destination  words [.., width]; rows that no target names stay
//   dispatch     one invocation per chunk of a row (lib/row_chunks.wgsl); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/row_chunks.wgsl

struct Shape {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> targets: array<u32>;
// Words, since a float may lose the bits of a NaN or of a subnormal number on its way.
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let chunk = chunk_of(linear_index(id, workgroups), shape.width);
  if (chunk.row >= shape.rows) {
    return;
  }
  let here = chunk.row * shape.width;
  let there = targets[chunk.row] * shape.width;
  for (var column = chunk.first; column < chunk.end; column += 4u) {
    destination[(there + column) >> 2u] = source[(here + column) >> 2u];
  }
}
