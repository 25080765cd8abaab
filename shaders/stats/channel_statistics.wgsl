// Extremes and sums of each column of a register, over blocks of 64 rows.
//   inputs    [rows, width], float32
//   sums      [ceil(rows / 64), 8, width], float32: largest magnitude, smallest, largest, sum of magnitudes, of squares, of
//             the numbers themselves, of third and of fourth powers
//   dispatch  one invocation per block and 4 columns, columns next to each other; no workgroup memory, no barrier
// include: lib/invocation.wgsl

const ROWS_PER_BLOCK: u32 = 64u;
const STATISTICS: u32 = 8u;

struct Shape {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> inputs: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

fn four_at(at: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(inputs[at.x], inputs[at.y], inputs[at.z], inputs[at.w]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let vectors = (shape.width + 3u) / 4u;
  let block = index / vectors;
  let first = block * ROWS_PER_BLOCK;
  if (first >= shape.rows) {
    return;
  }
  let column = 4u * (index % vectors);
  // Columns beyond the last are the last again, and not written.
  let columns = min(vec4<u32>(0u, 1u, 2u, 3u) + column, vec4<u32>(shape.width - 1u));
  var at = columns + first * shape.width;
  var smallest = four_at(at);
  var largest = smallest;
  var magnitudes = vec4<f32>();
  var squares = vec4<f32>();
  var total = vec4<f32>();
  var cubes = vec4<f32>();
  var fourths = vec4<f32>();
  for (var row = first; row < min(first + ROWS_PER_BLOCK, shape.rows); row += 1u) {
    let values = four_at(at);
    at += shape.width;
    smallest = min(smallest, values);
    largest = max(largest, values);
    magnitudes += abs(values);
    let square = values * values;
    squares += square;
    total += values;
    cubes += square * values;
    fourths += square * square;
  }
  let extreme = max(abs(smallest), abs(largest));
  let to = block * STATISTICS * shape.width + column;
  for (var lane = 0u; lane < min(4u, shape.width - column); lane += 1u) {
    sums[to + lane] = extreme[lane];
    sums[to + shape.width + lane] = smallest[lane];
    sums[to + 2u * shape.width + lane] = largest[lane];
    sums[to + 3u * shape.width + lane] = magnitudes[lane];
    sums[to + 4u * shape.width + lane] = squares[lane];
    sums[to + 5u * shape.width + lane] = total[lane];
    sums[to + 6u * shape.width + lane] = cubes[lane];
    sums[to + 7u * shape.width + lane] = fourths[lane];
  }
}
