// Normalizes pieces of neighbouring numbers, by their root mean square or, under LAYER, by mean and variance.
//   inputs    float32 [pieces, width]
//   weight    float32 [width]
//   bias      float32 [width], read under LAYER only
//   outputs   float32 [pieces, width]: (x - center) / sqrt(mean((x - center)^2) + epsilon) * (weight + offset) + bias, where
//             the center is the mean under LAYER and else 0; the quotient is rounded before it is multiplied
//   dispatch  one invocation per piece; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/format_rounding.wgsl

override LAYER: bool = false;

const BLOCK: u32 = 64u;

struct Shape {
  pieces: u32,
  width: u32,
  epsilon: f32,
  offset: f32,
}

@group(0) @binding(0) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> shape: Shape;

// Numbers of a piece from its first on that are read by vectors: all or none, since vectors of a piece are vectors of the
// array only where pieces are of whole ones.
fn whole_width() -> u32 {
  return select(0u, shape.width, (shape.width & 3u) == 0u);
}

// Sum of the numbers less a center, or of their squares: in blocks, so that no number goes through many additions.
fn sum_of(start: u32, center: f32, is_squared: bool) -> f32 {
  let whole = start + whole_width();
  let end = start + shape.width;
  var total = vec4<f32>();
  for (var first = start; first < whole; first += BLOCK) {
    var block = vec4<f32>();
    for (var at = first / 4u; at < min(first + BLOCK, whole) / 4u; at += 1u) {
      let four = inputs[at] - center;
      block += select(four, four * four, is_squared);
    }
    total += block;
  }
  for (var first = whole; first < end; first += BLOCK) {
    var block = 0.0;
    for (var at = first; at < min(first + BLOCK, end); at += 1u) {
      let one = inputs[at >> 2u][at & 3u] - center;
      block += select(one, one * one, is_squared);
    }
    total.x += block;
  }
  return (total.x + total.y) + (total.z + total.w);
}

// deviations * inverse * factors.
fn scaled(deviations: vec4<f32>, inverse: f32, factors: vec4<f32>) -> vec4<f32> {
  var found: vec4<f32>;
  if (ROUNDING == F32) {
    found = deviations * (inverse * factors);
  } else {
    found = rounded(deviations * inverse) * factors;
  }
  return found;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let piece = linear_index(id, workgroups);
  if (piece >= shape.pieces) {
    return;
  }
  let start = piece * shape.width;
  let count = f32(shape.width);
  var center = 0.0;
  if (LAYER) {
    center = sum_of(start, 0.0, false) / count;
  }
  let square = sum_of(start, center, true) / count + shape.epsilon;
  // Newton's step: the built-in root may be off by two units of the last place, all numbers of a piece alike.
  let guess = inverseSqrt(square);
  let inverse = guess + 0.5 * guess * (1.0 - square * guess * guess);
  let whole = whole_width();
  for (var column = 0u; column < whole; column += 4u) {
    let at = (start + column) >> 2u;
    var four = scaled(inputs[at] - center, inverse, weight[column >> 2u] + shape.offset);
    if (LAYER) {
      four += bias[column >> 2u];
    }
    outputs[at] = four;
  }
  for (var column = whole; column < shape.width; column += 1u) {
    let at = start + column;
    let factor = weight[column >> 2u][column & 3u] + shape.offset;
    var one = scaled(vec4<f32>(inputs[at >> 2u][at & 3u] - center), inverse, vec4<f32>(factor)).x;
    if (LAYER) {
      one += bias[column >> 2u][column & 3u];
    }
    outputs[at >> 2u][at & 3u] = one;
  }
}
