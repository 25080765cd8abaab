// Each column, or row, of a matrix times its factor, or over it: rounded to float32, then to the element's format.
//   weights   elements (lib/elements.wgsl) [rows, cols]
//   factors   float32, one for each column under COLUMNS = 1, else for each row
//   rescaled    elements [rows, cols]; where a half word is left over, it is 0
//   dispatch  one invocation per 64 weights; no workgroup memory, no barrier
// Exact, although WGSL may round a product either way and a quotient 2.5 units in the last place off: what is left over between
// mantissas is far below 2^31, so that its low 32 bits are all of it, and says which float32 is the nearest. Where a float might
// be subnormal, infinite or NaN, where the step to the nearest one would cross a power of two, and behind the last eight
// weights, whole numbers do everything, afterwards: those are few.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/float32_steps.wgsl

override COLUMNS: u32 = 1u;
override OVER: u32 = 0u; // 1: weights are divided

const PER_INVOCATION: u32 = 64u;

struct Shape {
  rows: u32,
  cols: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> factors: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> rescaled: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

// The factor of a weight, as bits.
fn factor_of(index: u32) -> u32 {
  var line = 0u;
  if (COLUMNS == 1u) {
    line = index % shape.cols;
  } else {
    line = index / shape.cols;
  }
  return factors[line >> 2u][line & 3u];
}

// The factors of the eight weights from `index` on, a multiple of 8.
fn factors_of(index: u32) -> Eight {
  var first: vec4<u32>;
  var last: vec4<u32>;
  if ((shape.cols & 7u) != 0u) {
    for (var lane = 0u; lane < 4u; lane += 1u) {
      first[lane] = factor_of(index + lane);
      last[lane] = factor_of(index + 4u + lane);
    }
  } else if (COLUMNS == 1u) {
    let at = (index % shape.cols) >> 2u;
    first = factors[at];
    last = factors[at + 1u];
  } else {
    first = vec4<u32>(factor_of(index));
    last = first;
  }
  return eight_words(first, last);
}

// Float32 bits of four results, and which of them only whole numbers can tell.
struct Four {
  bits: vec4<u32>,
  doubtful: vec4<bool>,
}

fn mantissas(bits: vec4<u32>) -> vec4<u32> {
  return (bits & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
}

// 2^23 or 2^24, by how a float's exponent compares with what those of its operands add up to.
fn units_of(exponents: vec4<u32>) -> vec4<u32> {
  return select(vec4<u32>(0x800000u), vec4<u32>(0x1000000u), (exponents & vec4<u32>(0x7f800000u)) != vec4<u32>(0u));
}

fn between(bits: vec4<u32>, low: u32, high: u32) -> vec4<bool> {
  return (bits & vec4<u32>(~SIGN)) - low <= vec4<u32>(high - low);
}

fn ones(flags: vec4<bool>) -> vec4<u32> {
  return select(vec4<u32>(0u), vec4<u32>(1u), flags);
}

// Of the sum of exponents that a product or quotient of usual numbers should have, bits above the fraction.
fn fraction_free(bits: vec4<u32>) -> vec4<u32> {
  return bits & vec4<u32>(0x7f800000u);
}

fn products_of(own: vec4<u32>, factor: vec4<u32>) -> Four {
  let found = bitcast<vec4<u32>>(bitcast<vec4<f32>>(own) * bitcast<vec4<f32>>(factor));
  let units = units_of(fraction_free(found) + 0x3f800000u - fraction_free(own) - fraction_free(factor));
  let left = bitcast<vec4<i32>>(mantissas(own) * mantissas(factor) - mantissas(found) * units);
  // Twice what is left against a unit in the last place: at a tie the even one wins.
  let odd = bitcast<vec4<i32>>(found & vec4<u32>(1u));
  let bound = bitcast<vec4<i32>>(units) - odd;
  let bits = found + ones(left * 2 > bound) - ones(left * 2 < -bound);
  return Four(bits, (left < vec4<i32>(0)) & ((found & vec4<u32>(0x7fffffu)) == vec4<u32>(0u)));
}

fn quotients_of(own: vec4<u32>, factor: vec4<u32>) -> Four {
  let found = bitcast<vec4<u32>>(bitcast<vec4<f32>>(own) / bitcast<vec4<f32>>(factor));
  let units = units_of(fraction_free(own) + 0x3f800000u - fraction_free(found) - fraction_free(factor));
  let divisor = bitcast<vec4<i32>>(mantissas(factor));
  let left = bitcast<vec4<i32>>(mantissas(own) * units - mantissas(found) * bitcast<vec4<u32>>(divisor));
  // A quotient of two float32 never lies in the middle between two others.
  let twice = left * 2;
  let up = ones(twice > divisor) + ones(twice > divisor * 3) + ones(twice > divisor * 5);
  let down = ones(twice < -divisor) + ones(twice < divisor * -3) + ones(twice < divisor * -5);
  let is_near_power = ((found + 4u) & vec4<u32>(0x7fffffu)) < vec4<u32>(9u);
  return Four(found + up - down, (left != vec4<i32>(0)) & is_near_power);
}

fn results_of(weight: vec4<f32>, factor: vec4<f32>) -> Four {
  let own = bitcast<vec4<u32>>(weight);
  let by = bitcast<vec4<u32>>(factor);
  var four: Four;
  if (OVER == 1u) {
    four = quotients_of(own, by);
  } else {
    four = products_of(own, by);
  }
  var smallest = 0x01000000u;
  var largest = 0x7e000000u;
  if (ELEMENT == F16) { // its normal numbers
    smallest = 0x38800000u;
    largest = 0x477fe000u;
  }
  // Exponents that is_usual of lib/rounding.wgsl takes.
  let usual = between(by, 0x10000000u, 0x6f7fffffu);
  let plain = between(own, 0x10000000u, 0x6f7fffffu) & between(four.bits, smallest, largest) & !four.doubtful;
  let zero = (own & vec4<u32>(~SIGN)) == vec4<u32>(0u);
  let bits = select(four.bits, (own ^ by) & vec4<u32>(SIGN), zero);
  return Four(bits, !(usual & (zero | plain)));
}

// Own bits of the nearest elements to float32 that are zero, or normal in the format too.
fn narrowed_four(bits: vec4<u32>) -> vec4<u32> {
  var raw = bits;
  if (ELEMENT == BF16) {
    raw = bitcast<vec4<u32>>(rounded_fractions(bitcast<vec4<f32>>(bits), 16u)) >> vec4<u32>(16u);
  } else if (ELEMENT == F16) {
    let near = bitcast<vec4<u32>>(rounded_fractions(bitcast<vec4<f32>>(bits), 13u));
    let magnitude = near & vec4<u32>(~SIGN);
    let normal = (magnitude - 0x38000000u) >> vec4<u32>(13u);
    raw = select(normal, vec4<u32>(0u), magnitude == vec4<u32>(0u)) | ((near & vec4<u32>(SIGN)) >> vec4<u32>(16u));
  }
  return raw;
}

// Writes what the eight weights from `index` on become, and tells which are still to be done, the first in the lowest bit.
fn scale_eight(index: u32) -> u32 {
  let own = eight_weights(index);
  let by = factors_of(index);
  let even = results_of(own.even, by.even);
  let odd = results_of(own.odd, by.odd);
  let even_raw = narrowed_four(even.bits);
  let odd_raw = narrowed_four(odd.bits);
  if (ELEMENT == F32) {
    for (var lane = 0u; lane < 4u; lane += 1u) {
      rescaled[index + 2u * lane] = even_raw[lane];
      rescaled[index + 2u * lane + 1u] = odd_raw[lane];
    }
  } else {
    // What is doubtful may have bits anywhere.
    let words = (even_raw & vec4<u32>(0xffffu)) | (odd_raw * 65536u);
    for (var lane = 0u; lane < 4u; lane += 1u) {
      rescaled[(index >> 1u) + lane] = words[lane];
    }
  }
  let places = select(vec4<u32>(0u), vec4<u32>(1u, 4u, 16u, 64u), even.doubtful) |
    select(vec4<u32>(0u), vec4<u32>(2u, 8u, 32u, 128u), odd.doubtful);
  return places.x | places.y | places.z | places.w;
}

// The magnitude of a quotient of two magnitudes.
fn exact_quotient(a: u32, b: u32) -> u32 {
  var bits = 0u;
  if (max(a, b) > INFINITY || (a == b && (a == 0u || a == INFINITY))) {
    bits = NAN;
  } else if (a == INFINITY || b == 0u) {
    bits = INFINITY;
  } else if (a != 0u && b != INFINITY) {
    let x = parts_of(a);
    let y = parts_of(b);
    let quotient = quotient_of(x.mantissa, y.mantissa);
    bits = nearest_float32(quotient.bits, x.exponent - y.exponent - 30, quotient.is_inexact);
  }
  return bits;
}

// Own bits of the element nearest to any float32 magnitude; of a NaN the format's own.
fn narrowed_any(magnitude: u32) -> u32 {
  var raw = magnitude;
  if (ELEMENT == BF16) {
    raw = without_low_bits(magnitude, 16u, false);
  } else if (ELEMENT == F16) {
    if (magnitude > INFINITY) {
      raw = 0x7e00u;
    } else if (magnitude >= 0x477ff000u) { // 65520 and more
      raw = 0x7c00u;
    } else if (magnitude >= 0x38800000u) {
      raw = without_low_bits(magnitude - 0x38000000u, 13u, false);
    } else {
      // Counted in 2^-24. What is below 2^-26 is not: its bits are out of the way of a shift of 31.
      let mantissa = 0x800000u | (magnitude & 0x7fffffu);
      raw = without_low_bits(mantissa, 126u - max(magnitude >> 23u, 95u), false);
    }
  }
  return raw;
}

// Writes what any weight becomes.
fn scale_exactly(index: u32) {
  let own = weight_at(index);
  let by = factor_of(index);
  var magnitude: u32;
  if (OVER == 1u) {
    magnitude = exact_quotient(own & ~SIGN, by & ~SIGN);
  } else {
    magnitude = exact_product(own & ~SIGN, by & ~SIGN);
  }
  let sign = select((own ^ by) & SIGN, 0u, magnitude > INFINITY);
  let raw = narrowed_any(magnitude);
  if (ELEMENT == F32) {
    rescaled[index] = raw | sign;
  } else {
    let half = (raw | (sign >> 16u)) << ((index & 1u) * 16u);
    rescaled[index >> 1u] = (rescaled[index >> 1u] & (0xffff0000u >> ((index & 1u) * 16u))) | half;
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.rows * shape.cols);
  let whole = max(first, end & ~7u);
  var doubtful = vec2<u32>(0u);
  for (var index = first; index < whole; index += 8u) {
    let place = index - first;
    doubtful[place >> 5u] |= scale_eight(index) << (place & 31u);
  }
  if (whole < end) {
    let place = whole - first;
    doubtful[place >> 5u] |= ((1u << (end - whole)) - 1u) << (place & 31u);
    if (ELEMENT != F32) {
      rescaled[(end - 1u) >> 1u] = 0u; // the half that no weight fills
    }
  }
  for (var half = 0u; half < 2u; half += 1u) {
    for (var places = doubtful[half]; places != 0u; places &= places - 1u) {
      scale_exactly(first + 32u * half + firstTrailingBit(places));
    }
  }
}
