// Removes and rounds the weights of a block of columns one after the other; those after it in the block make up for the error
// of each: err = (w - q) / d, w' -= err U, all float32, d the diagonal of U, q the weight of the code, or 0 under the mask.
//   weights      [rows, cols]; those of the block become q
//   order        the column that is processed at each of cols places
//   factor       U [cols, cols], upper triangular, in the order of processing
//   scales       elements of a format, groups_per_row to a row, one per group_size columns; 0 to a row: one for all
//   zero_points  signed bytes, one per scale; read only where codes are asymmetric
//   errors       [rows, 128]: err of places first to first + count
//   losses       [rows], to which err^2 / 2 is added
//   dispatch     one invocation per row; no workgroup memory, no barrier
// MASK 1: of each M places the N of lowest w^2 / d^2, as the weights stand then, and of equal ones the earlier; 2: where that is
// at most the threshold as the block begins. BITS 0: what stays is not rounded. A division may be 2.5 ulp off, so that a
// quotient that near to a tie has either code. cols and first are multiples of 4.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_weight.wgsl

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;
override MASK: u32 = 0u;
override N: u32 = 2u;
override M: u32 = 4u;

const N_OF_M: u32 = 1u;
const THRESHOLD: u32 = 2u;
const BLOCK_COLUMNS: u32 = 128u;
const BLOCK_VECTORS: u32 = 32u;

struct Shape {
  rows: u32,
  cols: u32,
  first: u32,
  count: u32,
  groups_per_row: u32,
  group_size: u32,
  threshold: f32,
}

@group(0) @binding(0) var<storage, read_write> weights: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;
@group(0) @binding(4) var<storage, read> zero_points: array<u32>;
@group(0) @binding(5) var<storage, read_write> errors: array<f32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;
@group(0) @binding(7) var<uniform> shape: Shape;

// The weights of the block in one row, as they stand.
var<private> values: array<vec4<f32>, BLOCK_VECTORS>;

fn diagonal_at(k: u32) -> f32 {
  let at = (shape.first + k) * (shape.cols + 1u);
  return factor[at >> 2u][at & 3u];
}

fn score_at(k: u32) -> f32 {
  let value = values[k >> 2u][k & 3u];
  let diagonal = diagonal_at(k);
  return (value * value) / (diagonal * diagonal);
}

// The N lowest of `size` scores from `first` on, a bit each: those before which fewer than N go.
fn lowest_of(first: u32, size: u32) -> u32 {
  var scores: array<f32, 32>;
  for (var i = 0u; i < size; i += 1u) {
    scores[i] = score_at(first + i);
  }
  var lowest = 0u;
  for (var i = 0u; i < size; i += 1u) {
    var before = 0u;
    for (var j = 0u; j < size; j += 1u) {
      let is_before = scores[j] < scores[i] || (scores[j] == scores[i] && j < i);
      before += select(0u, 1u, is_before);
    }
    lowest |= select(0u, 1u, before < N) << i;
  }
  return lowest;
}

// The weight that a weight's code stands for.
fn restored(value: f32, group: u32) -> f32 {
  let scale = element_bits(scales[element_word(group)], group);
  var zero_point = 0;
  if (!SYMMETRIC) {
    zero_point = i32(signed_byte(zero_points[group >> 2u], group));
  }
  // A shift by constants must make sense even where nothing is rounded.
  let highest = f32((1u << (max(BITS, 1u) - 1u)) - 1u);
  let sum = value / bitcast<f32>(scale) + f32(zero_point);
  let level = bitcast<i32>(min(max(sum, -highest - 1.0), highest) + WHOLE) - WHOLE_BITS - zero_point;
  var weight = f32(level) * bitcast<f32>(scale);
  if (ELEMENT != F32) {
    weight = bitcast<f32>(weight_of(level, scale));
  }
  return weight;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let row = linear_index(id, workgroups);
  if (row >= shape.rows) {
    return;
  }
  var masked: array<u32, 4>;
  for (var k = 0u; k < shape.count; k += 1u) {
    values[k >> 2u][k & 3u] = weights[row * shape.cols + order[shape.first + k]];
    if (MASK == THRESHOLD) {
      masked[k >> 5u] |= select(0u, 1u, score_at(k) <= shape.threshold) << (k & 31u);
    }
  }
  var loss = losses[row];
  for (var k = 0u; k < shape.count; k += 1u) {
    let place = k % M;
    if (MASK == N_OF_M && place == 0u) {
      masked[0] = lowest_of(k, min(M, shape.count - k));
    }
    let column = order[shape.first + k];
    let value = values[k >> 2u][k & 3u];
    var kept = value;
    if (BITS > 0u) {
      kept = restored(value, select(row * shape.groups_per_row + column / shape.group_size, 0u, shape.groups_per_row == 0u));
    }
    if (MASK == N_OF_M) {
      kept = select(kept, 0.0, ((masked[0] >> place) & 1u) == 1u);
    } else if (MASK == THRESHOLD) {
      kept = select(kept, 0.0, ((masked[k >> 5u] >> (k & 31u)) & 1u) == 1u);
    }
    let error = (value - kept) / diagonal_at(k);
    weights[row * shape.cols + column] = kept;
    errors[row * BLOCK_COLUMNS + k] = error;
    loss += error * error * 0.5;
    // A vector may begin with columns that are done, and end with some beyond the block: nobody looks at those again.
    let u = ((shape.first + k) * shape.cols + shape.first) / 4u;
    for (var j = (k + 1u) / 4u; j < (shape.count + 3u) / 4u; j += 1u) {
      values[j] -= error * factor[u + j];
    }
  }
  losses[row] = loss;
}
