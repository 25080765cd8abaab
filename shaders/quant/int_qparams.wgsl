// Scales and zero points of integer quantization from the extremes of each group.
//   extremes     two words per group, as stats/min_max writes them
//   scales       elements of a format, one per group
//   zero_points  signed bytes, one per group; not written where codes are symmetric
//   corners      five counters at place 5 * slot, added to: groups that are all zero; whose scale was too small for the format; whose scale is
//                subnormal; infinite; not a number
//   dispatch     one invocation per sixteen groups; no workgroup memory, no barrier
// Exact: fours of bf16 far from the ends of the format in float32, others on integers. The results of group g go to place
// first + g; first is a multiple of four.
//   symmetric   scale = RN(absmax / ((2^BITS - 1) / 2))
//   asymmetric  scale = RN(RN(max - min) / (2^BITS - 1)), zero point = rint(clamp(RN(-2^(BITS-1) - RN(min / scale))))
// with min and max taken together with zero, RN rounding to the weights' format. A scale of 0 becomes the format's epsilon,
// but only after the zero point was computed. A zero point that is not a number is 0.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_params.wgsl

const BLOCK: u32 = 16u;

struct Shape {
  groups: u32,
  first: u32,
  slot: u32,
}

@group(0) @binding(0) var<storage, read> extremes: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> corners: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn count(corner: u32) {
  atomicAdd(&corners[5u * shape.slot + corner], 1u);
}

fn params_of(group: u32) -> Params {
  let pair = extremes[group >> 1u];
  let positive = select(pair.x, pair.z, (group & 1u) == 1u);
  let negative = select(pair.y, pair.w, (group & 1u) == 1u);
  var params = plain_params(positive, negative);
  if (params.scale == 0u) {
    count(select(1u, 0u, max(positive, negative) == 0u));
    params.scale = epsilon();
  } else if (params.scale >= INFINITY) {
    count(select(3u, 4u, params.scale > INFINITY));
  } else if (params.scale < smallest_normal()) {
    count(2u);
  }
  return params;
}

fn smallest_normal() -> u32 {
  return select(0x00800000u, 0x38800000u, ELEMENT == F16); // 2^-126, 2^-14
}

// Own bits of the scales of four groups and their zero points in a byte each, and which of them only integers can tell.
struct Four {
  raw: vec4<u32>,
  zero_points: u32,
  is_unusual: vec4<bool>,
}

// Magnitudes divided by the number of steps, or by half of it, as bf16. No quotient of eight bits by a whole number of eight is
// within 2^-17 (relative) of a tie, so that adding half of what is dropped removes the error of the float.
fn divided_bf16(magnitudes: vec4<f32>, steps: f32) -> vec4<u32> {
  return (bitcast<vec4<u32>>(magnitudes * (1.0 / steps)) + 0x8000u) & vec4<u32>(0xffff0000u);
}

fn usual_four(first: u32) -> Four {
  let one = extremes[first >> 1u];
  let other = extremes[(first >> 1u) + 1u];
  let positive = bitcast<vec4<f32>>(vec4<u32>(one.xz, other.xz));
  let negative = bitcast<vec4<f32>>(vec4<u32>(one.yw, other.yw));
  let larger = max(vec4<u32>(one.xz, other.xz), vec4<u32>(one.yw, other.yw));
  let steps = f32((1u << BITS) - 1u);
  var four: Four;
  // From 2^-80 to 2^80 everything below stays normal.
  four.is_unusual = larger - (47u << 23u) >= vec4<u32>(160u << 23u);
  if (SYMMETRIC) {
    four.raw = divided_bf16(bitcast<vec4<f32>>(larger), 0.5 * steps);
  } else {
    // Sums of magnitudes that are no further apart than 2^16 are exact before they are rounded; further ones change nothing.
    four.raw = divided_bf16(rounded_fractions(positive + negative, 16u), steps);
    let lowest = -f32(1u << (BITS - 1u));
    let quotients = bitcast<vec4<u32>>(negative * (1.0 / bitcast<vec4<f32>>(four.raw))) + 0x8000u;
    let ratios = bitcast<vec4<f32>>(quotients & vec4<u32>(0xffff0000u));
    let marked = bitcast<vec4<i32>>(rounded_fractions(ratios + lowest, 16u) + WHOLE);
    // The low bytes are the zero points.
    let bytes = bitcast<vec4<u32>>(min(marked, vec4<i32>(WHOLE_BITS - i32(lowest) - 1))) & vec4<u32>(0xffu);
    four.zero_points = dot(bytes, vec4<u32>(1u, 0x100u, 0x10000u, 0x1000000u));
  }
  four.raw = four.raw >> vec4<u32>(16u);
  return four;
}

// Writes the scale and the zero point of a group in place of what is there.
fn replace(group: u32, params: Params) {
  let place = shape.first + group;
  let raw = narrowed(params.scale);
  if (ELEMENT == F32) {
    scales[place] = raw;
  } else {
    let shift = 16u * (place & 1u);
    scales[place >> 1u] = (scales[place >> 1u] & ~(0xffffu << shift)) | (raw << shift);
  }
  if (!SYMMETRIC) {
    let shift = 8u * (place & 3u);
    let byte = u32(params.zero_point) & 0xffu;
    zero_points[place >> 2u] = (zero_points[place >> 2u] & ~(0xffu << shift)) | (byte << shift);
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * BLOCK;
  if (first >= shape.groups) {
    return;
  }
  let end = min(first + BLOCK, shape.groups);
  // A bit for each group that only integers can tell.
  var unusual = (1u << (end - first)) - 1u;
  var four_bit = 1u;
  if (ELEMENT == BF16) {
    unusual = 0u;
  }
  for (var group = first; group < end; group += 4u) {
    var four: Four;
    if (ELEMENT == BF16) {
      four = usual_four(group);
    }
    // Words are written whole: places that no group takes are zero.
    let is_group = vec4<u32>(0u, 1u, 2u, 3u) < vec4<u32>(end - group);
    four.raw = select(vec4<u32>(0u), four.raw, is_group & !four.is_unusual);
    let bits = select(vec4<u32>(0u), vec4<u32>(1u, 2u, 4u, 8u), is_group & four.is_unusual);
    unusual |= (bits.x | bits.y | bits.z | bits.w) * four_bit;
    four_bit *= 16u;
    let place = shape.first + group;
    if (ELEMENT != F32) {
      scales[place >> 1u] = four.raw.x + four.raw.y * 65536u;
      if (group + 2u < end) {
        scales[(place >> 1u) + 1u] = four.raw.z + four.raw.w * 65536u;
      }
    }
    if (!SYMMETRIC) {
      let mask = select(0xffffffffu, (1u << (8u * (end - group))) - 1u, end - group < 4u);
      zero_points[place >> 2u] = four.zero_points & mask;
    }
  }
  for (; unusual != 0u; unusual &= unusual - 1u) {
    let group = first + countTrailingZeros(unusual);
    replace(group, params_of(group));
  }
}
