// One number per workgroup, whatever the dispatch was folded into: as linear_index of lib/invocation.wgsl.
fn workgroup_index(id: vec3<u32>, groups: vec3<u32>) -> u32 {
  return id.y * groups.x + id.x;
}
