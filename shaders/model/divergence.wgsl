// What the divergence of two sets of logits is made of, for each row and block of the vocabulary.
//   base      [rows, stride], float32, of which `columns` columns count: ids from `first` on
//   other     the same of a variant
//   targets   u32 [rows]: the id that came next
//   sums      [rows, ceil(columns / block_columns), 10] words: of base the largest, sum of exp(base - largest) and the id of
//             the first largest (u32); the same three of other; sum of exp(base - largest) * ((base - other) - shift); shift,
//             which is base - other at that id; base and other at the target, 0 where it is not in the block
//   dispatch  one invocation per row and block, blocks of a row next to each other; no workgroup memory, no barrier
// The shift keeps the terms as small as the divergence is. Both sides go through the same steps, so that equal logits give
// equal sums and a difference of exactly 0. A logit of -infinity weighs nothing; of NaN or +infinity the sums are NaN: decided
// on bits, since WGSL may take both for granted not to occur. Each sum has four parts, of 32 columns at a time.
// include: lib/invocation.wgsl

const WORDS: u32 = 10u;
const PART: u32 = 32u;

const INFINITY: u32 = 0x7f800000u;
const NAN: u32 = 0x7fc00000u;
const SIGN: u32 = 0x80000000u;

struct Shape {
  rows: u32,
  columns: u32,
  stride: u32,
  first: u32,
  block_columns: u32,
}

@group(0) @binding(0) var<storage, read> base: array<f32>;
@group(0) @binding(1) var<storage, read> other: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<u32>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn base_at(at: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(base[at.x], base[at.y], base[at.z], base[at.w]);
}

fn other_at(at: vec4<u32>) -> vec4<f32> {
  return vec4<f32>(other[at.x], other[at.y], other[at.z], other[at.w]);
}

// The largest so far in each of four columns apart, where it stood first, and the largest magnitude as bits.
struct Top {
  largest: vec4<f32>,
  at: vec4<u32>,
  magnitude: vec4<u32>,
}

fn include(top: ptr<function, Top>, logits: vec4<f32>, at: vec4<u32>) {
  let is_larger = logits > (*top).largest;
  (*top).largest = select((*top).largest, logits, is_larger);
  (*top).at = select((*top).at, at, is_larger);
  (*top).magnitude = max((*top).magnitude, bitcast<vec4<u32>>(logits) & vec4<u32>(~SIGN));
}

struct Largest {
  logit: f32,
  at: u32,
  // Whether a sum of exponentials has a value.
  is_known: bool,
}

fn overall(top: Top) -> Largest {
  var logit = top.largest.x;
  var at = top.at.x;
  for (var lane = 1u; lane < 4u; lane += 1u) {
    let is_ahead = top.largest[lane] > logit || (top.largest[lane] == logit && top.at[lane] < at);
    logit = select(logit, top.largest[lane], is_ahead);
    at = select(at, top.at[lane], is_ahead);
  }
  let four = top.magnitude;
  let has_nan = max(max(four.x, four.y), max(four.z, four.w)) > INFINITY;
  return Largest(logit, at, !has_nan && bitcast<u32>(logit) != INFINITY);
}

// What exponents are counted from: where all is -infinity there is nothing to count.
fn unit_of(largest: Largest) -> f32 {
  return select(largest.logit, 0.0, bitcast<u32>(largest.logit) == (INFINITY | SIGN));
}

fn total(four: vec4<f32>) -> f32 {
  return (four.x + four.y) + (four.z + four.w);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let blocks = (shape.columns + shape.block_columns - 1u) / shape.block_columns;
  let row = index / blocks;
  if (row >= shape.rows) {
    return;
  }
  let first_column = (index % blocks) * shape.block_columns;
  let first = row * shape.stride + first_column;
  let count = min(shape.block_columns, shape.columns - first_column);
  let end = first + count;
  let lanes = vec4<u32>(0u, 1u, 2u, 3u);
  // Columns beyond the last are the last again.
  let start = min(lanes + first, vec4<u32>(end - 1u));
  var base_top = Top(base_at(start), start, vec4<u32>());
  var other_top = Top(other_at(start), start, vec4<u32>());
  for (var column = first; column < end; column += 4u) {
    let at = min(lanes + column, vec4<u32>(end - 1u));
    include(&base_top, base_at(at), at);
    include(&other_top, other_at(at), at);
  }
  let base_largest = overall(base_top);
  let other_largest = overall(other_top);
  let base_unit = unit_of(base_largest);
  let other_unit = unit_of(other_largest);
  let is_nothing = bitcast<u32>(base_largest.logit) == (INFINITY | SIGN);
  let shift = select(base[base_largest.at] - other[base_largest.at], 0.0, is_nothing);
  var base_sum = vec4<f32>();
  var other_sum = vec4<f32>();
  var cross = vec4<f32>();
  for (var part = first; part < end; part += PART) {
    var base_part = vec4<f32>();
    var other_part = vec4<f32>();
    var cross_part = vec4<f32>();
    for (var column = part; column < min(part + PART, end); column += 4u) {
      let at = min(lanes + column, vec4<u32>(end - 1u));
      let is_column = lanes + column < vec4<u32>(end);
      let b = base_at(at);
      let o = other_at(at);
      let base_weight = select(vec4<f32>(), exp(b - base_unit), is_column);
      base_part += base_weight;
      other_part += select(vec4<f32>(), exp(o - other_unit), is_column);
      cross_part += select(vec4<f32>(), base_weight * ((b - o) - shift), base_weight > vec4<f32>());
    }
    base_sum += base_part;
    other_sum += other_part;
    cross += cross_part;
  }
  let wanted = targets[row] - shape.first;
  let is_here = targets[row] >= shape.first && wanted >= first_column && wanted < first_column + count;
  let target_at = select(first, row * shape.stride + wanted, is_here);
  let to = index * WORDS;
  sums[to] = bitcast<u32>(base_largest.logit);
  sums[to + 1u] = select(NAN, bitcast<u32>(total(base_sum)), base_largest.is_known);
  sums[to + 2u] = shape.first + first_column + (base_largest.at - first);
  sums[to + 3u] = bitcast<u32>(other_largest.logit);
  sums[to + 4u] = select(NAN, bitcast<u32>(total(other_sum)), other_largest.is_known);
  sums[to + 5u] = shape.first + first_column + (other_largest.at - first);
  sums[to + 6u] = select(NAN, bitcast<u32>(total(cross)), base_largest.is_known && other_largest.is_known);
  sums[to + 7u] = bitcast<u32>(shift);
  sums[to + 8u] = select(0u, bitcast<u32>(base[target_at]), is_here);
  sums[to + 9u] = select(0u, bitcast<u32>(other[target_at]), is_here);
}
