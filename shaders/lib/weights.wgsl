// Elements of the binding `weights`, an array of vec4<u32>. Needs lib/elements.wgsl.

// A weight as float32 bits.
fn weight_at(index: u32) -> u32 {
  let word = element_word(index);
  return element_bits(weights[word >> 2u][word & 3u], index);
}

// The eight weights from `index` on, a multiple of 8.
fn eight_weights(index: u32) -> Eight {
  var eight: Eight;
  if (ELEMENT == F32) {
    eight = eight_words(weights[index >> 2u], weights[(index >> 2u) + 1u]);
  } else {
    eight = eight_halves(weights[index >> 3u]);
  }
  return eight;
}
