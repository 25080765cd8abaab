// What quantizing and dequantizing loses, without writing either: sums over segments of at most 128 weights.
//   weights   bf16, two to a word: groups * group_size elements
//   scales    bf16, two to a word: one per group
//   sums      six words per segment, segments of a group one after the other:
//             0 sum of squared errors, 1 sum of squared weights, 2 largest error, 3 sum of weight * reconstruction,
//             4 sum of squared reconstructions (float32, in units of 2^exponent or its square, the scale in [1, 2) units),
//             5 (exponent + 512) << 16 | reconstructions that overflow << 8 | weights that are not finite
//   dispatch  one invocation per segment; no workgroup memory, no barrier
// The unit is the scale's own power of two, so that neither the largest nor the smallest weights of bf16 leave float32 when
// squared. The error of each weight is exact but for one rounding; the order of the sums is fixed.
// include: lib/invocation.wgsl
// include: lib/bfloat16.wgsl
// include: lib/int_code.wgsl

const SEGMENT: u32 = 128u;
const WORDS: u32 = 6u;

struct Shape {
  groups: u32,
  group_size: u32,
}

struct Sums {
  error_energy: f32,
  energy: f32,
  largest: f32,
  product: f32,
  reconstruction_energy: f32,
  overflows: u32,
  not_finite: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn add(total: ptr<function, Sums>, weight: f32, reconstruction: f32) {
  let error = weight - reconstruction;
  (*total).error_energy += error * error;
  (*total).energy += weight * weight;
  (*total).largest = max((*total).largest, abs(error));
  (*total).product += weight * reconstruction;
  (*total).reconstruction_energy += reconstruction * reconstruction;
}

// For a usual scale: all in units of its power of two, which changes no bit but the exponents.
fn add_usual(total: ptr<function, Sums>, bits: u32, unit: f32, s: f32, inverse: f32) {
  let weight = bf16_value(bits) * unit;
  let product = usual_code(weight, inverse) * s;
  add(total, weight, bitcast<f32>(round_fraction(bitcast<u32>(product), 16u)));
}

// For any finite scale.
fn add_any(total: ptr<function, Sums>, bits: u32, scale: u32) {
  let magnitude = bits & 0x7fffu;
  if (magnitude == 0u) {
    return;
  }
  let x = bf16_parts(magnitude);
  let s = bf16_parts(scale);
  let sign = select(1.0, -1.0, (bits & 0x8000u) != 0u);
  let weight = sign * scaled(f32(x.mantissa), x.exponent - s.exponent - 7);
  let code = u32(abs(any_code(bits, scale)));
  if (code == 0u) {
    add(total, weight, 0.0);
    return;
  }
  let rounded = bitcast<f32>(round_fraction(bitcast<u32>(f32(code * s.mantissa)), 16u));
  if (i32(bitcast<u32>(rounded) >> 23u) + s.exponent >= 255) {
    (*total).overflows += 1u;
  }
  add(total, weight, sign * rounded * 0.0078125);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let per_group = (shape.group_size + SEGMENT - 1u) / SEGMENT;
  let segment = linear_index(id, workgroups);
  let group = segment / per_group;
  if (group >= shape.groups) {
    return;
  }
  let group_first = group * shape.group_size;
  let first = group_first + (segment % per_group) * SEGMENT;
  let end = min(first + SEGMENT, group_first + shape.group_size);
  let scale = bf16_half(scales[group >> 1u], group);

  var total = Sums(0.0, 0.0, 0.0, 0.0, 0.0, 0u, 0u);
  var exponent = 0;
  if (is_usual(scale)) {
    let biased = scale >> 7u;
    exponent = i32(biased) - 127;
    let unit = bitcast<f32>((254u - biased) << 23u);
    let s = bf16_value(scale) * unit;
    let inverse = 1.0 / s;
    var index = first;
    if ((index & 1u) != 0u) {
      add_usual(&total, weights[index >> 1u] >> 16u, unit, s, inverse);
      index += 1u;
    }
    for (; index + 1u < end; index += 2u) {
      let pair = weights[index >> 1u];
      add_usual(&total, pair, unit, s, inverse);
      add_usual(&total, pair >> 16u, unit, s, inverse);
    }
    if (index < end) {
      add_usual(&total, weights[index >> 1u], unit, s, inverse);
    }
  } else if (scale < BF16_INFINITY) {
    exponent = bf16_parts(scale).exponent + 7;
    for (var index = first; index < end; index += 1u) {
      add_any(&total, bf16_half(weights[index >> 1u], index), scale);
    }
  } else {
    for (var index = first; index < end; index += 1u) {
      let magnitude = bf16_half(weights[index >> 1u], index) & 0x7fffu;
      total.not_finite += select(0u, 1u, magnitude >= BF16_INFINITY);
    }
    // code 0 times a scale that is not finite is NaN
    total.overflows = end - first;
  }
  let base = segment * WORDS;
  sums[base] = bitcast<u32>(total.error_energy);
  sums[base + 1u] = bitcast<u32>(total.energy);
  sums[base + 2u] = bitcast<u32>(total.largest);
  sums[base + 3u] = bitcast<u32>(total.product);
  sums[base + 4u] = bitcast<u32>(total.reconstruction_energy);
  sums[base + 5u] = (u32(exponent + 512) << 16u) | (total.overflows << 8u) | total.not_finite;
}
