// Histogram of weight / scale: where weights fall between the levels of a symmetric integer scheme.
//   weights  bf16, two to a word: groups * group_size elements
//   scales   bf16, two to a word: one per group
//   counts   COPIES histograms of (2^BITS + 1) * BINS_PER_LEVEL bins, to be added up; zero before the first dispatch
//   dispatch one invocation per 128 weights; no workgroup memory, no barrier
// Bin b holds quotients from b / BINS_PER_LEVEL - 2^(BITS-1) - 1/2 up to the next, the outer bins also what lies beyond.
// Exact: floor on integers. Weights under a scale that is not finite are not counted.
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl

const SEGMENT: u32 = 128u;

override BITS: u32 = 4u;
override BINS_PER_LEVEL: u32 = 16u;
override COPIES: u32 = 64u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

// Twice the bin offset from the middle: bins are halves of a step of 2 * BINS_PER_LEVEL, so that the half level is whole.
fn bin_of(bits: u32, scale: u32) -> u32 {
  let half_levels = i32((1u << BITS) + 1u);
  let bins = half_levels * i32(BINS_PER_LEVEL);
  let magnitude = bits & 0x7fffu;
  let negative = (bits & 0x8000u) != 0u;
  var steps = 0u; // floor(2 * BINS_PER_LEVEL * |x| / s)
  var exact = true;
  if (magnitude != 0u) {
    let x = bf16_parts(magnitude);
    let s = bf16_parts(scale);
    let exponent = x.exponent - s.exponent;
    let dividend = x.mantissa * 2u * BINS_PER_LEVEL;
    if (exponent > 9) {
      steps = 0xfffffu;
    } else if (exponent < -16) {
      exact = false;
    } else if (exponent >= 0) {
      steps = (dividend << u32(exponent)) / s.mantissa;
      exact = (dividend << u32(exponent)) % s.mantissa == 0u;
    } else {
      let divisor = s.mantissa << u32(-exponent);
      steps = dividend / divisor;
      exact = dividend % divisor == 0u;
    }
  }
  // floor of a negative quotient is one lower unless it is whole
  let signed_steps = select(i32(steps), -i32(steps) - select(1, 0, exact), negative);
  let from_bottom = signed_steps + bins;
  return u32(clamp(from_bottom >> 1u, 0, bins - 1));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let segment = linear_index(id, workgroups);
  let first = segment * SEGMENT;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + SEGMENT, shape.elements);
  let bins = ((1u << BITS) + 1u) * BINS_PER_LEVEL;
  let base = (segment % COPIES) * bins;
  for (var index = first; index < end; index += 1u) {
    let bits = bf16_half(weights[index >> 1u], index);
    let group = index / shape.group_size;
    let scale = bf16_half(scales[group >> 1u], group);
    if ((bits & 0x7fffu) < BF16_INFINITY && scale < BF16_INFINITY) {
      atomicAdd(&counts[base + bin_of(bits, scale)], 1u);
    }
  }
}
