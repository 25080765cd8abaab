// Lets the columns after a block make up for its errors: weights -= errors U, all float32.
//   errors    [rows, 128], of which the first count columns count
//   order     the column that is processed at each of cols places
//   factor    U [cols, cols], in the order of processing, of which rows first to first + count count
//   weights   [rows, cols], of which the columns at places first + count and beyond change
//   dispatch  one invocation per tile of 4 x 4 weights, bands of 8 tiles down the rows; no workgroup memory, no barrier
// cols, first and count are multiples of 4.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl

const ERROR_VECTORS: u32 = 32u; // of a row

struct Shape {
  rows: u32,
  cols: u32,
  first: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> errors: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> weights: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let end = shape.first + shape.count;
  let tile = tile_place(linear_index(id, workgroups), shape.rows, shape.cols - end, 4u);
  if (tile.x >= shape.rows) {
    return;
  }
  // Rows beyond the last are the last again, and not written.
  let e = rows_from(tile.x, shape.rows) * ERROR_VECTORS;
  let vectors = shape.cols / 4u;
  var u = shape.first * vectors + (end + tile.y) / 4u;
  var sums = mat4x4<f32>();
  for (var k = 0u; k < shape.count / 4u; k += 1u) {
    let four = mat4x4<f32>(factor[u], factor[u + vectors], factor[u + 2u * vectors], factor[u + 3u * vectors]);
    sums[0] += four * errors[e.x + k];
    sums[1] += four * errors[e.y + k];
    sums[2] += four * errors[e.z + k];
    sums[3] += four * errors[e.w + k];
    u += 4u * vectors;
  }
  for (var row = 0u; row < min(4u, shape.rows - tile.x); row += 1u) {
    for (var column = 0u; column < 4u; column += 1u) {
      weights[(tile.x + row) * shape.cols + order[end + tile.y + column]] -= sums[row][column];
    }
  }
}
