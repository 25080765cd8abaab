// What up to eight schemes lose, in one pass over the weights; neither codes nor reconstructions are written.
//   original     elements of a format
//   weights      what is quantized: the same, or what pruning left of it
//   scales       elements of the format; the groups of scheme s begin at its `first`
//   zero_points  signed bytes, at the same places; read only where a scheme is asymmetric
//   levels       8 words per scheme, one bit per code from the lowest on; set where a code occurs, never cleared
//   sums         per block of 256 weights 2 + 5 * schemes words:
//                0 sum of squared originals (float32, in units of 2^(2 * exponent))
//                1 (exponent + 512) << 16 | originals that are not finite
//                per scheme: sum of squared errors, largest error, sum of original * reconstruction, sum of squared
//                reconstructions (float32, in units of 2^exponent or its square); reconstructions that are not finite << 16 |
//                codes that the end of the range cut off
//   dispatch     one invocation per block; no workgroup memory, no barrier
// Scheme of 0 bits: the weights themselves are the reconstruction. The unit is the power of two below the block's largest
// original, so that neither the largest nor the smallest numbers leave float32 when squared. Codes and reconstructions are
// exact; each error is rounded once; the order of the sums is fixed.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl

const BLOCK: u32 = 256u;
const BLOCK_WORDS: u32 = 2u;
const SCHEME_WORDS: u32 = 5u;
const LEVEL_WORDS: u32 = 8u;
const MAX_SCHEMES: u32 = 8u;

struct Scheme {
  bits: u32,
  is_symmetric: u32,
  group_size: u32,
  first: u32,
}

struct Shape {
  elements: u32,
  schemes: u32,
  @align(16) scheme: array<Scheme, MAX_SCHEMES>,
}

struct Sums {
  energy: f32,
  error_energy: f32,
  largest: f32,
  product: f32,
  reconstruction_energy: f32,
  overflows: u32,
  clipped: u32,
}

@group(0) @binding(0) var<storage, read> original: array<u32>;
@group(0) @binding(1) var<storage, read> weights: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> zero_points: array<u32>;
@group(0) @binding(4) var<storage, read_write> levels: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<u32>;
@group(0) @binding(6) var<uniform> shape: Shape;

// The largest finite magnitude of a block and how many are not finite.
struct Largest {
  magnitude: u32,
  not_finite: u32,
}

fn largest_of(first: u32, end: u32) -> Largest {
  var found = Largest(0u, 0u);
  for (var index = first; index < end; index += 1u) {
    let magnitude = element_bits(original[element_word(index)], index) & ~SIGN;
    if (magnitude >= INFINITY) {
      found.not_finite += 1u;
    } else {
      found.magnitude = max(found.magnitude, magnitude);
    }
  }
  return found;
}

// A finite float32 in units of 2^exponent.
fn in_units(bits: u32, exponent: i32) -> f32 {
  let magnitude = bits & ~SIGN;
  if (magnitude == 0u) {
    return 0.0;
  }
  let parts = parts_of(magnitude);
  let value = scaled(f32(parts.mantissa), parts.exponent - exponent);
  return select(value, -value, (bits & SIGN) != 0u);
}

fn add(total: ptr<function, Sums>, value: f32, reconstruction: f32) {
  let error = value - reconstruction;
  (*total).error_energy += error * error;
  (*total).largest = max((*total).largest, abs(error));
  (*total).product += value * reconstruction;
  (*total).reconstruction_energy += reconstruction * reconstruction;
}

// For any original and any reconstruction, as float32 bits.
fn add_any(total: ptr<function, Sums>, value: u32, reconstruction: u32, exponent: i32) {
  let is_finite = (value & ~SIGN) < INFINITY;
  let x = select(0.0, in_units(value, exponent), is_finite);
  (*total).energy += x * x;
  if ((reconstruction & ~SIGN) >= INFINITY) {
    (*total).overflows += 1u;
  } else if (is_finite) {
    add(total, x, in_units(reconstruction, exponent));
  }
}

// Remembers that a level occurs: code + 2^(bits-1) of a scheme. Read first, since almost always it is known.
fn note_level(scheme: u32, level: u32) {
  let place = scheme * LEVEL_WORDS + (level >> 5u);
  let bit = 1u << (level & 31u);
  if ((atomicLoad(&levels[place]) & bit) == 0u) {
    atomicOr(&levels[place], bit);
  }
}

fn zero_point_at(scheme: Scheme, place: u32) -> i32 {
  if (scheme.is_symmetric != 0u) {
    return 0;
  }
  return i32(zero_points[place >> 2u] << (24u - 8u * (place & 3u))) >> 24u;
}

