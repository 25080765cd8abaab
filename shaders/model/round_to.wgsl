// Each float32 becomes the nearest value of a format, ties to even.
//   values    float32 bits [elements], in place; what lies behind them stays
//   dispatch  one invocation per 32 numbers; no workgroup memory, no barrier
// Everything is decided on bits: WGSL leaves open how a sum is rounded, and may take subnormals for 0.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

const PER_INVOCATION: u32 = 32u;

struct Shape {
  elements: u32,
}

@group(0) @binding(0) var<storage, read_write> values: array<vec4<u32>>;
@group(0) @binding(1) var<uniform> shape: Shape;

// Magnitudes with `dropped` bits fewer; a carry out of the largest makes infinity.
fn with_fewer_bits(magnitudes: vec4<u32>, dropped: u32) -> vec4<u32> {
  let unit = 1u << dropped;
  let is_odd = (magnitudes & vec4<u32>(unit)) != vec4<u32>(0u);
  let half = select(vec4<u32>((unit >> 1u) - 1u), vec4<u32>(unit >> 1u), is_odd);
  return (magnitudes + half) & vec4<u32>(~(unit - 1u));
}

// Magnitudes below 2^-14 as multiples of 2^-24. A unit of `scaled` is 2^-13 of those: what is lost below it can only tell a
// tie from more than a tie. Both factors are powers of two and all products normal numbers, so that they are exact; what is
// subnormal as a float32 is 0 either way.
fn subnormals_of_f16(magnitudes: vec4<u32>) -> vec4<u32> {
  let scaled = bitcast<vec4<f32>>(min(magnitudes, vec4<u32>(0x38800000u))) * 137438953472.0;
  let whole = vec4<i32>(scaled);
  let is_up = (vec4<f32>(whole) != scaled) | ((whole & vec4<i32>(0x2000)) != vec4<i32>(0));
  let half = select(vec4<i32>(0xfff), vec4<i32>(0x1000), is_up);
  let kept = (whole + half) & vec4<i32>(~0x1fff);
  return bitcast<vec4<u32>>(vec4<f32>(kept) * 7.275957614183426e-12);
}

fn rounded_to_format(bits: vec4<u32>) -> vec4<u32> {
  let magnitudes = bits & vec4<u32>(~SIGN);
  var found: vec4<u32>;
  if (ELEMENT == BF16) {
    found = with_fewer_bits(magnitudes, 16u);
  } else {
    let normal = with_fewer_bits(magnitudes, 13u);
    let finite = select(subnormals_of_f16(magnitudes), normal, magnitudes >= vec4<u32>(0x38800000u));
    found = select(finite, vec4<u32>(INFINITY), normal >= vec4<u32>(0x47800000u)); // 2^16
  }
  return select(found | (bits & vec4<u32>(SIGN)), vec4<u32>(NAN), magnitudes > vec4<u32>(INFINITY));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.elements);
  let whole = max(first, end & ~3u);
  for (var at = first / 4u; at < whole / 4u; at += 1u) {
    values[at] = rounded_to_format(values[at]);
  }
  for (var at = whole; at < end; at += 1u) {
    values[at >> 2u][at & 3u] = rounded_to_format(values[at >> 2u])[at & 3u];
  }
}
