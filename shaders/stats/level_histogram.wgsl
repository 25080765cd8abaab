// Histogram of weight / scale + zero point: where weights fall between the levels of an integer scheme.
//   weights      elements of a format
//   scales       elements of the same format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   counts       COPIES histograms of (2^BITS + 1) * BINS_PER_LEVEL bins, to be added up; zero before the first dispatch
//   dispatch     one invocation per 128 weights; no workgroup memory, no barrier
// Bin b holds positions from b / BINS_PER_LEVEL - 2^(BITS-1) - 1/2 up to the next, the outer bins also what lies beyond.
// BINS_PER_LEVEL is a power of two. Exact: positions are computed in float32, and on integers where they are within 2^-8 of
// an edge. Weights under a scale that is not finite are not counted.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl

const SEGMENT: u32 = 128u;

override BITS: u32 = 4u;
override SYMMETRIC: bool = true;
override BINS_PER_LEVEL: u32 = 16u;
override COPIES: u32 = 16u;

struct Shape {
  elements: u32,
  group_size: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> zero_points: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn zero_point_at(group: u32) -> i32 {
  if (SYMMETRIC) {
    return 0;
  }
  return i32(zero_points[group >> 2u] << (24u - 8u * (group & 3u))) >> 24u;
}

// floor(2 * BINS_PER_LEVEL * weight / scale): half bins, of which the half level below the lowest is a whole number.
fn half_bins(weight: u32, scale: u32) -> i32 {
  let magnitude = weight & ~SIGN;
  if (magnitude == 0u) {
    return 0;
  }
  let x = parts_of(magnitude);
  let s = parts_of(scale);
  let quotient = quotient_of(x.mantissa, s.mantissa);
  let shift = 30 + s.exponent - x.exponent - i32(countTrailingZeros(2u * BINS_PER_LEVEL));
  var steps = 0x0fffff;
  var is_exact = true;
  if (shift > 31) {
    steps = 0;
    is_exact = false;
  } else if (shift > 10) {
    steps = i32(quotient.bits >> u32(shift));
    is_exact = !quotient.is_inexact && (quotient.bits & ((1u << u32(shift)) - 1u)) == 0u;
  }
  // floor of a negative quotient is one lower unless it is whole
  return select(steps, -steps - select(1, 0, is_exact), (weight & SIGN) != 0u);
}

fn scale_at(group: u32) -> u32 {
  return element_bits(scales[element_word(group)], group);
}

fn count(base: u32, bin: i32) {
  let bins = i32(((1u << BITS) + 1u) * BINS_PER_LEVEL);
  atomicAdd(&counts[base + u32(clamp(bin, 0, bins - 1))], 1u);
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
  let per_level = f32(BINS_PER_LEVEL);
  // A bit for each weight of a part that only integers can tell: afterwards, since software adapters run what is inside of a
  // branch for every weight.
  var doubtful: array<u32, SEGMENT / 32u>;
  for (var part = 0u; part < SEGMENT / 32u; part += 1u) {
    let part_first = first + 32u * part;
    let part_end = min(part_first + 32u, end);
    var doubts = 0u;
    var index = part_first;
    while (index < part_end) {
      let group = index / shape.group_size;
      let group_end = min((group + 1u) * shape.group_size, part_end);
      let scale = scale_at(group);
      let is_unusual = !is_usual(scale);
      let unit = bitcast<f32>(clamp(254u - (scale >> 23u), 1u, 254u) << 23u);
      let inverse = per_level / (bitcast<f32>(scale) * unit);
      let middle = f32(zero_point_at(group)) * per_level + 0.5 * f32(bins);
      for (; index < group_end; index += 1u) {
        let weight = element_bits(weights[element_word(index)], index);
        let position = bitcast<f32>(weight) * unit * inverse + middle;
        let is_doubtful = is_unusual || abs(position - round(position)) < 0.00390625;
        doubts |= select(0u, 1u, is_doubtful) << (index - part_first);
        if (!is_doubtful) {
          count(base, i32(floor(clamp(position, 0.0, f32(bins)))));
        }
      }
    }
    doubtful[part] = doubts;
  }
  for (var part = 0u; part < SEGMENT / 32u; part += 1u) {
    for (var doubts = doubtful[part]; doubts != 0u; doubts &= doubts - 1u) {
      let index = first + 32u * part + countTrailingZeros(doubts);
      let group = index / shape.group_size;
      let scale = scale_at(group);
      let weight = element_bits(weights[element_word(index)], index);
      if ((weight & ~SIGN) < INFINITY && scale < INFINITY) {
        let from_bottom = half_bins(weight, scale) + zero_point_at(group) * i32(2u * BINS_PER_LEVEL) + i32(bins);
        count(base, from_bottom >> 1u);
      }
    }
  }
}
