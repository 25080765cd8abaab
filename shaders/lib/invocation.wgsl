// One number per invocation, whatever the dispatch was folded into: a dimension holds at most 65535 workgroups, so wide
// dispatches continue in y.
const WORKGROUP_SIZE: u32 = 64u;

fn linear_index(id: vec3<u32>, groups: vec3<u32>) -> u32 {
  return id.y * (groups.x * WORKGROUP_SIZE) + id.x;
}
