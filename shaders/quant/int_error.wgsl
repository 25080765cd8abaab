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
// include: lib/int_error_sums.wgsl
// include: lib/int_error_rest.wgsl

struct Shape {
  elements: u32,
  schemes: u32,
  @align(16) scheme: array<Scheme, MAX_SCHEMES>,
}

@group(0) @binding(0) var<storage, read> original: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> zero_points: array<u32>;
@group(0) @binding(4) var<storage, read_write> levels: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> sums: array<u32>;
@group(0) @binding(6) var<uniform> shape: Shape;

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

fn usual_sums(scheme: Scheme, first: u32, end: u32, exponent: i32, not_finite: u32) -> UsualSums {
  let frame = frame_of(scheme, exponent);
  let is_usual_frame = may_be_usual(scheme, exponent, not_finite);
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
    let stop = select(index, max(index, group_end & ~7u), is_usual_frame && run.is_usual);
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
  return UsualSums(sums_of(lanes, exponent), left_out);
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
  let exponent = unit_exponent(largest.magnitude);
  for (var number = 0u; number < shape.schemes; number += 1u) {
    let usual = usual_sums(shape.scheme[number], first, end, exponent, largest.not_finite);
    var total = usual.sums;
    var last = usual.left_out;
    if (PRUNED && shape.scheme[number].bits == 0u) {
      total = sums_of_pruning(first, end, exponent);
      last = u32(total.exponent + 512);
    }
    write_sums(block, number, total, last);
  }
  write_block(block, exponent, largest.not_finite);
}
