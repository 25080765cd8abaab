// What quantizing loses, by the usual path; layout of `sums` and meaning: head of quant/int_error.wgsl. Needs lib/elements.wgsl,
// lib/weights.wgsl, lib/rounding.wgsl, lib/int_code.wgsl and the bindings of that file.

// Whether weights are other than original.
override PRUNED: bool = false;

const BLOCK: u32 = 256u;
const BLOCK_WORDS: u32 = 2u;
const SCHEME_WORDS: u32 = 6u;
const MAX_SCHEMES: u32 = 8u;

struct Scheme {
  bits: u32,
  is_symmetric: u32,
  group_size: u32,
  first: u32,
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

// What the lanes of a scheme add up to.
fn sums_of(lanes: Lanes, exponent: i32) -> Sums {
  var total = no_sums();
  total.exponent = exponent;
  total.energy = lanes.energy;
  total.error_energy = lanes.error_energy;
  total.reconstruction_energy = lanes.reconstruction_energy;
  // sum (x - y)^2 = sum x^2 - 2 sum xy + sum y^2
  total.product = 0.5 * (lanes.energy + lanes.reconstruction_energy - lanes.error_energy);
  total.largest = bitcast<f32>(max(max(lanes.largest.x, lanes.largest.y), max(lanes.largest.z, lanes.largest.w)));
  total.clipped = u32(lanes.clipped.x + lanes.clipped.y + lanes.clipped.z + lanes.clipped.w);
  return total;
}

// Place of the sums of a scheme in a block.
fn sums_at(block: u32, number: u32) -> u32 {
  return block * (BLOCK_WORDS + SCHEME_WORDS * shape.schemes) + BLOCK_WORDS + SCHEME_WORDS * number;
}

// Writes what the usual path found of a scheme in a block; `last` is the exponent of its errors, or what it left out.
fn write_sums(block: u32, number: u32, total: Sums, last: u32) {
  let at = sums_at(block, number);
  // Every scheme sums all originals: those of the last one stay.
  sums[sums_at(block, 0u) - BLOCK_WORDS] = bitcast<u32>(total.energy);
  sums[at] = bitcast<u32>(total.error_energy);
  sums[at + 1u] = bitcast<u32>(total.largest);
  sums[at + 2u] = bitcast<u32>(total.product);
  sums[at + 3u] = bitcast<u32>(total.reconstruction_energy);
  sums[at + 4u] = (total.overflows << 16u) | total.clipped;
  sums[at + 5u] = last;
}

// Writes what all schemes have in common in a block.
fn write_block(block: u32, exponent: i32, not_finite: u32) {
  sums[sums_at(block, 0u) - BLOCK_WORDS + 1u] = (u32(exponent + 512) << 16u) | not_finite;
}

// The exponent of the unit of a block.
fn unit_exponent(magnitude: u32) -> i32 {
  var exponent = 0;
  if (magnitude != 0u) {
    exponent = parts_of(magnitude).exponent + 23;
  }
  return exponent;
}

// Whether a scheme's weights may take the usual path in a block: far from the ends of float32 everything may be scaled by
// multiplying.
fn may_be_usual(scheme: Scheme, exponent: i32, not_finite: u32) -> bool {
  return not_finite == 0u && abs(exponent) < 96 && scheme.bits > 0u;
}
