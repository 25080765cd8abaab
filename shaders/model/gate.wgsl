// outputs = activation(gate) * up, number by number; without GATED the activation alone. It is rounded before the product.
//   gate      float32, row r from r * gate_stride + gate_start on
//   up        float32, row r from r * up_stride + up_start on; read under GATED only
//   outputs   float32 [rows, width]
//   dispatch  one invocation per chunk of a row (lib/row_chunks.wgsl); no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/row_chunks.wgsl
// include: lib/format_rounding.wgsl

override ACTIVATION: u32 = 0u;
override GATED: bool = true;

const SILU: u32 = 0u;
const GELU: u32 = 1u;
const GELU_TANH: u32 = 2u;

struct Shape {
  rows: u32,
  width: u32,
  gate_stride: u32,
  gate_start: u32,
  up_stride: u32,
  up_start: u32,
}

@group(0) @binding(0) var<storage, read> gate: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> up: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> outputs: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

// Comparisons with a NaN are false: where `select` prefers its first operand then, NaN stay NaN.

// x / (1 + e^y), and 0 where e^y leaves float32.
fn over_exp(x: vec4<f32>, y: vec4<f32>) -> vec4<f32> {
  let is_beyond = y > vec4<f32>(87.0);
  return select(x / (1.0 + exp(select(y, vec4<f32>(87.0), is_beyond))), vec4<f32>(0.0), is_beyond);
}

// The normal distribution function by erfc(z) = t exp(-z^2 + P(t)), t = 1 / (1 + z / 2), which is within 1.2e-7 (relative)
// of it for any z of 0 and more (Press et al., Numerical Recipes in C, 2nd edition, section 6.2, erfcc).
fn normal_share(x: vec4<f32>) -> vec4<f32> {
  let root = abs(x) * 0.70710678;
  // Beyond 14, erfc is 0 in float32.
  let z = select(root, vec4<f32>(14.0), root > vec4<f32>(14.0));
  let t = 1.0 / (1.0 + 0.5 * z);
  let p = ((((t * 0.17087277 - 0.82215223) * t + 1.48851587) * t - 1.13520398) * t + 0.27886807) * t - 0.18628806;
  let q = (((p * t + 0.09678418) * t + 0.37409196) * t + 1.00002368) * t - 1.26551223;
  let tail = 0.5 * t * exp(q - z * z);
  return select(1.0 - tail, tail, x < vec4<f32>(0.0));
}

fn activated(x: vec4<f32>) -> vec4<f32> {
  var found: vec4<f32>;
  if (ACTIVATION == SILU) {
    found = over_exp(x, -x);
  } else if (ACTIVATION == GELU) {
    found = x * normal_share(x);
  } else if (ACTIVATION == GELU_TANH) {
    // x/2 (1 + tanh u) = x / (1 + e^-2u), which keeps its digits where it is small and cannot overflow.
    found = over_exp(x, -1.5957691216 * (x + 0.044715 * x * x * x));
  } else {
    found = select(x, vec4<f32>(0.0), x < vec4<f32>(0.0));
  }
  return rounded(found);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let chunk = chunk_of(linear_index(id, workgroups), shape.width);
  if (chunk.row >= shape.rows) {
    return;
  }
  let from_gate = chunk.row * shape.gate_stride + shape.gate_start;
  let from_up = chunk.row * shape.up_stride + shape.up_start;
  let to = chunk.row * shape.width;
  // Vectors of a row are vectors of the arrays only where all of these are whole ones.
  let places = shape.width | shape.gate_stride | shape.gate_start | shape.up_stride | shape.up_start;
  let whole = select(chunk.first, chunk.end, (places & 3u) == 0u);
  for (var column = chunk.first; column < whole; column += 4u) {
    var own = activated(gate[(from_gate + column) >> 2u]);
    if (GATED) {
      own *= up[(from_up + column) >> 2u];
    }
    outputs[(to + column) >> 2u] = own;
  }
  for (var column = whole; column < chunk.end; column += 1u) {
    let at = from_gate + column;
    var own = activated(vec4<f32>(gate[at >> 2u][at & 3u])).x;
    if (GATED) {
      own *= up[(from_up + column) >> 2u][(from_up + column) & 3u];
    }
    outputs[(to + column) >> 2u][(to + column) & 3u] = own;
  }
}
