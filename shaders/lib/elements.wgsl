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

// Element `index` as float32 bits, from its word. A product instead of a shift: see eight_halves.
fn element_bits(word: u32, index: u32) -> u32 {
  var bits = word;
  if (ELEMENT == BF16) {
    bits = select(word * 65536u, word & 0xffff0000u, (index & 1u) == 1u);
  } else if (ELEMENT == F16) {
    bits = widened_f16(element_raw(word, index));
  }
  return bits;
}

// Signed byte `index` as a float, from its word, the first in the lowest bits.
fn signed_byte(word: u32, index: u32) -> f32 {
  let place = index & 3u;
  let factor = select(select(0x1000000u, 0x10000u, place == 1u), select(0x100u, 1u, place == 3u), place >= 2u);
  return f32(bitcast<i32>((word * factor) & 0xff000000u)) * 5.9604644775390625e-8;
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

// Eight elements that lie side by side, as float32: those at even places and those at odd ones.
struct Eight {
  even: vec4<f32>,
  odd: vec4<f32>,
}

// Four f16 as float32. A product with 2^-24 is exact for subnormals too, whatever the adapter does to those of its own.
fn widened_halves(raw: vec4<u32>) -> vec4<f32> {
  let magnitude = raw & vec4<u32>(0x7fffu);
  let subnormal = bitcast<vec4<u32>>(vec4<f32>(magnitude) * 5.9604644775390625e-8);
  let normal = (magnitude << vec4<u32>(13u)) + 0x38000000u;
  let special = (magnitude << vec4<u32>(13u)) + 0x70000000u;
  let finite = select(normal, subnormal, magnitude < vec4<u32>(0x400u));
  let sign = (raw & vec4<u32>(0x8000u)) << vec4<u32>(16u);
  return bitcast<vec4<f32>>(sign | select(finite, special, magnitude >= vec4<u32>(0x7c00u)));
}

// From four words of 16-bit elements. Software adapters multiply four numbers at once, and shift them one by one.
fn eight_halves(words: vec4<u32>) -> Eight {
  var eight = Eight(bitcast<vec4<f32>>(words * 65536u), bitcast<vec4<f32>>(words & vec4<u32>(0xffff0000u)));
  if (ELEMENT == F16) {
    eight = Eight(widened_halves(words & vec4<u32>(0xffffu)), widened_halves(words >> vec4<u32>(16u)));
  }
  return eight;
}

// From eight words of float32, the first four and the others.
fn eight_words(first: vec4<u32>, last: vec4<u32>) -> Eight {
  return Eight(
    bitcast<vec4<f32>>(vec4<u32>(first.xz, last.xz)),
    bitcast<vec4<f32>>(vec4<u32>(first.yw, last.yw)),
  );
}
