// Looks tokens up in a part of an embedding.
//   tokens    u32 [rows]
//   table     float32 [count, width], rows `first` and after of the embedding
//   hidden    float32 [rows, width]: scale * table row, under ADDS added to what is there; rows of other tokens stay
//   dispatch  one invocation per chunk of a row (lib/row_chunks.wgsl); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/row_chunks.wgsl

override ADDS: bool = false;

struct Shape {
  rows: u32,
  width: u32,
  first: u32,
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> tokens: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> hidden: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let chunk = chunk_of(linear_index(id, workgroups), shape.width);
  if (chunk.row >= shape.rows) {
    return;
  }
  // A token before the part is far beyond it, without a sign.
  let place = tokens[chunk.row] - shape.first;
  if (place >= shape.count) {
    return;
  }
  let here = chunk.row * shape.width;
  let there = place * shape.width;
  // Vectors of a row are vectors of the array only where rows are of whole ones.
  let whole = select(chunk.first, chunk.end, (shape.width & 3u) == 0u);
  for (var column = chunk.first; column < whole; column += 4u) {
    let at = (here + column) >> 2u;
    var own = table[(there + column) >> 2u] * shape.scale;
    if (ADDS) {
      own += hidden[at];
    }
    hidden[at] = own;
  }
  for (var column = whole; column < chunk.end; column += 1u) {
    let at = here + column;
    var own = table[(there + column) >> 2u][(there + column) & 3u] * shape.scale;
    if (ADDS) {
      own += hidden[at >> 2u][at & 3u];
    }
    hidden[at >> 2u][at & 3u] = own;
  }
}
