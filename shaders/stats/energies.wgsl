// Sum of squares of each row, or each column, of a matrix.
//   weights  elements (lib/elements.wgsl): element j of output i at i * output_stride + j * inner_stride
//   sums     float32, one per output, in units of 2^(2 * exponent)
//   dispatch one invocation per output; no workgroup memory, no barrier
// A weight is put into units of 2^exponent on its bits, so that neither the smallest nor the largest leave float32. Where
// one is infinite, NaN or 2^64 units and more, the sum is infinity; those below 2^-63 units count as 0. Each square and
// each addition rounds once; blocks keep the additions that any weight goes through few.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

const BLOCK: u32 = 64u;

struct Shape {
  outputs: u32,
  length: u32,
  output_stride: u32,
  inner_stride: u32,
  exponent: i32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// Bits of a finite magnitude in units of 2^exponent: 0 where its square would not be a normal number, infinity where it
// would be none.
fn in_units(magnitude: u32) -> u32 {
  var exponent = i32(magnitude >> 23u);
  var fraction = magnitude & 0x7fffffu;
  if (exponent == 0) {
    if (fraction == 0u) {
      return 0u;
    }
    let shift = countLeadingZeros(fraction) - 8u;
    fraction = (fraction << shift) & 0x7fffffu;
    exponent = 1 - i32(shift);
  }
  exponent -= shape.exponent;
  if (exponent < 127 - 63) {
    return 0u;
  }
  if (exponent >= 127 + 64) {
    return INFINITY;
  }
  return (u32(exponent) << 23u) | fraction;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let output = linear_index(id, workgroups);
  if (output >= shape.outputs) {
    return;
  }
  var index = output * shape.output_stride;
  var total = 0.0;
  var is_infinite = false;
  for (var start = 0u; start < shape.length; start += BLOCK) {
    var block = 0.0;
    for (var j = start; j < min(start + BLOCK, shape.length); j += 1u) {
      let magnitude = element_bits(weights[element_word(index)], index) & ~SIGN;
      index += shape.inner_stride;
      let scaled = in_units(magnitude);
      if (magnitude >= INFINITY || scaled == INFINITY) {
        is_infinite = true;
      } else {
        let x = bitcast<f32>(scaled);
        block += x * x;
      }
    }
    total += block;
  }
  sums[output] = select(bitcast<u32>(total), INFINITY, is_infinite);
}
