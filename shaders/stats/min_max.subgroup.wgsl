// The extremes of each group of weights, as stats/min_max.wgsl has them: a subgroup to a group, which adds its finds up
// without memory.
//   dispatch  one workgroup per 24 groups
// Nothing is taken for granted of a subgroup: neither how many invocations it has, nor which, nor that all are there. Those
// that are number themselves, and so do the subgroups.
enable subgroups;
// include: lib/invocation.wgsl
// include: lib/workgroup.wgsl
// include: lib/elements.wgsl
// include: lib/extremes.wgsl
// include: lib/extremes_share.wgsl

const GROUPS: u32 = 24u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

var<workgroup> numbered: atomic<u32>;
var<workgroup> subgroups_here: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  var number = 0u;
  if (subgroupElect()) {
    number = atomicAdd(&numbered, 1u);
  }
  number = subgroupBroadcastFirst(number);
  let lanes = subgroupAdd(1u);
  let lane = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  if (own == 0u) {
    subgroups_here = atomicLoad(&numbered);
  }
  let step = workgroupUniformLoad(&subgroups_here);
  let first = workgroup_index(id, workgroups) * GROUPS;
  for (var turn = 0u; turn < GROUPS; turn += step) {
    let group = first + turn + number;
    let found = extremes_of_share(group, lane, lanes);
    let positive = subgroupMax(largest_lane(found.positive));
    let negative = subgroupMax(largest_lane(found.negative));
    // The last turn may reach into the groups of the next workgroup.
    let is_own = turn + number < GROUPS && is_group(group);
    if (lane == 0u && is_own) {
      extremes[2u * group] = magnitude_bits(positive);
      extremes[2u * group + 1u] = magnitude_bits(negative);
    }
  }
}
