// Scales of symmetric integer quantization: largest magnitude of each group of weights, divided by half the number of steps.
//   weights  bf16, two to a word: groups * group_size elements, groups one after the other
//   scales   bf16, two to a word: one per group; the last half word is 0 when the number of groups is odd
//   dispatch one invocation per word of scales; no workgroup memory, no barrier
// Exact: scale = RN_bf16(absmax * 2 / (2^BITS - 1)) on integers; 0 becomes 2^-7. A NaN in the group gives NaN, else an
// infinity gives infinity.
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl

override BITS: u32 = 4u;

struct Shape {
  groups: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> scales: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

fn largest_magnitude(group: u32) -> u32 {
  let first = group * shape.group_size;
  let end = first + shape.group_size;
  var largest = 0u;
  var index = first;
  if ((index & 1u) != 0u) {
    largest = bf16_half(weights[index >> 1u], index) & 0x7fffu;
    index += 1u;
  }
  // Magnitudes order like their bits, infinity and NaN above all. Two halves at a time.
  for (; index + 1u < end; index += 2u) {
    let word = weights[index >> 1u] & 0x7fff7fffu;
    largest = max(largest, max(word & 0xffffu, word >> 16u));
  }
  if (index < end) {
    largest = max(largest, bf16_half(weights[index >> 1u], index) & 0x7fffu);
  }
  return largest;
}

// absmax / ((2^BITS - 1) / 2), rounded to bf16 on integers.
fn scale_of(absmax: u32) -> u32 {
  if (absmax > BF16_INFINITY) {
    return BF16_NAN;
  }
  if (absmax == BF16_INFINITY) {
    return BF16_INFINITY;
  }
  if (absmax == 0u) {
    return BF16_EPSILON;
  }
  let parts = bf16_parts(absmax);
  let divisor = (1u << BITS) - 1u;
  let dividend = parts.mantissa << 17u; // twice the mantissa, 16 more bits
  let quotient = dividend / divisor;
  let sticky = select(0u, 1u, dividend % divisor != 0u);
  // quotient * 2^(exponent - 16). Bits to drop so that 8 remain, or more where the result is subnormal.
  let length = 32u - countLeadingZeros(quotient);
  let exponent = parts.exponent - 16;
  let dropped = u32(max(i32(length) - 8, -133 - exponent));
  if (dropped > 30u) {
    return BF16_EPSILON;
  }
  let kept = quotient >> dropped;
  let rest = ((quotient & ((1u << dropped) - 1u)) << 1u) | sticky;
  let half = 1u << dropped;
  let up = rest > half || (rest == half && (kept & 1u) == 1u);
  let mantissa = kept + select(0u, 1u, up);
  if (mantissa == 0u) {
    return BF16_EPSILON;
  }
  // Below 128 the result is subnormal and the mantissa is its bits; from 128 on, adding the mantissa to the exponent
  // field one lower carries 128 into it, and 256 once more.
  if (mantissa < 128u) {
    return mantissa;
  }
  let biased = exponent + i32(dropped) + 134;
  return (u32(biased - 1) << 7u) + mantissa;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * 2u;
  if (first >= shape.groups) {
    return;
  }
  var word = scale_of(largest_magnitude(first));
  if (first + 1u < shape.groups) {
    word |= scale_of(largest_magnitude(first + 1u)) << 16u;
  }
  scales[first >> 1u] = word;
}
