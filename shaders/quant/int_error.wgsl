// What up to eight schemes lose, in one pass over the weights; neither codes nor reconstructions are written.
//   original     elements of a format
//   weights      what is quantized: the same, or what pruning left of it
//   scales       elements of the format; the groups of scheme s begin at its `first`
//   zero_points  signed bytes, at the same places; read only where a scheme is asymmetric
//   levels       8 words per scheme, one bit per code from the lowest on; set where a code occurs, never cleared
//   sums         per block of 256 weights 2 + 6 * schemes words:
//                0 sum of squared originals (float32, in units of 2^(2 * exponent))
//                1 (exponent + 512) << 16 | originals that are not finite
//                per scheme: sum of squared errors, largest error (in units of its own 2^exponent or its square), sum of
//                original * reconstruction, sum of squared reconstructions (in units of the block's 2^exponent, squared);
//                reconstructions that are not finite << 16 | codes that the end of the range cut off; exponent + 512
//   dispatch     one invocation per block; no workgroup memory, no barrier
// Scheme of 0 bits: the weights themselves are the reconstruction. The unit is the power of two below the block's largest
// original, so that neither the largest nor the smallest numbers leave float32 when squared. Codes and reconstructions are
// exact; each error is rounded once; the order of the sums is fixed, in parts of 32 weights. The errors of pruning alone have a
// unit of their own, since what is pruned may be far smaller than what stays.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl

// Whether weights are other than original.
override PRUNED: bool = false;

const BLOCK: u32 = 256u;
const BLOCK_WORDS: u32 = 2u;
const SCHEME_WORDS: u32 = 6u;
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
  exponent: i32, // of the unit of errors
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
  let sign = select(0x8000u, SIGN, ELEMENT == F32);
  let infinity = narrowed(INFINITY);
  var magnitude = 0u;
  var not_finite = 0u;
  // A block begins with a whole word.
  for (var index = first; index < end; index += select(2u, 1u, ELEMENT == F32)) {
    let word = original[element_word(index)];
    let lower = element_raw(word, 0u) & (sign - 1u);
    not_finite += select(0u, 1u, lower >= infinity);
    magnitude = max(magnitude, select(lower, 0u, lower >= infinity));
    if (ELEMENT != F32) {
      let upper = select(0u, (word >> 16u) & (sign - 1u), index + 1u < end);
      not_finite += select(0u, 1u, upper >= infinity);
      magnitude = max(magnitude, select(upper, 0u, upper >= infinity));
    }
  }
  return Largest(widened(magnitude), not_finite);
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

fn zero_point_at(scheme: Scheme, place: u32) -> i32 {
  if (scheme.is_symmetric != 0u) {
    return 0;
  }
  return i32(zero_points[place >> 2u] << (24u - 8u * (place & 3u))) >> 24u;
}

// From `level` and the scale in [1, 2): what the weight becomes, in units of the scale's power of two.
fn usual_reconstruction(level: f32, scale: f32) -> f32 {
  var product = level * scale;
  if (ELEMENT != F32) {
    product = bitcast<f32>(round_fraction(bitcast<u32>(product), select(16u, 13u, ELEMENT == F16)));
  }
  return product;
}

// A group of a scheme.
struct Group {
  scale: u32,
  zero_point: i32,
}

fn group_of(scheme: Scheme, group: u32) -> Group {
  let place = scheme.first + group;
  return Group(element_bits(scales[element_word(place)], place), zero_point_at(scheme, place));
}

fn original_at(index: u32) -> u32 {
  return element_bits(original[element_word(index)], index);
}

fn weight_at(index: u32) -> u32 {
  return element_bits(weights[element_word(index)], index);
}

// What a group of usual scale has in common.
struct Usual {
  divisor: Divisor,
  low: f32,
  high: f32,
  unit: f32, // of the block
  factor: f32, // from units of the scale's power of two to those of the block
  beyond: f32, // where reconstructions leave the format, in units of the scale's power of two
}

// Adds a weight under a usual scale; false where only the exact path can tell.
fn add_usual(total: ptr<function, Sums>, seen: ptr<function, array<u32, LEVEL_WORDS>>, u: Usual, own: u32, weight: u32) -> bool {
  let usual = usual_code(widened(weight), u.divisor);
  let clamped = clamp(usual.code, u.low, u.high);
  let reconstruction = usual_reconstruction(clamped - u.divisor.zero_point, u.divisor.scale);
  let is_sure = !usual.is_doubtful && abs(reconstruction) < u.beyond;
  let value = select(0.0, bitcast<f32>(widened(own)) * u.unit, is_sure);
  (*total).energy += value * value;
  (*total).clipped += select(0u, 1u, is_sure && usual.code != clamped);
  add(total, value, select(0.0, reconstruction * u.factor, is_sure));
  let level = u32(clamped - u.low);
  (*seen)[level >> 5u] |= select(0u, 1u, is_sure) << (level & 31u);
  return is_sure;
}

// Adds the sums of a part to those of the block.
fn add_part(total: ptr<function, Sums>, part: Sums) {
  (*total).energy += part.energy;
  (*total).error_energy += part.error_energy;
  (*total).largest = max((*total).largest, part.largest);
  (*total).product += part.product;
  (*total).reconstruction_energy += part.reconstruction_energy;
  (*total).overflows += part.overflows;
  (*total).clipped += part.clipped;
}

fn no_sums() -> Sums {
  return Sums(0.0, 0.0, 0.0, 0.0, 0.0, 0u, 0u, 0);
}

