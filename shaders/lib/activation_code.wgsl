// What is left of float32 that are rounded to integer codes, exactly as the named rule gives it; NaN has the bits NAN.
// Needs lib/invocation.wgsl, lib/elements.wgsl, lib/rounding.wgsl, lib/int_code.wgsl, lib/int_weight.wgsl, lib/products.wgsl,
// ELEMENT F32, PRECISION 24, the bindings `scales` and `factors`, arrays of u32, and `shape`, a Shape, and functions for where
// numbers lie: four_at(at) gives the bits of the four at vector `at` of the register, put_four(at, bits) writes them.
//   RULE 0, simulated          code = rint(clamp(RN(RN(x / scale) + zero point))), y = RN((code - zero point) * scale); codes
//                              are floats: NaN stays, and -0.2 leaves -0
//   RULE 1, served-token       code = rint(RN(x * factor)), cut off at -128 and 127, y = RN(code * scale)
//   RULE 2, served-token-head  code = RN(x * factor), cut off at -128 and 127, towards zero, y = RN(code * scale)
// Of the last two, codes are integers: that of a NaN is 0. Zero points are signed bytes, factors float32; neither these nor
// scales are negative.
//
// The usual path computes in float32, under scales and factors that are far from its ends and where the adapter is seen to
// round products to nearest, ties to even. Such a product is exact unless the compiler lets it go into a sum unrounded, so that
// numbers near a tie are doubtful, as in lib/int_code.wgsl; none goes into a sum under RULE 2. The exact path does all of this
// on integers.

override BITS: u32 = 8u;
override SYMMETRIC: bool = true;
override RULE: u32 = 0u;

const SIMULATED: u32 = 0u;
const SERVED_TOKEN: u32 = 1u;
const SERVED_TOKEN_HEAD: u32 = 2u;

// Fours of columns that one invocation rounds at most: a bit each in a word.
const FOURS: u32 = 32u;

// A product below 256, rounded or not, is less than this off.
const PRODUCT_MARGIN: f32 = 6.103515625e-5; // 2^-14

struct Shape {
  rows: u32,
  width: u32,
  start: u32,
  stride: u32,
  count: u32,
  dim: u32,
  row_step: u32,
  piece_step: u32,
}

// What a piece is rounded with: bits of its scale and of what its numbers are multiplied with on the usual path, its zero point,
// and the bits beyond which a number that has code 0 leaves -0.
struct Rounding {
  scale: u32,
  factor: u32,
  zero_point: i32,
  minus_zero: u32,
  is_usual: bool,
}

// The largest magnitude whose quotient by a finite scale rounds to 0, as bits: scale * 2^-150, cut off.
fn vanishing(scale: u32) -> u32 {
  let biased = scale >> 23u;
  let subnormal = select((0x800000u | (scale & 0x7fffffu)) >> (151u - clamp(biased, 128u, 151u)), 0u, biased < 128u);
  return select(subnormal, scale - (150u << 23u), biased > 150u);
}

fn rounding_at(place: u32) -> Rounding {
  var found = Rounding(scales[place], 0u, 0, 0xffffffffu, rounds_to_even(shape.rows));
  if (RULE == SIMULATED) {
    if (!SYMMETRIC) {
      found.zero_point = i32(signed_byte(factors[place >> 2u], place));
    }
    found.factor = bitcast<u32>(1.0 / bitcast<f32>(found.scale));
    found.minus_zero = select(0xffffffffu, SIGN | vanishing(found.scale), found.zero_point == 0);
    found.is_usual = found.is_usual && is_usual(found.scale);
  } else {
    found.factor = factors[place];
    found.is_usual = found.is_usual && is_usual(found.scale) && is_usual(found.factor);
  }
  return found;
}

// Four numbers after rounding, and which of them only the exact path can tell.
struct RoundedFour {
  bits: vec4<u32>,
  doubtful: vec4<bool>,
}

fn usual_four(bits: vec4<u32>, how: Rounding) -> RoundedFour {
  let values = bitcast<vec4<f32>>(bits);
  let factors = vec4<f32>(bitcast<f32>(how.factor));
  let scale = bitcast<f32>(how.scale);
  // Of NaN and infinities adapters may assume that there are none.
  var found: RoundedFour;
  found.doubtful = (bits & vec4<u32>(~SIGN)) >= vec4<u32>(INFINITY);
  if (RULE == SERVED_TOKEN_HEAD) {
    let is_negative = bits >= vec4<u32>(SIGN);
    let limits = select(vec4<f32>(127.0), vec4<f32>(128.0), is_negative);
    let codes = min(floor(abs(values) * factors), limits);
    let signs = select(vec4<u32>(0u), vec4<u32>(SIGN), is_negative & (codes >= vec4<f32>(1.0)));
    found.bits = bitcast<vec4<u32>>(codes * scale) | signs;
  } else {
    let margin = select(PRODUCT_MARGIN, margin_of(BITS), RULE == SIMULATED);
    let codes = usual_codes(values, factors, vec4<f32>(f32(how.zero_point)), margin, RULE == SIMULATED && !SYMMETRIC);
    let kept = min(max(codes.marked, vec4<i32>(marked_low(BITS))), vec4<i32>(marked_high(BITS)));
    let levels = vec4<f32>(kept - (WHOLE_BITS + how.zero_point));
    found.bits = bitcast<vec4<u32>>(levels * scale);
    found.doubtful = found.doubtful | codes.doubtful;
    if (RULE == SIMULATED) {
      found.bits |= select(vec4<u32>(0u), vec4<u32>(SIGN), bits > vec4<u32>(how.minus_zero));
    }
  }
  return found;
}