// From `level` and the scale in [1, 2): what the weight becomes, in units of the scale's power of two.
fn usual_reconstruction(level: f32, scale: f32) -> f32 {
  let product = level * scale;
  if (ELEMENT == F32) {
    return product;
  }
  return bitcast<f32>(round_fraction(bitcast<u32>(product), select(16u, 13u, ELEMENT == F16)));
}

fn sums_of(number: u32, first: u32, end: u32, exponent: i32, all_finite: bool) -> Sums {
  let scheme = shape.scheme[number];
  var total = Sums(0.0, 0.0, 0.0, 0.0, 0.0, 0u, 0u);
  if (scheme.bits == 0u) {
    for (var index = first; index < end; index += 1u) {
      let word = element_word(index);
      add_any(&total, element_bits(original[word], index), element_bits(weights[word], index), exponent);
    }
    return total;
  }
  let limit = 1 << (scheme.bits - 1u);
  let low = -f32(limit);
  let high = f32(limit - 1);
  // Far from the ends of float32 everything may be scaled by multiplying.
  let is_usual_block = all_finite && abs(exponent) < 96;
  let unit = bitcast<f32>(u32(clamp(127 - exponent, 1, 254)) << 23u);
  var index = first;
  while (index < end) {
    let group = index / scheme.group_size;
    let place = scheme.first + group;
    let group_end = min((group + 1u) * scheme.group_size, end);
    let scale = element_bits(scales[element_word(place)], place);
    let zero_point = zero_point_at(scheme, place);
    if (is_usual_block && is_usual(scale)) {
      let divisor = divisor_of(scale, zero_point);
      let scale_exponent = i32(scale >> 23u) - 127;
      // Levels other than 0 occur only where the scale is not far above the block's largest weight.
      let factor = bitcast<f32>(u32(clamp(127 + scale_exponent - exponent, 1, 254)) << 23u);
      // f16 ends at 2^16.
      let beyond = select(3e38, bitcast<f32>(u32(clamp(143 - scale_exponent, 1, 254)) << 23u), ELEMENT == F16);
      for (; index < group_end; index += 1u) {
        let word = element_word(index);
        let code = usual_code(element_bits(weights[word], index), scale, zero_point, divisor);
        let clamped = clamp(code, low, high);
        total.clipped += select(0u, 1u, code != clamped);
        note_level(number, u32(clamped - low));
        let reconstruction = usual_reconstruction(clamped - divisor.zero_point, divisor.scale);
        let value = bitcast<f32>(element_bits(original[word], index)) * unit;
        total.energy += value * value;
        if (abs(reconstruction) >= beyond) {
          total.overflows += 1u;
        } else {
          add(&total, value, reconstruction * factor);
        }
      }
    } else {
      for (; index < group_end; index += 1u) {
        let word = element_word(index);
        let code = exact_code(element_bits(weights[word], index), scale, zero_point);
        let clamped = clamp(code, -limit, limit - 1);
        total.clipped += select(0u, 1u, code != clamped);
        note_level(number, u32(clamped + limit));
        let reconstruction = weight_of(clamped - zero_point, scale);
        add_any(&total, element_bits(original[word], index), reconstruction, exponent);
      }
    }
  }
  return total;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let block = linear_index(id, workgroups);
  let first = block * BLOCK;
  if (first >= shape.elements) {
    return;
  }
  let end = min(first + BLOCK, shape.elements);
  let largest = largest_of(first, end);
  var exponent = 0;
  if (largest.magnitude != 0u) {
    exponent = parts_of(largest.magnitude).exponent + 23;
  }
  let place = block * (BLOCK_WORDS + SCHEME_WORDS * shape.schemes);
  for (var number = 0u; number < shape.schemes; number += 1u) {
    let total = sums_of(number, first, end, exponent, largest.not_finite == 0u);
    let at = place + BLOCK_WORDS + SCHEME_WORDS * number;
    sums[place] = bitcast<u32>(total.energy);
    sums[at] = bitcast<u32>(total.error_energy);
    sums[at + 1u] = bitcast<u32>(total.largest);
    sums[at + 2u] = bitcast<u32>(total.product);
    sums[at + 3u] = bitcast<u32>(total.reconstruction_energy);
    sums[at + 4u] = (total.overflows << 16u) | total.clipped;
  }
  sums[place + 1u] = (u32(exponent + 512) << 16u) | largest.not_finite;
}
