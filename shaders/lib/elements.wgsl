// Weights of one float format in an array of words: bf16 and f16 two to a word, the first in the lower half; f32 one.
// Everything is handled as the bits of a float32, into which every value of the three formats goes without loss. All
// decisions are taken on integers: WGSL may flush subnormals, may assume NaN away, and rounds a division only to 2.5 ulp.

override ELEMENT: u32 = 0u;

const BF16: u32 = 0u;
const F16: u32 = 1u;
const F32: u32 = 2u;

const INFINITY: u32 = 0x7f800000u; // as float32 bits
const NAN: u32 = 0x7fc00000u;
const SIGN: u32 = 0x80000000u;

// The word in which element `index` lies.
fn element_word(index: u32) -> u32 {
  return select(index >> 1u, index, ELEMENT == F32);
}

// Functions that run for every weight return at their end only: software adapters make a loop of any other return.

// Its own bits, from that word.
fn element_raw(word: u32, index: u32) -> u32 {
  var raw = word;
  if (ELEMENT != F32) {
    raw = (word >> ((index & 1u) * 16u)) & 0xffffu;
  }
  return raw;
}

// Bits of an f16 as those of a float32.
fn widened_f16(raw: u32) -> u32 {
  let magnitude = raw & 0x7fffu;
  // A subnormal of f16 is a normal float32: its highest bit becomes the leading one.
  let shift = (countLeadingZeros(magnitude) - 21u) & 15u;
  let subnormal = ((113u - shift) << 23u) + ((magnitude << (shift + 13u)) & 0x7fffffu);
  let normal = (magnitude << 13u) + 0x38000000u;
  let special = INFINITY | ((magnitude & 0x3ffu) << 13u);
  let finite = select(select(subnormal, normal, magnitude >= 0x400u), 0u, magnitude == 0u);
  return ((raw & 0x8000u) << 16u) | select(finite, special, magnitude >= 0x7c00u);
}

// An element's own bits as those of a float32.
fn widened(raw: u32) -> u32 {
  var bits = raw;
  if (ELEMENT == BF16) {
    bits = raw << 16u;
  } else if (ELEMENT == F16) {
    bits = widened_f16(raw);
  }
  return bits;
}

// Element `index` as float32 bits, from its word.
fn element_bits(word: u32, index: u32) -> u32 {
  return widened(element_raw(word, index));
}

// The element's own bits of a float32 that the format holds exactly; also infinity and NaN.
fn narrowed(bits: u32) -> u32 {
  if (ELEMENT == F32) {
    return bits;
  }
  if (ELEMENT == BF16) {
    return bits >> 16u;
  }
  let sign = (bits & SIGN) >> 16u;
  let magnitude = bits & 0x7fffffffu;
  if (magnitude >= INFINITY) {
    return sign | 0x7c00u | ((magnitude & 0x7fffffu) >> 13u);
  }
  if (magnitude >= 0x38800000u) {
    return sign | ((magnitude - 0x38000000u) >> 13u);
  }
  if (magnitude == 0u) {
    return sign;
  }
  let shift = 113u - (magnitude >> 23u);
  return sign | ((0x400u | ((magnitude & 0x7fffffu) >> 13u)) >> shift);
}
