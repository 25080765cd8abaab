// A linear layer without bias, y = x W^T, as linear/linear.wgsl has it: a tile of y to a workgroup, for GPUs, which fetch each
// number from memory once for 64 products instead of once for four.
//   dispatch  one workgroup per tile of 64 x 64 outputs, row by row of tiles
// Of 16 columns of x and W at a time the workgroup loads 64 rows each, of which each invocation uses four: those 16 apart,
// so that neighbours read neighbouring vectors and write neighbouring outputs.
// include: lib/workgroup.wgsl

const TILE: u32 = 64u; // rows and columns of y
const SIDE: u32 = 16u; // invocations along either
const DEPTH: u32 = 4u; // vectors of a row at a time

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

// Vector d of row r at d * TILE + r.
var<workgroup> x_part: array<vec4<f32>, TILE * DEPTH>;
var<workgroup> w_part: array<vec4<f32>, TILE * DEPTH>;

@compute @workgroup_size(SIDE, SIDE)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let columns = (shape.n + TILE - 1u) / TILE;
  let tile = workgroup_index(id, workgroups);
  let first_row = (tile / columns) * TILE;
  let first_column = (tile % columns) * TILE;
  let vectors = shape.k / 4u;
  // What this invocation loads: one vector of x and one of W each time, neighbours along a row.
  let loaded = own / DEPTH;
  let depth = own % DEPTH;
  let x_row = first_row + loaded;
  let w_row = first_column + loaded;
  // What it computes: row + 16 i, column + 16 j.
  let row = own / SIDE;
  let column = own % SIDE;
  var sums = mat4x4<f32>();
  for (var at = 0u; at < vectors; at += DEPTH) {
    var x_vector = vec4<f32>();
    var w_vector = vec4<f32>();
    if (at + depth < vectors) {
      if (x_row < shape.m) {
        x_vector = inputs[(shape.first_row + x_row) * vectors + at + depth];
      }
      if (w_row < shape.n) {
        w_vector = weights[w_row * vectors + at + depth];
      }
    }
    workgroupBarrier();
    x_part[depth * TILE + loaded] = x_vector;
    w_part[depth * TILE + loaded] = w_vector;
    workgroupBarrier();
    for (var d = 0u; d < TILE * DEPTH; d += TILE) {
      let x = d + row;
      let w = d + column;
      // As a matrix, so that x times it is a product with each of its columns.
      let each = mat4x4<f32>(w_part[w], w_part[w + SIDE], w_part[w + 2u * SIDE], w_part[w + 3u * SIDE]);
      sums[0] += x_part[x] * each;
      sums[1] += x_part[x + SIDE] * each;
      sums[2] += x_part[x + 2u * SIDE] * each;
      sums[3] += x_part[x + 3u * SIDE] * each;
    }
  }
  for (var i = 0u; i < 4u; i += 1u) {
    for (var j = 0u; j < 4u; j += 1u) {
      let y_row = first_row + row + i * SIDE;
      let y_column = first_column + column + j * SIDE;
      if (y_row < shape.m && y_column < shape.n) {
        outputs[(shape.first_row + y_row) * shape.output_stride + shape.output_start + y_column] = sums[i][j];
      }
    }
  }
}
