// A linear layer without bias whose weights are packed integer codes: y = x W^T.
//   inputs       x [.., k], float32, of which rows first_row to first_row + m count
//   codes        W [n, k], STORED_BITS to a code, a stream a row, as quant/int_quantize packs them
//   scales       elements of a format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   outputs      y [.., output_stride], float32, the same rows, columns output_start to output_start + n
//   dispatch     one invocation per tile of 8 x 4 outputs, bands of 8 tiles down the rows; no workgroup memory, no barrier
// OFFSET is subtracted from each stored code; 0 means two's complement. A weight is (code - zero point) * scale, rounded to
// the format of the scales: as a float where the product is a normal number of that format, else on its bits. k and
// group_size are multiples of 4.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_weight.wgsl

override SYMMETRIC: bool = true;
override STORED_BITS: u32 = 4u;
override OFFSET: u32 = 8u;

// Twice those of linear/linear: to restore a weight costs as much as four products with it.
const TILE_ROWS: u32 = 8u;

struct Shape {
  m: u32,
  n: u32,
  k: u32,
  group_size: u32,
  first_row: u32,
  output_stride: u32,
  output_start: u32,
}

@group(0) @binding(0) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read> zero_points: array<u32>;
@group(0) @binding(4) var<storage, read_write> outputs: array<f32>;
@group(0) @binding(5) var<uniform> shape: Shape;

fn zero_point_at(group: u32) -> i32 {
  if (SYMMETRIC) {
    return 0;
  }
  return i32(zero_points[group >> 2u] << (24u - 8u * (group & 3u))) >> 24u;
}

fn scale_at(group: u32) -> u32 {
  return element_bits(scales[element_word(group)], group);
}

// Whether level * scale is 0 or a normal number of the format for every level of at most 8 bits.
fn is_plain(scale: u32) -> bool {
  if (ELEMENT == F16) {
    return scale >= 0x38800000u && scale < 0x43800000u; // 2^-14 to 2^8
  }
  return is_usual(scale);
}

// Four codes from the lowest bit on, of the stream that begins at a word, from code `index` on.
fn window_at(stream: u32, index: u32) -> u32 {
  let bit = index * STORED_BITS;
  let at = bit & 31u;
  let word = stream + (bit >> 5u);
  var window = codes[word];
  if (STORED_BITS != 8u) {
    window = window >> at;
  }
  if (32u % STORED_BITS != 0u) {
    window |= select(0u, codes[word + 1u] << ((32u - at) & 31u), at + 4u * STORED_BITS > 32u);
  }
  return window;
}

// The four codes of a window minus the zero point.
fn levels_of(window: u32, zero_point: i32) -> vec4<i32> {
  let fields = vec4<u32>(window) >> (vec4<u32>(0u, 1u, 2u, 3u) * STORED_BITS);
  if (OFFSET != 0u) {
    return vec4<i32>(fields & vec4<u32>((1u << STORED_BITS) - 1u)) - (i32(OFFSET) + zero_point);
  }
  let unused = vec4<u32>(32u - STORED_BITS);
  return (vec4<i32>(fields << unused) >> unused) - zero_point;
}

// The four weights of a window under a plain scale. A code is not shifted to the lowest bit, which is dear on software
// adapters: it counts in units of the power of two that it lies at, and the scale by as much less.
fn plain_weights(window: u32, zero_point: i32, scale: u32) -> vec4<f32> {
  var words = vec4<i32>(i32(window));
  var places = vec4<u32>(0u, 1u, 2u, 3u) * STORED_BITS;
  if (STORED_BITS == 8u) {
    words = vec4<i32>(words.xy, vec2<i32>(i32(window >> 16u)));
    places = vec4<u32>(0u, 8u, 0u, 8u);
  }
  let ones = vec4<u32>(1u) << places;
  let half = 1u << (STORED_BITS - 1u);
  // Two's complement becomes an offset of half the range when its highest bit is flipped.
  if (OFFSET == 0u) {
    words = words ^ vec4<i32>(ones * half);
  }
  let fields = vec4<f32>(words & vec4<i32>(ones * ((1u << STORED_BITS) - 1u)));
  let units = vec4<f32>(ones);
  let points = f32(i32(select(OFFSET, half, OFFSET == 0u)) + zero_point);
  // Not by a division, which WGSL leaves 2.5 units in the last place.
  let shares = bitcast<vec4<f32>>((vec4<u32>(127u) - places) << vec4<u32>(23u));
  let products = (fields - points * units) * (bitcast<f32>(scale) * shares);
  if (ELEMENT == F32) {
    return products;
  }
  let last = select(0x10000u, 0x2000u, ELEMENT == F16);
  let bits = bitcast<vec4<u32>>(products);
  let is_odd = (bits & vec4<u32>(last)) != vec4<u32>();
  let rounding = select(vec4<u32>(last / 2u - 1u), vec4<u32>(last / 2u), is_odd);
  return bitcast<vec4<f32>>((bits + rounding) & vec4<u32>(~(last - 1u)));
}

fn exact_weights(levels: vec4<i32>, scale: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(
    weight_of(levels.x, scale),
    weight_of(levels.y, scale),
    weight_of(levels.z, scale),
    weight_of(levels.w, scale),
  ));
}

struct EightWeights {
  left: vec4<f32>,
  right: vec4<f32>,
}

// Eight weights from `index` on, a multiple of 8, under a plain scale.
fn eight_weights(stream: u32, index: u32, zero_point: i32, scale: u32) -> EightWeights {
  var eight: EightWeights;
  if (STORED_BITS == 4u) {
    let word = codes[stream + (index >> 3u)];
    eight.left = plain_weights(word, zero_point, scale);
    eight.right = plain_weights(word >> 16u, zero_point, scale);
  } else {
    eight.left = plain_weights(window_at(stream, index), zero_point, scale);
    eight.right = plain_weights(window_at(stream, index + 4u), zero_point, scale);
  }
  return eight;
}

