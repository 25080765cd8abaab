// The copy roof: what reading and writing costs when nothing is computed.
//   source       vec4 of words
//   destination  the same
//   dispatch     one invocation per 8 neighbouring vec4; the one-vec4 copy is 2.4 to 3.8 times slower on CPU drivers and
//                would flatter every share of the roof
// include: lib/invocation.wgsl

const PER_INVOCATION: u32 = 8u;

struct Shape {
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> destination: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.vectors);
  for (var index = first; index < end; index += 1u) {
    destination[index] = source[index];
  }
}
