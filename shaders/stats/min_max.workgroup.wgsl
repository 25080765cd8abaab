// The extremes of each group of weights, as stats/min_max.wgsl has them: several invocations to a group, for GPUs, whose
// neighbours should load neighbouring words and which have too few groups to be busy with one invocation each.
//   dispatch  one workgroup per 64 / team_size() groups
// include: lib/invocation.wgsl
// include: lib/workgroup.wgsl
// include: lib/elements.wgsl
// include: lib/extremes.wgsl
// include: lib/extremes_share.wgsl

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> extremes: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// Of each invocation: largest own bits on either side, then those of ever more of its team.
var<workgroup> found_by: array<vec2<i32>, WORKGROUP_SIZE>;

// Invocations to a group: one for each of its vectors, up to the next power of two, all of the workgroup at most.
fn team_size() -> u32 {
  let per_vector = select(8u, 4u, ELEMENT == F32);
  let vectors = clamp((shape.group_size - 1u) / per_vector + 1u, 1u, WORKGROUP_SIZE);
  return 1u << (32u - countLeadingZeros(vectors - 1u));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let team = team_size();
  let lane = own % team;
  let group = workgroup_index(id, workgroups) * (WORKGROUP_SIZE / team) + own / team;
  let found = extremes_of_share(group, lane, team);
  found_by[own] = vec2<i32>(largest_lane(found.positive), largest_lane(found.negative));
  for (var half = team / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      found_by[own] = max(found_by[own], found_by[own + half]);
    }
  }
  if (lane == 0u && is_group(group)) {
    extremes[2u * group] = magnitude_bits(found_by[own].x);
    extremes[2u * group + 1u] = magnitude_bits(found_by[own].y);
  }
}
