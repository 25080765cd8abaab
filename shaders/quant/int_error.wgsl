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
//   dispatch     main: one invocation per block, takes the usual path; rest, after it: one per eight blocks, takes the exact one
//                where the usual path left something out; no workgroup memory, no barrier
// Two entry points, since software adapters run through all of a shader in every invocation, and once at least through every
// loop: what is rare and long must stand elsewhere. In between the exponent of a scheme that quantizes, which is the block's,
// makes room for a bit for each eight weights that were left out.
// Scheme of 0 bits: the weights themselves are the reconstruction. The unit is the power of two below the block's largest
// original, so that neither the largest nor the smallest numbers leave float32 when squared. Codes and reconstructions are
// exact; each error is rounded once; the order of the sums is fixed, by eights. The errors of pruning alone have a unit of
// their own, since what is pruned may be far smaller than what stays.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
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
const REST_BLOCKS: u32 = 8u;

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

@group(0) @binding(0) var<storage, read> original: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> zero_points: array<u32>;
@group(0) @binding(4) var<storage, read_write> levels: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<u32>;
@group(0) @binding(6) var<uniform> shape: Shape;

// An original as float32 bits.
fn original_at(index: u32) -> u32 {
  let word = element_word(index);
  return element_bits(original[word >> 2u][word & 3u], index);
}

// The eight originals from `index` on, a multiple of 8.
fn eight_originals(index: u32) -> Eight {
  var eight: Eight;
  if (ELEMENT == F32) {
    eight = eight_words(original[index >> 2u], original[(index >> 2u) + 1u]);
  } else {
    eight = eight_halves(original[index >> 3u]);
  }
  return eight;
}

// The largest finite magnitude of a block, as float32 bits, and how many are not finite.
struct Largest {
  magnitude: u32,
  not_finite: u32,
}

