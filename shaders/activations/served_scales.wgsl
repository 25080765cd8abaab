// Scales and multipliers of served activations, keys and values from the largest magnitude a of each piece.
//   extremes     two words per piece, as activations/extremes writes them
//   scales       float32 [pieces], what a code is worth
//   multipliers  float32 [pieces], what a number is multiplied with to make its code
//   dispatch     one invocation per piece; no workgroup memory, no barrier
// RULE 0: scale a / 127, multiplier 127 / a, but 0 where a is 0. RULE 1: scale a / 127, but 10^-6 at the least, multiplier
// 1 / scale. Exact: every division is done on integers, since that of WGSL may be 2.5 ulp off; NaN and infinities as IEEE 754.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl

override RULE: u32 = 0u;

struct Shape {
  pieces: u32,
}

@group(0) @binding(0) var<storage, read> extremes: array<vec2<u32>>;
@group(0) @binding(1) var<storage, read_write> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> multipliers: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

const ONE: u32 = 0x3f800000u;
const CODES: u32 = 0x42fe0000u; // 127
const LEAST_SCALE: u32 = 0x358637bdu; // the float32 nearest to 10^-6

// Two magnitudes divided and rounded, as bits.
fn divided(top: u32, bottom: u32) -> u32 {
  if (max(top, bottom) > INFINITY || (top == bottom && (top == 0u || top == INFINITY))) {
    return NAN;
  }
  if (top == 0u || bottom == INFINITY) {
    return 0u;
  }
  if (bottom == 0u || top == INFINITY) {
    return INFINITY;
  }
  let x = parts_of(top);
  let y = parts_of(bottom);
  let quotient = quotient_of(x.mantissa, y.mantissa);
  return rounded_to_element(quotient.bits, x.exponent - y.exponent - 30, quotient.is_inexact);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let piece = linear_index(id, workgroups);
  if (piece >= shape.pieces) {
    return;
  }
  let largest = max(extremes[piece].x, extremes[piece].y);
  var scale = divided(largest, CODES);
  var top = CODES;
  var bottom = largest;
  if (RULE == 1u) {
    // Bits order as magnitudes do, with NaN beyond all.
    scale = max(scale, LEAST_SCALE);
    top = ONE;
    bottom = scale;
  }
  scales[piece] = scale;
  multipliers[piece] = select(divided(top, bottom), 0u, bottom == 0u);
}