// The code before it is cut off, for any number and factor that is not negative.
fn served_code(bits: u32, factor: u32) -> i32 {
  let magnitude = bits & ~SIGN;
  if (max(magnitude, factor) > INFINITY || magnitude == 0u || factor == 0u) {
    return 0;
  }
  let is_negative = (bits & SIGN) != 0u;
  let beyond = select(BEYOND, -BEYOND, is_negative);
  if (max(magnitude, factor) == INFINITY) {
    return beyond;
  }
  // The product of two mantissas of 24 bits without its lowest 18 bits, from halves of 12 bits.
  let x = parts_of(magnitude);
  let y = parts_of(factor);
  let low = (x.mantissa & 0xfffu) * (y.mantissa & 0xfffu);
  let middle = (x.mantissa >> 12u) * (y.mantissa & 0xfffu) + (x.mantissa & 0xfffu) * (y.mantissa >> 12u) + (low >> 12u);
  let product = (((x.mantissa >> 12u) * (y.mantissa >> 12u)) << 6u) + (middle >> 6u);
  let is_inexact = (middle & 0x3fu) != 0u || (low & 0xfffu) != 0u;
  let length = 32u - countLeadingZeros(product);
  let leading = x.exponent + y.exponent + 18 + i32(length) - 1; // the product is in [2^leading, 2^(leading + 1))
  if (leading >= 9) {
    return beyond;
  }
  if (leading < -3) {
    return 0;
  }
  // RN(product) = kept * 2^-fraction, whose 24 or 25 bits begin at 2^leading.
  let kept = without_low_bits(product, length - 24u, is_inexact);
  let fraction = u32(23 - leading);
  var code = i32(kept >> fraction);
  if (RULE == SERVED_TOKEN) {
    code = i32(without_low_bits(kept, fraction, false));
  }
  return select(code, -code, is_negative);
}

fn exact_one(bits: u32, how: Rounding) -> u32 {
  let lowest = -(1 << (BITS - 1u));
  let highest = -lowest - 1;
  if (RULE != SIMULATED) {
    return weight_of(clamp(served_code(bits, how.factor), lowest, highest), how.scale);
  }
  let magnitude = bits & ~SIGN;
  // 0 * infinity is not a number, nor is 0 / 0.
  if (magnitude > INFINITY || how.scale >= INFINITY || (how.scale == 0u && magnitude == 0u)) {
    return NAN;
  }
  var code = select(BEYOND, -BEYOND, (bits & SIGN) != 0u);
  if (how.scale != 0u) {
    code = exact_code(bits, how.scale, how.zero_point);
  }
  let level = clamp(code, lowest, highest) - how.zero_point;
  return weight_of(level, how.scale) | select(0u, SIGN, bits > how.minus_zero);
}

// Four numbers of which some are doubtful, or all unusual.
fn exact_four(bits: vec4<u32>, how: Rounding) -> vec4<u32> {
  let usual = usual_four(bits, how);
  var found = usual.bits;
  let marks = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), usual.doubtful);
  var places = select(15u, marks.x | marks.y | marks.z | marks.w, how.is_usual);
  for (; places != 0u; places &= places - 1u) {
    let place = countTrailingZeros(places);
    found[place] = exact_one(bits[place], how);
  }
  return found;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  // Invocations that share a piece: neighbours take neighbouring fours.
  let members = (shape.dim + 4u * FOURS - 1u) / (4u * FOURS);
  let row = index / (members * shape.count);
  if (row >= shape.rows) {
    return;
  }
  let piece = index / members % shape.count;
  let start = row * shape.width + shape.start + piece * shape.stride;
  let first = start / 4u + index % members;
  let end = (start + shape.dim) / 4u;
  let how = rounding_at(row * shape.row_step + piece * shape.piece_step);
  // A bit for each four that has to be looked at once more: it stays as it is until then, since there may be one register only.
  var doubtful = 0u;
  var own = 1u;
  for (var at = first; at < end; at += members) {
    let found = usual_four(four_at(at), how);
    if (how.is_usual && !any(found.doubtful)) {
      put_four(at, found.bits);
    } else {
      doubtful |= own;
    }
    own += own;
  }
  for (; doubtful != 0u; doubtful &= doubtful - 1u) {
    let at = first + members * countTrailingZeros(doubtful);
    put_four(at, exact_four(four_at(at), how));
  }
}
