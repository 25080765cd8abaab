// A linear layer without bias: y = x W^T, all float32, row-major.
//   inputs    x [.., k], of which rows first_row to first_row + m count
//   weights   W [n, k]
//   outputs   y [.., output_stride], the same rows, columns output_start to output_start + n
//   dispatch  one invocation per tile of 4 x 4 outputs, bands of 8 tiles down the rows; no workgroup memory, no barrier
// k is a multiple of 4. Every number that is loaded goes into four products, and neighbours load the same rows.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  first_row: u32,
  output_stride: u32,
  output_start: u32,
}

@group(0) @binding(0) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> outputs: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn weights_at(at: vec4<u32>) -> mat4x4<f32> {
  return mat4x4<f32>(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let place = tile_place(linear_index(id, workgroups), shape.m, shape.n, 4u);
  if (place.x >= shape.m) {
    return;
  }
  // Rows beyond the last are the last again, and not written.
  let vectors = shape.k / 4u;
  let x = (rows_from(place.x, shape.m) + shape.first_row) * vectors;
  let w = rows_from(place.y, shape.n) * vectors;
  // Two vectors of each row at a time, one from each half, added up before they meet the sums: the fewer numbers meet a long
  // sum, the less is rounded away.
  var sums = mat4x4<f32>();
  let half = (vectors + 1u) / 2u;
  for (var i = 0u; i < vectors / 2u; i += 1u) {
    let one = weights_at(w + i);
    let two = weights_at(w + i + half);
    sums[0] += inputs[x.x + i] * one + inputs[x.x + i + half] * two;
    sums[1] += inputs[x.y + i] * one + inputs[x.y + i + half] * two;
    sums[2] += inputs[x.z + i] * one + inputs[x.z + i + half] * two;
    sums[3] += inputs[x.w + i] * one + inputs[x.w + i + half] * two;
  }
  if ((vectors & 1u) == 1u) {
    let last = weights_at(w + half - 1u);
    sums[0] += inputs[x.x + half - 1u] * last;
    sums[1] += inputs[x.y + half - 1u] * last;
    sums[2] += inputs[x.z + half - 1u] * last;
    sums[3] += inputs[x.w + half - 1u] * last;
  }
  let corner = (shape.first_row + place.x) * shape.output_stride + shape.output_start + place.y;
  for (var row = 0u; row < min(4u, shape.m - place.x); row += 1u) {
    for (var column = 0u; column < min(4u, shape.n - place.y); column += 1u) {
      outputs[corner + row * shape.output_stride + column] = sums[row][column];
    }
  }
}
