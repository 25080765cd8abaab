// The extremes of pieces of rows on either side of zero.
//   values    float32 bits [rows, width]; piece h of a row has the columns from start + h * stride on, dim of them; all of
//             these are multiples of 4
//   extremes  two words per piece [rows, count, 2], float32 bits without sign: the largest magnitude among its positive
//             numbers and zero, the largest among its negative ones; a NaN counts as larger than infinity
//   dispatch  one invocation per piece; no workgroup memory, no barrier
// include: lib/invocation.wgsl

struct Shape {
  rows: u32,
  width: u32,
  start: u32,
  stride: u32,
  count: u32,
  dim: u32,
}

@group(0) @binding(0) var<storage, read> values: array<vec4<i32>>;
@group(0) @binding(1) var<storage, read_write> extremes: array<vec2<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

const SIGN: i32 = -0x7fffffff - 1;

fn largest_lane(lanes: vec4<i32>) -> u32 {
  return u32(max(max(lanes.x, lanes.y), max(lanes.z, lanes.w)));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let row = index / shape.count;
  if (row >= shape.rows) {
    return;
  }
  let first = (row * shape.width + shape.start + (index % shape.count) * shape.stride) / 4u;
  // As signed numbers, bits order as magnitudes, and what is of the other sign is less than zero.
  var positive = vec4<i32>(0);
  var negative = vec4<i32>(0);
  for (var at = first; at < first + shape.dim / 4u; at += 1u) {
    let bits = values[at];
    positive = max(positive, bits);
    negative = max(negative, bits ^ vec4<i32>(SIGN));
  }
  extremes[index] = vec2<u32>(largest_lane(positive), largest_lane(negative));
}
