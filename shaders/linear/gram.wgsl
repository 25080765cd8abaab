// The Gram matrix X^T X of some tokens, added to what others left, all float32.
//   inputs    x [.., width], of which rows first_row to first_row + rows count
//   totals    sums [2, width, width], high parts, then low parts: a sum is high + low; only places with column <= row change
//   dispatch  one invocation per tile of 4 rows and 8 columns of the sums; no workgroup memory, no barrier
// width is a multiple of 4. Row r of the tiles and the last but r lie in one row of the dispatch: together they have as many
// tiles whatever r, and neighbours load numbers that lie side by side.
// include: lib/invocation.wgsl

const ROWS: u32 = 64u; // whose products are summed as they are

struct Shape {
  rows: u32,
  width: u32,
  first_row: u32,
}

@group(0) @binding(0) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> totals: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

// Four rows of four sums.
struct Parts {
  high: mat4x4<f32>,
  low: mat4x4<f32>,
}

// The same numbers. No compiler knows that before the run, so that none reorders the sums on either side: WGSL would let it.
fn settled(numbers: vec4<f32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(bitcast<vec4<u32>>(numbers) ^ vec4<u32>(shape.rows >> 31u));
}

fn all_settled(numbers: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(settled(numbers[0]), settled(numbers[1]), settled(numbers[2]), settled(numbers[3]));
}

// What sums of two numbers lose.
fn errors_of(ones: mat4x4<f32>, twos: mat4x4<f32>, sums: mat4x4<f32>) -> mat4x4<f32> {
  let parts = all_settled(sums - ones);
  return (ones - all_settled(sums - parts)) + (twos - parts);
}

// TwoSum: the errors of the sums go to the low parts.
fn added(parts: Parts, sums: mat4x4<f32>) -> Parts {
  let more = all_settled(sums);
  let high = all_settled(parts.high + more);
  return Parts(high, parts.low + errors_of(parts.high, more, high));
}

// Adds what a call found to the totals of a tile of 4 x 4, of which nothing beyond the diagonal counts. The low part comes below
// a unit of the high one.
fn add_to_totals(row: u32, column: u32, found: Parts) {
  if (column > row) {
    return;
  }
  let vectors = shape.width / 4u;
  let at = 4u * row * vectors + column + vec4<u32>(0u, 1u, 2u, 3u) * vectors;
  let low_at = at + shape.width * vectors;
  let before = Parts(
    mat4x4<f32>(totals[at.x], totals[at.y], totals[at.z], totals[at.w]),
    mat4x4<f32>(totals[low_at.x], totals[low_at.y], totals[low_at.z], totals[low_at.w]),
  );
  let total = added(Parts(before.high, before.low + found.low), found.high);
  let high = all_settled(total.high + total.low);
  let low = total.low - all_settled(high - total.high);
  for (var i = 0u; i < 4u; i += 1u) {
    let counts = vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(select(3u, i, row == column));
    totals[at[i]] = select(before.high[i], high[i], counts);
    totals[low_at[i]] = select(before.low[i], low[i], counts);
  }
}

// The same four channels of four tokens.
fn tokens_at(at: u32, vectors: u32) -> mat4x4<f32> {
  return mat4x4<f32>(inputs[at], inputs[at + vectors], inputs[at + 2u * vectors], inputs[at + 3u * vectors]);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let vectors = shape.width / 4u;
  let index = linear_index(id, workgroups);
  let length = (vectors + 1u) / 2u + 1u;
  let line = index / length;
  let place = index % length;
  let opposite = vectors - 1u - min(line, vectors - 1u);
  let own = line / 2u + 1u;
  let is_own = place < own;
  let row = select(opposite, line, is_own);
  let column = 2u * select(place - own, place, is_own);
  // The row in the middle has no other.
  if (line > opposite || column > row || (line == opposite && !is_own)) {
    return;
  }
  // Channels beyond the last are the last again, and not written.
  let next = min(column + 1u, vectors - 1u);
  var left = Parts();
  var right = Parts();
  for (var first = 0u; first < shape.rows; first += ROWS) {
    var left_sums = mat4x4<f32>();
    var right_sums = mat4x4<f32>();
    let end = shape.first_row + min(first + ROWS, shape.rows);
    // Four tokens at a time, while there are: what is loaded and decided is spread over more products.
    var token = shape.first_row + first;
    for (; token + 4u <= end; token += 4u) {
      let at = token * vectors;
      let x = transpose(tokens_at(at + row, vectors));
      left_sums += tokens_at(at + column, vectors) * x;
      right_sums += tokens_at(at + next, vectors) * x;
    }
    for (; token < end; token += 1u) {
      let at = token * vectors;
      let x = inputs[at + row];
      let y = inputs[at + column];
      let z = inputs[at + next];
      left_sums += mat4x4<f32>(x.x * y, x.y * y, x.z * y, x.w * y);
      right_sums += mat4x4<f32>(x.x * z, x.y * z, x.z * z, x.w * z);
    }
    left = added(left, left_sums);
    right = added(right, right_sums);
  }
  add_to_totals(row, column, left);
  add_to_totals(row, column + 1u, right);
}
