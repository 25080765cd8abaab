// One step of the search for the range of each group that loses least.
//   weights     elements of a format
//   extremes    two words per group, as stats/min_max writes them
//   importance  float32, one per column; not read where OWN
//   improved    the word at `slot` becomes 1 where a group has improved
//   best        two words per group as in extremes, of all groups; behind them the error of each, float32
//   dispatch    one invocation per group; no workgroup memory, no barrier
// A group's error is the sum of |restored - weight|^norm * importance, where the range is the extremes times `shrink`. OWN:
// differences, powers and the sum are rounded to the format, and so is the exponent. Ranges, scales and codes are exact.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl
// include: lib/int_params.wgsl
// include: lib/int_restore.wgsl

override OWN: bool = true;

// Weights whose errors are added up before they join the others, so that no number goes through many additions.
const PART: u32 = 256u;

struct Shape {
  elements: u32,
  stream_length: u32,
  group_size: u32,
  groups: u32,
  shrink: u32, // float32 bits
  norm: f32,
  is_first: u32,
  slot: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> extremes: array<u32>;
@group(0) @binding(2) var<storage, read> importance: array<f32>;
@group(0) @binding(3) var<storage, read_write> improved: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> best: array<u32>;
@group(0) @binding(5) var<uniform> shape: Shape;

// Magnitudes rounded to the element's format. What is too large for f16 stays as it is, and its sum is too large too.
fn rounded_magnitudes(values: vec4<f32>) -> vec4<f32> {
  var found = values;
  if (ELEMENT == BF16) {
    found = rounded_fractions(values, 16u);
  } else if (ELEMENT == F16) {
    // Below 2^-14 numbers are multiples of 2^-24.
    let multiples = bitcast<vec4<i32>>(min(values, vec4<f32>(6.103515625e-5)) * 16777216.0 + WHOLE);
    let subnormal = vec4<f32>(multiples - vec4<i32>(WHOLE_BITS)) * 5.9604644775390625e-8;
    found = select(rounded_fractions(values, 13u), subnormal, values < vec4<f32>(6.103515625e-5));
  }
  return found;
}

// |difference|^(2 + rest). The square is taken apart, since a logarithm and a power lose more the larger the exponent.
fn powers(differences: vec4<f32>, rest: f32) -> vec4<f32> {
  var magnitudes = abs(differences);
  if (OWN) {
    magnitudes = rounded_magnitudes(magnitudes);
  }
  var squares = magnitudes * magnitudes;
  var factors = vec4<f32>(1.0);
  if (rest == 1.0) {
    factors = magnitudes;
  } else if (rest != 0.0) {
    factors = select(vec4<f32>(0.0), exp2(rest * log2(magnitudes)), magnitudes > vec4<f32>(0.0));
  }
  if (OWN && ELEMENT == BF16 && (rest == 0.0 || rest == 1.0)) {
    squares = rounded_magnitudes(squares);
  }
  var found = squares * factors;
  if (OWN) {
    found = rounded_magnitudes(found);
  }
  return found;
}

fn importance_at(index: u32) -> f32 {
  return importance[index % shape.stream_length];
}

fn group_error(first: u32, end: u32, by: Restorer) -> f32 {
  var norm = vec4<f32>(shape.norm);
  if (OWN) {
    norm = rounded_magnitudes(norm);
  }
  let rest = norm.x - 2.0;
  var total = vec4<f32>();
  var part = vec4<f32>();
  var part_end = first + PART;
  // Weights before it take the exact path.
  var exact_end = select(end, first, by.is_usual);
  var index = first;
  while (index < end) {
    if (index >= exact_end && (index & 7u) == 0u && index + 8u <= end) {
      let eight = eight_weights(index);
      let even = restored_four(eight.even, by);
      let odd = restored_four(eight.odd, by);
      if (any(even.doubtful | odd.doubtful)) {
        exact_end = index + 8u;
      } else {
        var even_powers = powers(even.values - eight.even, rest);
        var odd_powers = powers(odd.values - eight.odd, rest);
        if (!OWN) {
          even_powers *= vec4<f32>(
            importance_at(index), importance_at(index + 2u), importance_at(index + 4u), importance_at(index + 6u));
          odd_powers *= vec4<f32>(
            importance_at(index + 1u), importance_at(index + 3u), importance_at(index + 5u), importance_at(index + 7u));
        }
        part += even_powers + odd_powers;
        index += 8u;
      }
    } else {
      let weight = weight_at(index);
      var power = powers(vec4<f32>(restored_one(weight, by) - bitcast<f32>(weight)), rest).x;
      if (!OWN) {
        power *= importance_at(index);
      }
      part.x += power;
      index += 1u;
    }
    if (index >= part_end) {
      total += part;
      part = vec4<f32>();
      part_end = index + PART;
    }
  }
  total += part;
  return (total.x + total.y) + (total.z + total.w);
}

// Bits of the largest finite number of the format in which errors are compared.
fn worst_error() -> u32 {
  var worst = 0x7f7fffffu;
  if (OWN && ELEMENT == BF16) {
    worst = 0x7f7f0000u;
  } else if (OWN && ELEMENT == F16) {
    worst = 0x477fe000u;
  }
  return worst;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let group = linear_index(id, workgroups);
  if (group >= shape.groups) {
    return;
  }
  let first = group * shape.group_size;
  let end = min(first + shape.group_size, shape.elements);
  let positive = extremes[2u * group];
  let negative = extremes[2u * group + 1u];
  let error_place = 2u * shape.groups + group;
  var sofar = worst_error();
  if (shape.is_first != 0u) {
    best[2u * group] = positive;
    best[2u * group + 1u] = negative;
    best[error_place] = sofar;
  } else {
    sofar = best[error_place];
  }
  let high = shrunk(positive, shape.shrink);
  let low = shrunk(negative, shape.shrink);
  let by = restorer_of(high, low);
  // Of weights or scales that are not finite no error is.
  if (max(positive, negative) >= INFINITY || by.scale >= INFINITY) {
    return;
  }
  var error = vec4<f32>(group_error(first, end, by));
  if (OWN) {
    error = rounded_magnitudes(error);
  }
  // As bits, where infinity and NaN are larger than all numbers.
  let bits = bitcast<vec4<u32>>(error).x;
  if (bits < sofar) {
    best[2u * group] = high;
    best[2u * group + 1u] = low;
    best[error_place] = bits;
    atomicMax(&improved[shape.slot], 1u);
  }
}
