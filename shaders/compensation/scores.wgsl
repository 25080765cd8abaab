// What the removal of each weight of a block of columns costs: w^2 / d^2, with d the diagonal of a factor, all float32.
//   weights   [rows, cols]
//   order     the column that is processed at each of cols places
//   factor    U [cols, cols], in the order of processing
//   scores    [rows, count] of places first to first + count
//   dispatch  one invocation per 16 scores; no workgroup memory, no barrier
// include: lib/invocation.wgsl

const BLOCK: u32 = 16u;

struct Shape {
  rows: u32,
  cols: u32,
  first: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
@group(0) @binding(4) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let start = linear_index(id, workgroups) * BLOCK;
  let end = min(start + BLOCK, shape.rows * shape.count);
  for (var index = start; index < end; index += 1u) {
    let place = shape.first + index % shape.count;
    let weight = weights[(index / shape.count) * shape.cols + order[place]];
    let diagonal = factor[place * (shape.cols + 1u)];
    scores[index] = (weight * weight) / (diagonal * diagonal);
  }
}
