// Scales and zero points of integer quantization from the extremes of each group.
//   extremes     two words per group, as stats/min_max writes them
//   scales       elements of a format, one per group
//   zero_points  signed bytes, one per group; not written where codes are symmetric
//   corners      five counters at place 5 * slot, added to: groups that are all zero; whose scale was too small for the format; whose scale is
//                subnormal; infinite; not a number
//   dispatch     one invocation per four groups; no workgroup memory, no barrier
// Exact, on integers. The results of group g go to place first + g; first is a multiple of four.
//   symmetric   scale = RN(absmax / ((2^BITS - 1) / 2))
//   asymmetric  scale = RN(RN(max - min) / (2^BITS - 1)), zero point = rint(clamp(RN(-2^(BITS-1) - RN(min / scale))))
// with min and max taken together with zero, RN rounding to the weights' format. A scale of 0 becomes the format's epsilon,
// but only after the zero point was computed. A zero point that is not a number is 0.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;

struct Shape {
  groups: u32,
  first: u32,
  slot: u32,
}

struct Params {
  scale: u32, // float32 bits
  zero_point: i32,
}

@group(0) @binding(0) var<storage, read> extremes: array<u32>;
@group(0) @binding(1) var<storage, read_write> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> corners: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> shape: Shape;

// The number of steps, 2^BITS - 1, as 24 bits: steps = STEPS * 2^(BITS - 24).
fn steps_mantissa() -> u32 {
  return ((1u << BITS) - 1u) << (24u - BITS);
}

// A magnitude divided by the number of steps, or by half of it, rounded to the format.
fn divided(magnitude: u32, half_steps: i32) -> u32 {
  if (magnitude >= INFINITY) {
    return select(INFINITY, NAN, magnitude > INFINITY);
  }
  if (magnitude == 0u) {
    return 0u;
  }
  let top = parts_of(magnitude);
  let quotient = quotient_of(top.mantissa, steps_mantissa());
  return rounded_to_element(quotient.bits, top.exponent + half_steps + 24 - i32(BITS) - 30, quotient.is_inexact);
}

// The sum of two magnitudes, rounded to the format.
fn sum_of(a: u32, b: u32) -> u32 {
  let larger = max(a, b);
  let smaller = min(a, b);
  if (larger >= INFINITY) {
    return select(INFINITY, NAN, larger > INFINITY);
  }
  if (smaller == 0u) {
    return larger;
  }
  let x = parts_of(larger);
  let y = parts_of(smaller);
  let distance = min(u32(x.exponent - y.exponent), 31u);
  let addend = y.mantissa << 6u;
  let is_inexact = (addend & ((1u << distance) - 1u)) != 0u;
  return rounded_to_element((x.mantissa << 6u) + (addend >> distance), x.exponent - 6, is_inexact);
}

// The zero point of a group from its largest negative magnitude and its scale, which may be 0.
fn zero_point_of(negative: u32, scale: u32) -> i32 {
  let lowest = -(1 << (BITS - 1u));
  if (scale > INFINITY || (scale == INFINITY && negative == INFINITY) || (scale == 0u && negative == 0u)) {
    return 0;
  }
  if (scale == 0u) {
    return -lowest - 1;
  }
  if (scale == INFINITY || negative == 0u) {
    return lowest;
  }
  let top = parts_of(negative);
  let bottom = parts_of(scale);
  let quotient = quotient_of(top.mantissa, bottom.mantissa);
  let length = 32u - countLeadingZeros(quotient.bits);
  let exponent = top.exponent - bottom.exponent - 30;
  let leading = exponent + i32(length) - 1;
  if (leading >= i32(BITS)) {
    return -lowest - 1;
  }
  if (leading < -3) {
    return lowest;
  }
  var kept_bits = 24u;
  if (ELEMENT == BF16) {
    kept_bits = 8u;
  } else if (ELEMENT == F16) {
    kept_bits = 11u;
  }
  let dropped = length - kept_bits;
  let ratio = without_low_bits(quotient.bits, dropped, quotient.is_inexact);
  // In units of 2^-(31 - BITS): fine enough for every bit that can decide, with one flag for the rest.
  let shift = exponent + i32(dropped) + 31 - i32(BITS);
  var fixed = shifted_left(ratio, shift);
  var is_inexact = shift < 0 && (ratio & ((1u << u32(max(-shift, 0))) - 1u)) != 0u;
  let unit = 31u - BITS;
  let offset = (1u << (BITS - 1u)) << unit;
  let is_negative = fixed < offset;
  var magnitude = select(fixed - offset, offset - fixed - select(0u, 1u, is_inexact), is_negative);
  if (magnitude == 0u) {
    return 0;
  }
  let magnitude_length = 32u - countLeadingZeros(magnitude);
  if (magnitude_length > kept_bits) {
    let low = magnitude_length - kept_bits;
    magnitude = without_low_bits(magnitude, low, is_inexact) << low;
    is_inexact = false;
  }
  let whole = i32(without_low_bits(magnitude, unit, is_inexact));
  return min(select(whole, -whole, is_negative), -lowest - 1);
}

fn count(corner: u32) {
  atomicAdd(&corners[5u * shape.slot + corner], 1u);
}

fn params_of(group: u32) -> Params {
  let positive = extremes[2u * group];
  let negative = extremes[2u * group + 1u];
  let largest = max(positive, negative);
  var params = Params(0u, 0);
  if (SYMMETRIC) {
    params.scale = divided(largest, 1);
  } else {
    params.scale = divided(sum_of(positive, negative), 0);
    params.zero_point = zero_point_of(negative, params.scale);
  }
  if (params.scale == 0u) {
    count(select(1u, 0u, largest == 0u));
    params.scale = epsilon();
  } else if (params.scale >= INFINITY) {
    count(select(3u, 4u, params.scale > INFINITY));
  } else if (params.scale < smallest_normal()) {
    count(2u);
  }
  return params;
}

fn epsilon() -> u32 {
  if (ELEMENT == BF16) {
    return 0x3c000000u; // 2^-7
  }
  return select(0x34000000u, 0x3a800000u, ELEMENT == F16); // 2^-23, 2^-10
}

fn smallest_normal() -> u32 {
  return select(0x00800000u, 0x38800000u, ELEMENT == F16); // 2^-126, 2^-14
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * 4u;
  if (first >= shape.groups) {
    return;
  }
  var bytes = 0u;
  var halves = vec2<u32>(0u);
  for (var i = 0u; i < 4u && first + i < shape.groups; i += 1u) {
    let params = params_of(first + i);
    bytes |= (u32(params.zero_point) & 0xffu) << (8u * i);
    let raw = narrowed(params.scale);
    if (ELEMENT == F32) {
      scales[shape.first + first + i] = raw;
    } else {
      halves[i >> 1u] |= raw << (16u * (i & 1u));
    }
  }
  let place = shape.first + first;
  if (ELEMENT != F32) {
    scales[place >> 1u] = halves.x;
    if (first + 2u < shape.groups) {
      scales[(place >> 1u) + 1u] = halves.y;
    }
  }
  if (!SYMMETRIC) {
    zero_points[place >> 2u] = bytes;
  }
}
