// What one of several invocations finds in a group of weights. Needs lib/extremes.wgsl and the uniforms `shape`.

// Whether there is such a group; no product that could pass 2^32.
fn is_group(group: u32) -> bool {
  return shape.elements > 0u && group <= (shape.elements - 1u) / shape.group_size;
}

// Of every vector and every weight at the ends, number `lane` of each `lanes`: neighbours load neighbouring vectors. Nothing of a
// group that is not there.
fn extremes_of_share(group: u32, lane: u32, lanes: u32) -> Extremes {
  var found = Extremes();
  if (is_group(group)) {
    let first = group * shape.group_size;
    let end = first + min(shape.group_size, shape.elements - first);
    // Whole eights, and what is left on either side of them.
    let whole_first = min((first + 7u) & ~7u, end);
    let whole_end = max(whole_first, end & ~7u);
    for (var index = first + lane; index < whole_first; index += lanes) {
      include_one(&found, index);
    }
    let last_vector = element_word(whole_end) / 4u;
    for (var at = element_word(whole_first) / 4u + lane; at < last_vector; at += lanes) {
      include_vector(&found, at);
    }
    for (var index = whole_end + lane; index < end; index += lanes) {
      include_one(&found, index);
    }
  }
  return found;
}