// What pruning alone loses: a weight is either what it was or 0.
fn sums_of_pruning(first: u32, end: u32, exponent: i32) -> Sums {
  var largest = 0u;
  for (var index = first; index < end; index += 1u) {
    let magnitude = original_at(index) & ~SIGN;
    largest = max(largest, select(magnitude, 0u, magnitude >= INFINITY || weight_at(index) == original_at(index)));
  }
  var total = no_sums();
  var own = exponent;
  if (largest != 0u) {
    own = parts_of(largest).exponent + 23;
  }
  for (var part_first = first; part_first < end; part_first += 32u) {
    var part = no_sums();
    for (var index = part_first; index < min(part_first + 32u, end); index += 1u) {
      let value = original_at(index);
      let kept = weight_at(index);
      add_any(&part, value, kept, exponent);
      part.error_energy = 0.0;
      part.largest = 0.0;
    }
    for (var index = part_first; index < min(part_first + 32u, end); index += 1u) {
      let value = original_at(index);
      if (weight_at(index) != value && (value & ~SIGN) < INFINITY) {
        let lost = abs(in_units(value, own));
        part.error_energy += lost * lost;
        part.largest = max(part.largest, lost);
      }
    }
    add_part(&total, part);
  }
  total.exponent = own;
  return total;
}

fn sums_of(number: u32, first: u32, end: u32, exponent: i32, all_finite: bool) -> Sums {
  let scheme = shape.scheme[number];
  var total = no_sums();
  total.exponent = exponent;
  let limit = 1 << (scheme.bits - 1u);
  // Far from the ends of float32 everything may be scaled by multiplying.
  let is_usual_block = all_finite && abs(exponent) < 96;
  let unit = bitcast<f32>(u32(clamp(127 - exponent, 1, 254)) << 23u);
  // A bit for each level that occurs in the block.
  var seen: array<u32, LEVEL_WORDS>;
  // A bit for each weight of the block that the usual path cannot tell.
  var doubtful: array<u32, BLOCK / 32u>;
  for (var part = 0u; part < BLOCK / 32u; part += 1u) {
    let part_first = first + 32u * part;
    let part_end = min(part_first + 32u, end);
    var doubts = 0u;
    var sums_of_part = no_sums();
    var index = part_first;
    while (index < part_end) {
      let group = index / scheme.group_size;
      let group_end = min((group + 1u) * scheme.group_size, part_end);
      let own = group_of(scheme, group);
      if (!(is_usual_block && is_usual(own.scale))) {
        for (; index < group_end; index += 1u) {
          doubts |= 1u << (index - part_first);
        }
      }
      let scale_exponent = i32(own.scale >> 23u) - 127;
      var usual: Usual;
      usual.divisor = divisor_of(own.scale, own.zero_point);
      usual.low = -f32(limit);
      usual.high = f32(limit - 1);
      usual.unit = unit;
      // Levels other than 0 occur only where the scale is not far above the block's largest weight.
      usual.factor = bitcast<f32>(u32(clamp(127 + scale_exponent - exponent, 1, 254)) << 23u);
      // f16 ends at 2^16.
      usual.beyond = select(3e38, bitcast<f32>(u32(clamp(143 - scale_exponent, 1, 254)) << 23u), ELEMENT == F16);
      while (index < group_end) {
        // A word at a time where both its elements are of this group.
        let word = weights[element_word(index)];
        var source = word;
        if (PRUNED) {
          source = original[element_word(index)];
        }
        let place = index - part_first;
        if (!add_usual(&sums_of_part, &seen, usual, element_raw(source, index), element_raw(word, index))) {
          doubts |= 1u << place;
        }
        index += 1u;
        if (ELEMENT != F32) {
          let has_upper = (index & 1u) == 1u && index < group_end;
          if (has_upper) {
            if (!add_usual(&sums_of_part, &seen, usual, source >> 16u, word >> 16u)) {
              doubts |= 2u << place;
            }
            index += 1u;
          }
        }
      }
    }
    doubtful[part] = doubts;
    add_part(&total, sums_of_part);
  }

  var part = 0u;
  var doubts = doubtful[0];
  var late = no_sums();
  loop {
    for (; doubts == 0u && part + 1u < BLOCK / 32u;) {
      add_part(&total, late);
      late = no_sums();
      part += 1u;
      doubts = doubtful[part];
    }
    if (doubts == 0u) {
      break;
    }
    let at = first + 32u * part + countTrailingZeros(doubts);
    doubts &= doubts - 1u;
    let own = group_of(scheme, at / scheme.group_size);
    let code = exact_code(weight_at(at), own.scale, own.zero_point);
    let clamped = clamp(code, -limit, limit - 1);
    late.clipped += select(0u, 1u, code != clamped);
    let level = u32(clamped + limit);
    seen[level >> 5u] |= 1u << (level & 31u);
    add_any(&late, original_at(at), weight_of(clamped - own.zero_point, own.scale), exponent);
  }
  add_part(&total, late);
  for (var word = 0u; word < LEVEL_WORDS; word += 1u) {
    atomicOr(&levels[number * LEVEL_WORDS + word], seen[word]);
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
    var total: Sums;
    if (shape.scheme[number].bits == 0u) {
      total = sums_of_pruning(first, end, exponent);
    } else {
      total = sums_of(number, first, end, exponent, largest.not_finite == 0u);
    }
    let at = place + BLOCK_WORDS + SCHEME_WORDS * number;
    sums[place] = bitcast<u32>(total.energy);
    sums[at] = bitcast<u32>(total.error_energy);
    sums[at + 1u] = bitcast<u32>(total.largest);
    sums[at + 2u] = bitcast<u32>(total.product);
    sums[at + 3u] = bitcast<u32>(total.reconstruction_energy);
    sums[at + 4u] = (total.overflows << 16u) | total.clipped;
    sums[at + 5u] = u32(total.exponent + 512);
  }
  sums[place + 1u] = (u32(exponent + 512) << 16u) | largest.not_finite;
}
