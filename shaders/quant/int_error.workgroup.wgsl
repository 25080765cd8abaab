// What up to eight schemes lose, as quant/int_error.wgsl has it, where nothing is pruned: an invocation to each eight weights, for
// GPUs, whose neighbours should load neighbouring words and which have too few blocks to be busy with one invocation each.
//   dispatch  main: one workgroup per two blocks of 256 weights; rest: as there
// The sums of a block are added up in pairs, halves and so on.
// include: lib/invocation.wgsl
// include: lib/workgroup.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl
// include: lib/int_error_sums.wgsl
// include: lib/int_error_rest.wgsl

const LANES: u32 = BLOCK / 8u;

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

// Of each invocation, then of ever more of its block.
var<workgroup> largest_by: array<Largest, WORKGROUP_SIZE>;
var<workgroup> sums_by: array<Sums, WORKGROUP_SIZE>;
var<workgroup> left_out_by: array<u32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(local_invocation_index) own: u32,
  @builtin(workgroup_id) id: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
) {
  let lane = own % LANES;
  let block = workgroup_index(id, workgroups) * (WORKGROUP_SIZE / LANES) + own / LANES;
  let first = min(block * BLOCK + 8u * lane, shape.elements);
  let end = min(first + 8u, shape.elements);
  let writes = lane == 0u && first < shape.elements;

  largest_by[own] = largest_of(first, end);
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      let other = largest_by[own + half];
      largest_by[own].magnitude = max(largest_by[own].magnitude, other.magnitude);
      largest_by[own].not_finite += other.not_finite;
    }
  }
  workgroupBarrier();
  let largest = largest_by[own - lane];
  let exponent = unit_exponent(largest.magnitude);

  for (var number = 0u; number < shape.schemes; number += 1u) {
    let scheme = shape.scheme[number];
    let frame = frame_of(scheme, exponent);
    let group = first / scheme.group_size;
    let run = run_of(scheme, group, frame.unit);
    let is_whole = end - first == 8u && (first + 7u) / scheme.group_size == group;
    // Said outright: Chromium leaves a variable without a value what it was the turn before.
    var lanes = Lanes();
    var is_added = false;
    if (is_whole && run.is_usual && may_be_usual(scheme, exponent, largest.not_finite)) {
      is_added = add_eight(&lanes, first, frame, run);
    }
    var total = sums_of(lanes, exponent);
    var left_out = select(1u << lane, 0u, is_added || first == end);
    // The sums of the scheme before have been read.
    workgroupBarrier();
    sums_by[own] = total;
    left_out_by[own] = left_out;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (lane < half) {
        add_part(&total, sums_by[own + half]);
        left_out |= left_out_by[own + half];
        sums_by[own] = total;
        left_out_by[own] = left_out;
      }
    }
    if (writes) {
      write_sums(block, number, total, left_out);
    }
  }
  if (writes) {
    write_block(block, exponent, largest.not_finite);
  }
}
