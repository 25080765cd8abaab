// A linear layer without bias: y = x W^T, all float32, row-major.
//   inputs    x [m, k]
//   weights   W [n, k]
//   outputs   y [m, n]
//   dispatch  one invocation per tile of 4 x 4 outputs, bands of 8 tiles down the rows; no workgroup memory, no barrier
// k is a multiple of 4. Every number that is loaded goes into four products, and neighbours load the same rows.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl

struct Shape {
  m: u32,
  n: u32,
  k: u32,
}

@group(0) @binding(0) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let place = tile_place(linear_index(id, workgroups), shape.m, shape.n, 4u);
  if (place.x >= shape.m) {
    return;
  }
  // Rows beyond the last are the last again, and not written.
  let vectors = shape.k / 4u;
  let x = rows_from(place.x, shape.m) * vectors;
  let w = rows_from(place.y, shape.n) * vectors;
  var sums = mat4x4<f32>();
  for (var i = 0u; i < vectors; i += 1u) {
    // As a matrix, so that x times it is a product with each of its columns.
    let each = mat4x4<f32>(weights[w.x + i], weights[w.y + i], weights[w.z + i], weights[w.w + i]);
    sums[0] += inputs[x.x + i] * each;
    sums[1] += inputs[x.y + i] * each;
    sums[2] += inputs[x.z + i] * each;
    sums[3] += inputs[x.w + i] * each;
  }
  for (var row = 0u; row < min(4u, shape.m - place.x); row += 1u) {
    for (var column = 0u; column < min(4u, shape.n - place.y); column += 1u) {
      outputs[(place.x + row) * shape.n + place.y + column] = sums[row][column];
    }
  }
}
