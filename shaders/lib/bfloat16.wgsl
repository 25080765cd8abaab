// bfloat16 as bits: sign 1, exponent 8, fraction 7. All decisions are taken on integers: WGSL may flush subnormals, may
// assume NaN away, and rounds a division only to 2.5 ulp.

const BF16_INFINITY: u32 = 0x7f80u;
const BF16_NAN: u32 = 0x7fc0u;
const BF16_EPSILON: u32 = 0x3c00u; // 2^-7, torch.finfo(torch.bfloat16).eps

// Element `index` of an array of bf16 values, two to a word, the first in the lower half.
fn bf16_half(word: u32, index: u32) -> u32 {
  return (word >> ((index & 1u) * 16u)) & 0xffffu;
}

// A finite magnitude other than zero as mantissa * 2^exponent, the mantissa in 128..255: subnormals are shifted up.
struct Parts {
  mantissa: u32,
  exponent: i32,
}

fn bf16_parts(magnitude: u32) -> Parts {
  let biased = magnitude >> 7u;
  if (biased != 0u) {
    return Parts(128u | (magnitude & 0x7fu), i32(biased) - 134);
  }
  let shift = countLeadingZeros(magnitude) - 24u;
  return Parts(magnitude << shift, -133 - i32(shift));
}

// The value of bf16 bits; a subnormal may come out as 0.
fn bf16_value(bits: u32) -> f32 {
  return bitcast<f32>(bits << 16u);
}

// `bits` of a normal float32 of either sign, rounded to nearest, ties to even, with `dropped` fraction bits fewer.
fn round_fraction(bits: u32, dropped: u32) -> u32 {
  let unit = 1u << dropped;
  let odd = (bits >> dropped) & 1u;
  return (bits + (unit >> 1u) - 1u + odd) & ~(unit - 1u);
}

// mantissa * 2^exponent, exact, as a float32; 0 where the result would be subnormal.
fn scaled(mantissa: f32, exponent: i32) -> f32 {
  if (exponent < -126) {
    return 0.0;
  }
  return mantissa * bitcast<f32>(u32(exponent + 127) << 23u);
}

// A scale whose products with codes and quotients with weights stay far from the ends of float32. Weights that are
// subnormal beside it have code 0 and an error too small for float32, whether the adapter flushes them or not.
fn is_usual(scale: u32) -> bool {
  let biased = scale >> 7u;
  return biased >= 32u && biased <= 222u;
}
