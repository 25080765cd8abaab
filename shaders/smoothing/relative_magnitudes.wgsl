// Sums over 64 rows of what each weight is beside the largest of its group: |w| / (max |w| + 1e-6), each step rounded.
//   weights   elements (lib/elements.wgsl) [rows, cols], finite
//   sums      float32 [ceil(rows / 64), cols]
//   dispatch  one invocation per block of rows, group and chunk of its columns, chunks next to each other; no workgroup memory,
//             no barrier
// Shares are exact in bf16 and f16, although WGSL's division is not; below the smallest normal number of f16 they are not rounded.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl
// include: lib/rounding.wgsl

const ROWS_PER_BLOCK: u32 = 64u;

struct Shape {
  rows: u32,
  cols: u32,
  group_size: u32,
  chunk: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> shape: Shape;

// The largest magnitude of the weights from `first` on.
fn largest_of(first: u32, end: u32) -> f32 {
  let body = min(end, (first + 7u) & ~7u);
  let tail = max(body, end & ~7u);
  var largest = 0u;
  for (var index = first; index < body; index += 1u) {
    largest = max(largest, weight_at(index) & ~SIGN);
  }
  var eights = vec4<f32>(0.0);
  for (var index = body; index < tail; index += 8u) {
    let eight = eight_weights(index);
    eights = max(eights, max(abs(eight.even), abs(eight.odd)));
  }
  for (var index = tail; index < end; index += 1u) {
    largest = max(largest, weight_at(index) & ~SIGN);
  }
  return max(max(max(eights.x, eights.y), max(eights.z, eights.w)), bitcast<f32>(largest));
}

// The divisor of a group, rounded to the format, and so is what is added. Neither sum is anywhere near a tie unless it is exact.
fn divisor_of(largest: f32) -> f32 {
  var divisor = largest + 1e-6;
  if (ELEMENT == BF16) {
    divisor = rounded_fractions(vec4<f32>(largest + bitcast<f32>(0x35860000u)), 16u).x;
  } else if (ELEMENT == F16) {
    // Subnormals of f16 have fewer bits than 11, and stay as they are.
    divisor = rounded_fractions(vec4<f32>(largest + 17.0 * 5.9604644775390625e-8), 13u).x;
  }
  return divisor;
}

// What magnitudes are beside their divisor.
fn shares_of(magnitudes: vec4<f32>, divisor: f32) -> vec4<f32> {
  let quotients = magnitudes / divisor;
  var shares = quotients;
  if (ELEMENT == BF16) {
    // Two mantissas of 8 bits: at least 2^-17 (relative) away from a tie of 8 bits.
    shares = rounded_fractions(quotients, 16u);
  } else if (ELEMENT == F16) {
    // The middle between two of 11 bits has 12, its product with the divisor 23: that is exact, and says on which side it lies.
    let below = bitcast<vec4<u32>>(quotients) & vec4<u32>(0xffffe000u);
    let middle = bitcast<vec4<f32>>(below | vec4<u32>(0x1000u)) * divisor;
    let is_odd = (below & vec4<u32>(0x2000u)) != vec4<u32>(0u);
    let is_up = (magnitudes > middle) | ((magnitudes == middle) & is_odd);
    let nearest = bitcast<vec4<f32>>(below + select(vec4<u32>(0u), vec4<u32>(0x2000u), is_up));
    shares = select(quotients, nearest, quotients >= vec4<f32>(6.103515625e-5));
  }
  return shares;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let chunks = (shape.group_size + shape.chunk - 1u) / shape.chunk;
  let pieces = shape.cols / shape.group_size * chunks;
  let block = index / pieces;
  let first_row = block * ROWS_PER_BLOCK;
  if (first_row >= shape.rows) {
    return;
  }
  let piece = index % pieces;
  let group = piece / chunks * shape.group_size;
  let column = group + piece % chunks * shape.chunk;
  let size = min(shape.chunk, group + shape.group_size - column);
  let to = block * shape.cols + column;
  for (var row = first_row; row < min(first_row + ROWS_PER_BLOCK, shape.rows); row += 1u) {
    let start = row * shape.cols;
    let divisor = divisor_of(largest_of(start + group, start + group + shape.group_size));
    let is_first = row == first_row;
    let own = start + column;
    let body = select(0u, size & ~7u, (own & 7u) == 0u);
    for (var place = 0u; place < body; place += 8u) {
      let eight = eight_weights(own + place);
      let even = shares_of(abs(eight.even), divisor);
      let odd = shares_of(abs(eight.odd), divisor);
      for (var lane = 0u; lane < 4u; lane += 1u) {
        let at = to + place + 2u * lane;
        sums[at] = select(sums[at], 0.0, is_first) + even[lane];
        sums[at + 1u] = select(sums[at + 1u], 0.0, is_first) + odd[lane];
      }
    }
    for (var place = body; place < size; place += 1u) {
      let magnitude = bitcast<f32>(weight_at(own + place) & ~SIGN);
      sums[to + place] = select(sums[to + place], 0.0, is_first) + shares_of(vec4<f32>(magnitude), divisor).x;
    }
  }
}