fn largest_of(first: u32, end: u32) -> Largest {
  // Own bits, those of 16-bit elements in the upper halves: as signed numbers they order as magnitudes do.
  var most = vec4<i32>(0);
  let whole = first + ((end - first) & ~7u);
  for (var at = element_word(first) / 4u; at < element_word(whole) / 4u; at += 1u) {
    let words = original[at];
    most = max(most, bitcast<vec4<i32>>(words & vec4<u32>(~SIGN)));
    if (ELEMENT != F32) {
      most = max(most, bitcast<vec4<i32>>((words * 65536u) & vec4<u32>(~SIGN)));
    }
  }
  let raw = u32(max(max(most.x, most.y), max(most.z, most.w)));
  var magnitude = widened(select(raw >> 16u, raw, ELEMENT == F32));
  var not_finite = 0u;
  // One by one what is left of eights, and everything where not all is finite.
  var index = whole;
  if (magnitude >= INFINITY) {
    magnitude = 0u;
    index = first;
  }
  for (; index < end; index += 1u) {
    let own = original_at(index) & ~SIGN;
    not_finite += select(0u, 1u, own >= INFINITY);
    magnitude = max(magnitude, select(own, 0u, own >= INFINITY));
  }
  return Largest(magnitude, not_finite);
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

// A group of a scheme.
struct Group {
  scale: u32, // float32 bits
  zero_point: f32,
}

fn group_of(scheme: Scheme, group: u32) -> Group {
  let place = scheme.first + group;
  let zero_point = signed_byte(zero_points[place >> 2u], place);
  return Group(element_bits(scales[element_word(place)], place), select(zero_point, 0.0, scheme.is_symmetric != 0u));
}

// What the weights of a scheme have in common in a block.
struct Frame {
  unit: f32, // 1 / the unit of the block
  margin: f32,
  low: i32,
  high: i32,
}

fn frame_of(scheme: Scheme, exponent: i32) -> Frame {
  let unit = bitcast<f32>(u32(clamp(127 - exponent, 1, 254)) << 23u);
  return Frame(unit, margin_of(scheme.bits), marked_low(scheme.bits), marked_high(scheme.bits));
}

// What the weights of a group have in common, in units of the block.
struct Run {
  is_usual: bool,
  scale: f32,
  inverse: f32,
  zero_point: f32,
}

fn run_of(scheme: Scheme, group: u32, unit: f32) -> Run {
  let own = group_of(scheme, group);
  let scale = bitcast<f32>(own.scale) * unit;
  var is_usual_run = is_usual(own.scale) && is_usual(bitcast<u32>(scale));
  if (ELEMENT == F16) {
    is_usual_run = is_usual_run && own.scale < 0x43800000u; // 2^8: no reconstruction is beyond 2^16
  }
  return Run(is_usual_run, scale, 1.0 / scale, own.zero_point);
}

fn codes_of(weights: vec4<f32>, run: Run, margin: f32) -> UsualCodes {
  return usual_codes(weights, vec4<f32>(run.inverse), vec4<f32>(run.zero_point), margin, true);
}

// Sums over eights under usual scales, in lanes where that saves steps.
struct Lanes {
  energy: f32,
  error_energy: f32,
  reconstruction_energy: f32,
  largest: vec4<i32>, // bits of a positive float
  clipped: vec4<i32>,
}

// What four weights become, and which of them were cut off.
struct Restored {
  values: vec4<f32>,
  clipped: vec4<i32>,
  doubtful: vec4<bool>,
}

fn restored(weights: vec4<f32>, frame: Frame, run: Run) -> Restored {
  let codes = codes_of(weights, run, frame.margin);
  let kept = min(max(codes.marked, vec4<i32>(frame.low)), vec4<i32>(frame.high));
  var values = (bitcast<vec4<f32>>(kept) - (WHOLE + run.zero_point)) * run.scale;
  if (ELEMENT != F32) {
    values = rounded_fractions(values, select(16u, 13u, ELEMENT == F16));
  }
  // Compared as floats, which saves software adapters a step.
  let is_clipped = bitcast<vec4<f32>>(kept) != bitcast<vec4<f32>>(codes.marked);
  return Restored(values, select(vec4<i32>(0), vec4<i32>(1), is_clipped), codes.doubtful);
}

// Adds the eight weights from `index` on, but for one of which only the exact path can tell; says whether it did.
fn add_eight(total: ptr<function, Lanes>, index: u32, frame: Frame, run: Run) -> bool {
  var weight = eight_weights(index);
  weight = Eight(weight.even * frame.unit, weight.odd * frame.unit);
  var own = weight;
  if (PRUNED) {
    own = eight_originals(index);
    own = Eight(own.even * frame.unit, own.odd * frame.unit);
  }
  let even = restored(weight.even, frame, run);
  let odd = restored(weight.odd, frame, run);
  let even_errors = own.even - even.values;
  let odd_errors = own.odd - odd.values;
  let magnitudes = max(bitcast<vec4<i32>>(abs(even_errors)), bitcast<vec4<i32>>(abs(odd_errors)));
  let added = Lanes(
    (*total).energy + (dot(own.even, own.even) + dot(own.odd, own.odd)),
    (*total).error_energy + (dot(even_errors, even_errors) + dot(odd_errors, odd_errors)),
    (*total).reconstruction_energy + (dot(even.values, even.values) + dot(odd.values, odd.values)),
    max((*total).largest, magnitudes),
    (*total).clipped + (even.clipped + odd.clipped),
  );
  var is_sure = true;
  if (PRECISION > 8u) {
    is_sure = !any(even.doubtful | odd.doubtful);
  }
  if (is_sure) {
    *total = added;
  }
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

// What a scheme loses in a block, and a bit for each eight weights that were left out.
struct UsualSums {
  sums: Sums,
  left_out: u32,
}

fn usual_sums(scheme: Scheme, first: u32, end: u32, exponent: i32, all_finite: bool) -> UsualSums {
  let frame = frame_of(scheme, exponent);
  // Far from the ends of float32 everything may be scaled by multiplying.
  let is_usual_block = all_finite && abs(exponent) < 96 && scheme.bits > 0u;
  var lanes: Lanes;
  var left_out = 0u;
  var eight = 1u;
  var index = first;
  var group = first / scheme.group_size;
  var next_group = (group + 1u) * scheme.group_size;
  while (index < end) {
    // Eights that lie in one group as a whole; the others, and those of unusual groups, are left out.
    let group_end = min(next_group, end);
    let run = run_of(scheme, group, frame.unit);
    let stop = select(index, max(index, group_end & ~7u), is_usual_block && run.is_usual);
    for (; index < stop; index += 8u) {
      left_out |= select(eight, 0u, add_eight(&lanes, index, frame, run));
      eight += eight;
    }
    for (; index < group_end; index += 8u) {
      left_out |= eight;
      eight += eight;
    }
    while (next_group <= index) {
      group += 1u;
      next_group += scheme.group_size;
    }
  }
  var total = no_sums();
  total.exponent = exponent;
  total.energy = lanes.energy;
  total.error_energy = lanes.error_energy;
  total.reconstruction_energy = lanes.reconstruction_energy;
  // sum (x - y)^2 = sum x^2 - 2 sum xy + sum y^2
  total.product = 0.5 * (lanes.energy + lanes.reconstruction_energy - lanes.error_energy);
  total.largest = bitcast<f32>(max(max(lanes.largest.x, lanes.largest.y), max(lanes.largest.z, lanes.largest.w)));
  total.clipped = u32(lanes.clipped.x + lanes.clipped.y + lanes.clipped.z + lanes.clipped.w);
  return UsualSums(total, left_out);
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
    let usual = usual_sums(shape.scheme[number], first, end, exponent, largest.not_finite == 0u);
    var total = usual.sums;
    var last = usual.left_out;
    if (PRUNED && shape.scheme[number].bits == 0u) {
      total = sums_of_pruning(first, end, exponent);
      last = u32(total.exponent + 512);
    }
    let at = place + BLOCK_WORDS + SCHEME_WORDS * number;
    sums[place] = bitcast<u32>(total.energy);
    sums[at] = bitcast<u32>(total.error_energy);
    sums[at + 1u] = bitcast<u32>(total.largest);
    sums[at + 2u] = bitcast<u32>(total.product);
    sums[at + 3u] = bitcast<u32>(total.reconstruction_energy);
    sums[at + 4u] = (total.overflows << 16u) | total.clipped;
    sums[at + 5u] = last;
  }
  sums[place + 1u] = (u32(exponent + 512) << 16u) | largest.not_finite;
}

// Schemes of a set, a bit each, that have levels which have not been met yet.
fn without_all_levels(schemes: u32) -> u32 {
  var found = 0u;
  for (var left = schemes; left != 0u; left &= left - 1u) {
    let number = countTrailingZeros(left);
    let bits = shape.scheme[number].bits;
    var missing = 0u;
    for (var word = 0u; word < ((1u << bits) + 31u) / 32u; word += 1u) {
      missing |= ~atomicLoad(&levels[number * LEVEL_WORDS + word]);
    }
    missing &= select((1u << (1u << (bits & 7u))) - 1u, 0xffffffffu, bits >= 5u);
    found |= select(0u, left & (0u - left), missing != 0u && bits > 0u);
  }
  return found;
}

// Place of the sums of a scheme in a block.
fn sums_at(block: u32, number: u32) -> u32 {
  return block * (BLOCK_WORDS + SCHEME_WORDS * shape.schemes) + BLOCK_WORDS + SCHEME_WORDS * number;
}

fn exponent_at(block: u32) -> i32 {
  return i32(sums[block * (BLOCK_WORDS + SCHEME_WORDS * shape.schemes) + 1u] >> 16u) - 512;
}

// Notes the levels that occur in a block, but for eights that were left out.
fn note_levels(block: u32, number: u32) {
  let scheme = shape.scheme[number];
  let frame = frame_of(scheme, exponent_at(block));
  let left_out = sums[sums_at(block, number) + 5u];
  let first = block * BLOCK;
  var seen: array<u32, LEVEL_WORDS>;
  for (var index = first; index < min(first + BLOCK, shape.elements); index += 1u) {
    let run = run_of(scheme, index / scheme.group_size, frame.unit);
    let weight = vec4<f32>(bitcast<f32>(weight_at(index)) * frame.unit);
    let marked = codes_of(weight, run, frame.margin).marked.x;
    let level = u32(min(max(marked, frame.low), frame.high) - frame.low);
    seen[level >> 5u] |= (~(left_out >> ((index - first) >> 3u)) & 1u) << (level & 31u);
  }
  for (var word = 0u; word < LEVEL_WORDS; word += 1u) {
    atomicOr(&levels[number * LEVEL_WORDS + word], seen[word]);
  }
}

// Adds a weight by the exact path, and notes its level.
fn add_exact(total: ptr<function, Sums>, number: u32, at: u32, exponent: i32) {
  let scheme = shape.scheme[number];
  var reconstruction = weight_at(at);
  if (scheme.bits > 0u) {
    let limit = 1 << (scheme.bits - 1u);
    let own = group_of(scheme, at / scheme.group_size);
    let code = exact_code(reconstruction, own.scale, i32(own.zero_point));
    let clamped = clamp(code, -limit, limit - 1);
    (*total).clipped += select(0u, 1u, code != clamped);
    let level = u32(clamped + limit);
    atomicOr(&levels[number * LEVEL_WORDS + (level >> 5u)], 1u << (level & 31u));
    reconstruction = weight_of(clamped - i32(own.zero_point), own.scale);
  }
  add_any(total, original_at(at), reconstruction, exponent);
}

fn add_to_word(place: u32, value: f32) {
  sums[place] = bitcast<u32>(bitcast<f32>(sums[place]) + value);
}

// Adds what was left out to the sums of a scheme in a block.
fn add_late(block: u32, number: u32, late: Sums) {
  let place = sums_at(block, number);
  // Every scheme adds all originals: those of the last one stay.
  if (number + 1u == shape.schemes) {
    add_to_word(sums_at(block, 0u) - BLOCK_WORDS, late.energy);
  }
  add_to_word(place, late.error_energy);
  sums[place + 1u] = bitcast<u32>(max(bitcast<f32>(sums[place + 1u]), late.largest));
  add_to_word(place + 2u, late.product);
  add_to_word(place + 3u, late.reconstruction_energy);
  sums[place + 4u] += (late.overflows << 16u) | late.clipped;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn rest(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let blocks = (shape.elements + BLOCK - 1u) / BLOCK;
  let first_block = linear_index(id, workgroups) * REST_BLOCKS;
  let end_block = min(first_block + REST_BLOCKS, blocks);
  if (first_block >= blocks) {
    return;
  }
  var open = without_all_levels((1u << shape.schemes) - 1u);
  for (var block = first_block; open != 0u && block < end_block; block += 1u) {
    for (var left = open; left != 0u; left &= left - 1u) {
      note_levels(block, countTrailingZeros(left));
    }
    open = without_all_levels(open);
  }

  // One loop over all weights that were left out, which looks for the next ones when it has run out of them.
  var item = first_block * shape.schemes;
  var block = 0u;
  var number = 0u;
  var eights = 0u;
  var late = no_sums();
  var at = 0u;
  var end = 0u;
  loop {
    for (; at == end && eights == 0u && item < end_block * shape.schemes; item += 1u) {
      block = item / shape.schemes;
      number = item % shape.schemes;
      if (!(PRUNED && shape.scheme[number].bits == 0u)) {
        let last = sums_at(block, number) + 5u;
        eights = sums[last];
        sums[last] = u32(exponent_at(block) + 512);
      }
    }
    if (at == end) {
      if (eights == 0u) {
        break;
      }
      at = block * BLOCK + 8u * countTrailingZeros(eights);
      end = min(at + 8u, shape.elements);
      eights &= eights - 1u;
    }
    add_exact(&late, number, at, exponent_at(block));
    at += 1u;
    if (at == end) {
      add_late(block, number, late);
      late = no_sums();
    }
  }
}
