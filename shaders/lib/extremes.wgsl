// The extremes of weights on either side of zero. Needs lib/elements.wgsl and the binding `weights`, an array of vec4<u32>.

// Own bits, those of 16-bit elements in the upper half, as signed numbers: positive ones order as they are, negative ones
// with their sign changed, and what is of the other sign is less than zero.
struct Extremes {
  positive: vec4<i32>,
  negative: vec4<i32>,
}

fn include(found: ptr<function, Extremes>, raw: vec4<u32>) {
  (*found).positive = max((*found).positive, bitcast<vec4<i32>>(raw));
  (*found).negative = max((*found).negative, bitcast<vec4<i32>>(raw ^ vec4<u32>(SIGN)));
}

// The weight at `index`.
fn include_one(found: ptr<function, Extremes>, index: u32) {
  let word = element_word(index);
  let raw = element_raw(weights[word >> 2u][word & 3u], index);
  include(found, vec4<u32>(select(raw << 16u, raw, ELEMENT == F32)));
}

// All weights of vector `at`.
fn include_vector(found: ptr<function, Extremes>, at: u32) {
  let words = weights[at];
  include(found, words);
  if (ELEMENT != F32) {
    include(found, words * 65536u);
  }
}

// The larger of four lanes, as their own bits.
fn largest_lane(lanes: vec4<i32>) -> i32 {
  return max(max(lanes.x, lanes.y), max(lanes.z, lanes.w));
}

// Own bits of a magnitude as those of a float32.
fn magnitude_bits(own: i32) -> u32 {
  let raw = u32(own);
  return widened(select(raw >> 16u, raw, ELEMENT == F32));
}