// The groups that four rows of W are in, and where in the rows they end.
struct Groups {
  of_rows: vec4<u32>,
  ends: vec4<u32>,
}

fn groups_from(first: vec4<u32>) -> Groups {
  let of_rows = first / shape.group_size;
  return Groups(of_rows, (of_rows + 1u) * shape.group_size - first);
}

// As far as all four rows stay in their groups.
fn end_of(groups: Groups) -> u32 {
  return min(min(min(groups.ends.x, groups.ends.y), min(groups.ends.z, groups.ends.w)), shape.k);
}

// Goes on to where one of the groups ends, and says where that is.
fn next_groups(groups: ptr<function, Groups>) -> u32 {
  let end = end_of(*groups);
  let is_over = (*groups).ends == vec4<u32>(end);
  (*groups).of_rows += select(vec4<u32>(), vec4<u32>(1u), is_over);
  (*groups).ends += select(vec4<u32>(), vec4<u32>(shape.group_size), is_over);
  return end;
}

fn scales_of(groups: Groups) -> vec4<u32> {
  let at = groups.of_rows;
  return vec4<u32>(scale_at(at.x), scale_at(at.y), scale_at(at.z), scale_at(at.w));
}

fn zero_points_of(groups: Groups) -> vec4<i32> {
  let at = groups.of_rows;
  return vec4<i32>(zero_point_at(at.x), zero_point_at(at.y), zero_point_at(at.z), zero_point_at(at.w));
}

fn are_plain(scale: vec4<u32>) -> bool {
  return is_plain(scale.x) && is_plain(scale.y) && is_plain(scale.z) && is_plain(scale.w);
}

// Four vectors of x times four of W.
fn products(at: vec4<u32>, weights: mat4x4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(
    inputs[at.x] * weights,
    inputs[at.y] * weights,
    inputs[at.z] * weights,
    inputs[at.w] * weights,
  );
}

// Writes the sums of four rows from `first` on that lie in y.
fn put(sums: mat4x4<f32>, first: u32, first_column: u32) {
  let corner = (shape.first_row + first) * shape.output_stride + shape.output_start + first_column;
  for (var row = 0u; row < min(4u, shape.m - min(first, shape.m)); row += 1u) {
    for (var column = 0u; column < min(4u, shape.n - first_column); column += 1u) {
      outputs[corner + row * shape.output_stride + column] = sums[row][column];
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let place = tile_place(linear_index(id, workgroups), shape.m, shape.n, TILE_ROWS);
  if (place.x >= shape.m) {
    return;
  }
  // Rows beyond the last are the last again, and not written.
  let upper = (rows_from(place.x, shape.m) + shape.first_row) * (shape.k / 4u);
  let lower = (rows_from(place.x + 4u, shape.m) + shape.first_row) * (shape.k / 4u);
  let rows = rows_from(place.y, shape.n);
  let streams = rows * ((shape.k * STORED_BITS + 31u) / 32u);
  let first = rows * shape.k;
  var upper_sums = mat4x4<f32>();
  var lower_sums = mat4x4<f32>();
  // Two ways, one after the other and not in each other, since software adapters run through a branch and through a loop at
  // least once: eight weights at a time of groups whose scales are plain, then four at a time of all others.
  let is_even = (shape.k | shape.group_size) % 8u == 0u;
  var has_others = !is_even;
  var groups = groups_from(first);
  for (var i = 0u; is_even && i < shape.k; i = next_groups(&groups)) {
    let scale = scales_of(groups);
    let zero_point = zero_points_of(groups);
    let end = end_of(groups);
    if (are_plain(scale)) {
      for (var at = i; at < end; at += 8u) {
        let one = eight_weights(streams.x, at, zero_point.x, scale.x);
        let two = eight_weights(streams.y, at, zero_point.y, scale.y);
        let three = eight_weights(streams.z, at, zero_point.z, scale.z);
        let four = eight_weights(streams.w, at, zero_point.w, scale.w);
        // As a matrix, so that x times it is a product with each of its columns.
        let left = mat4x4<f32>(one.left, two.left, three.left, four.left);
        let right = mat4x4<f32>(one.right, two.right, three.right, four.right);
        upper_sums += products(upper + at / 4u, left) + products(upper + at / 4u + 1u, right);
        lower_sums += products(lower + at / 4u, left) + products(lower + at / 4u + 1u, right);
      }
    } else {
      has_others = true;
    }
  }
  if (has_others) {
    groups = groups_from(first);
    for (var i = 0u; i < shape.k; i = next_groups(&groups)) {
      let scale = scales_of(groups);
      let zero_point = zero_points_of(groups);
      let end = select(end_of(groups), i, is_even && are_plain(scale));
      for (var at = i; at < end; at += 4u) {
        let each = mat4x4<f32>(
          exact_weights(levels_of(window_at(streams.x, at), zero_point.x), scale.x),
          exact_weights(levels_of(window_at(streams.y, at), zero_point.y), scale.y),
          exact_weights(levels_of(window_at(streams.z, at), zero_point.z), scale.z),
          exact_weights(levels_of(window_at(streams.w, at), zero_point.w), scale.w),
        );
        upper_sums += products(upper + at / 4u, each);
        lower_sums += products(lower + at / 4u, each);
      }
    }
  }
  put(upper_sums, place.x, place.y);
  put(lower_sums, place.x + 4u, place.y);
}
