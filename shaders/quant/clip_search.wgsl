// The limit to which the weights of each group are best clamped before they are quantized.
//   weights   elements of a format [rows, cols]
//   inputs    float32 [tokens, cols]
//   limits    float32 [rows, cols / group_size]
//   dispatch  one invocation per group, those of one group of columns side by side: they read the same inputs; no workgroup
//             memory, no barrier
// Of ten limits, absmax * (1 - i / 20), that with the least mean over the tokens of (sum of x * (restored - weight))^2; of
// equals the first. Limits, scales and codes are exact.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl
// include: lib/int_params.wgsl
// include: lib/int_restore.wgsl

// Float32 bits of 1, 0.95, … 0.55.
const SHARES = array<u32, 10>(
  0x3f800000u, 0x3f733333u, 0x3f666666u, 0x3f59999au, 0x3f4ccccdu, 0x3f400000u, 0x3f333333u, 0x3f266666u, 0x3f19999au,
  0x3f0ccccdu,
);

// Tokens whose sums are made side by side: what becomes of a weight is worked out once for all of them.
const TOKENS: u32 = 16u;

struct Shape {
  rows: u32,
  cols: u32,
  group_size: u32,
  tokens: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> inputs: array<f32>;
@group(0) @binding(2) var<storage, read_write> limits: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

struct Sums {
  a: vec4<f32>,
  b: vec4<f32>,
  c: vec4<f32>,
  d: vec4<f32>,
}

// Where the inputs of a token begin; of one beyond the last, those of the last.
fn token_start(token: u32) -> u32 {
  return min(token, shape.tokens - 1u) * shape.cols;
}

fn product_of_eight(place: u32, even: vec4<f32>, odd: vec4<f32>) -> f32 {
  let x = vec4<f32>(inputs[place], inputs[place + 2u], inputs[place + 4u], inputs[place + 6u]);
  let y = vec4<f32>(inputs[place + 1u], inputs[place + 3u], inputs[place + 5u], inputs[place + 7u]);
  let products = x * even + y * odd;
  return (products.x + products.y) + (products.z + products.w);
}

fn products_of_eight(token: u32, column: u32, even: vec4<f32>, odd: vec4<f32>) -> vec4<f32> {
  return vec4<f32>(
    product_of_eight(token_start(token) + column, even, odd),
    product_of_eight(token_start(token + 1u) + column, even, odd),
    product_of_eight(token_start(token + 2u) + column, even, odd),
    product_of_eight(token_start(token + 3u) + column, even, odd),
  );
}

fn four_inputs(token: u32, column: u32) -> vec4<f32> {
  return vec4<f32>(
    inputs[token_start(token) + column],
    inputs[token_start(token + 1u) + column],
    inputs[token_start(token + 2u) + column],
    inputs[token_start(token + 3u) + column],
  );
}

// The sums of sixteen tokens from `token` on, over the weights from `first` to before `end`; the first lies in `column`.
fn sums_of(first: u32, end: u32, column: u32, token: u32, limit: u32, by: Restorer) -> Sums {
  var sums: Sums;
  let bound = vec4<f32>(bitcast<f32>(limit));
  // Weights before it take the exact path.
  var exact_end = select(end, first, by.is_usual);
  var index = first;
  while (index < end) {
    let place = column + (index - first);
    if (index >= exact_end && (index & 7u) == 0u && index + 8u <= end) {
      let eight = eight_weights(index);
      let even = restored_four(max(min(eight.even, bound), -bound), by);
      let odd = restored_four(max(min(eight.odd, bound), -bound), by);
      if (any(even.doubtful | odd.doubtful)) {
        exact_end = index + 8u;
      } else {
        let x = even.values - eight.even;
        let y = odd.values - eight.odd;
        sums.a += products_of_eight(token, place, x, y);
        sums.b += products_of_eight(token + 4u, place, x, y);
        sums.c += products_of_eight(token + 8u, place, x, y);
        sums.d += products_of_eight(token + 12u, place, x, y);
        index += 8u;
      }
    } else {
      let weight = weight_at(index);
      let clamped = (weight & SIGN) | min(weight & ~SIGN, limit);
      let x = restored_one(clamped, by) - bitcast<f32>(weight);
      sums.a += four_inputs(token, place) * x;
      sums.b += four_inputs(token + 4u, place) * x;
      sums.c += four_inputs(token + 8u, place) * x;
      sums.d += four_inputs(token + 12u, place) * x;
      index += 1u;
    }
  }
  return sums;
}

// Squares of the sums of tokens that there are.
fn energy_of(token: u32, sums: vec4<f32>) -> f32 {
  let is_token = vec4<u32>(token, token + 1u, token + 2u, token + 3u) < vec4<u32>(shape.tokens);
  let kept = select(vec4<f32>(0.0), sums, is_token);
  return dot(kept, kept);
}

fn error_of(first: u32, end: u32, column: u32, limit: u32, by: Restorer) -> f32 {
  var error = 0.0;
  for (var token = 0u; token < shape.tokens; token += TOKENS) {
    let sums = sums_of(first, end, column, token, limit, by);
    let low = energy_of(token, sums.a) + energy_of(token + 4u, sums.b);
    error += low + (energy_of(token + 8u, sums.c) + energy_of(token + 12u, sums.d));
  }
  return error / f32(shape.tokens);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let number = linear_index(id, workgroups);
  let row = number % shape.rows;
  let column = number / shape.rows * shape.group_size;
  if (column >= shape.cols) {
    return;
  }
  let first = row * shape.cols + column;
  let end = first + shape.group_size;
  var positive = 0u;
  var negative = 0u;
  for (var index = first; index < end; index += 1u) {
    let weight = weight_at(index);
    let is_negative = (weight & SIGN) != 0u;
    positive = max(positive, select(weight, 0u, is_negative));
    negative = max(negative, select(0u, weight & ~SIGN, is_negative));
  }
  let largest = max(positive, negative);
  var best = min(largest, INFINITY);
  if (largest < INFINITY) {
    var least = bitcast<u32>(1e9);
    for (var step = 0u; step < 10u; step += 1u) {
      let limit = shrunk(largest, SHARES[step]);
      let by = restorer_of(min(positive, limit), min(negative, limit));
      // As bits, where infinity and NaN are larger than all numbers.
      var error = INFINITY;
      if (by.scale < INFINITY) {
        error = bitcast<u32>(error_of(first, end, column, limit, by));
      }
      if (error < least) {
        least = error;
        best = limit;
      }
    }
  }
  limits[first / shape.group_size] = bitcast<f32>(best);
}
