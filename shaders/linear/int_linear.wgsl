// A linear layer without bias whose weights are packed integer codes: y = x W^T.
//   inputs       x [m, k], float32
//   codes        W [n, k], STORED_BITS to a code, a stream a row, as quant/int_quantize packs them
//   scales       elements of a format, one per group of group_size weights
//   zero_points  signed bytes, one per group; read only where codes are asymmetric
//   outputs      y [m, n], float32
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

// Four codes minus the zero point, from `index` on, of the stream that begins at a word.
fn levels_at(stream: u32, index: u32, zero_point: i32) -> vec4<i32> {
  let bit = index * STORED_BITS;
  let at = bit & 31u;
  let word = stream + (bit >> 5u);
  var window = codes[word] >> at;
  if (32u % STORED_BITS != 0u) {
    window |= select(0u, codes[word + 1u] << ((32u - at) & 31u), at + 4u * STORED_BITS > 32u);
  }
  let fields = vec4<u32>(window) >> (vec4<u32>(0u, 1u, 2u, 3u) * STORED_BITS);
  if (OFFSET != 0u) {
    return vec4<i32>(fields & vec4<u32>((1u << STORED_BITS) - 1u)) - (i32(OFFSET) + zero_point);
  }
  let unused = vec4<u32>(32u - STORED_BITS);
  return (vec4<i32>(fields << unused) >> unused) - zero_point;
}

fn plain_weights(levels: vec4<i32>, scale: u32) -> vec4<f32> {
  let products = vec4<f32>(levels) * bitcast<f32>(scale);
  if (ELEMENT == F32) {
    return products;
  }
  let dropped = vec4<u32>(select(16u, 13u, ELEMENT == F16));
  let bits = bitcast<vec4<u32>>(products);
  let unit = vec4<u32>(1u) << dropped;
  let odd = (bits >> dropped) & vec4<u32>(1u);
  return bitcast<vec4<f32>>((bits + (unit >> vec4<u32>(1u)) - 1u + odd) & ~(unit - 1u));
}

fn exact_weights(levels: vec4<i32>, scale: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(
    weight_of(levels.x, scale),
    weight_of(levels.y, scale),
    weight_of(levels.z, scale),
    weight_of(levels.w, scale),
  ));
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
  for (var row = 0u; row < min(4u, shape.m - min(first, shape.m)); row += 1u) {
    for (var column = 0u; column < min(4u, shape.n - first_column); column += 1u) {
      outputs[(first + row) * shape.n + first_column + column] = sums[row][column];
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
  let upper = rows_from(place.x, shape.m) * (shape.k / 4u);
  let lower = rows_from(place.x + 4u, shape.m) * (shape.k / 4u);
  let rows = rows_from(place.y, shape.n);
  let streams = rows * ((shape.k * STORED_BITS + 31u) / 32u);
  let first = rows * shape.k;
  var upper_sums = mat4x4<f32>();
  var lower_sums = mat4x4<f32>();
  var i = 0u;
  while (i < shape.k) {
    // As far as all four rows stay in their groups.
    let groups = (first + i) / shape.group_size;
    let ends = (groups + 1u) * shape.group_size - first;
    let end = min(min(min(ends.x, ends.y), min(ends.z, ends.w)), shape.k);
    let scale = vec4<u32>(scale_at(groups.x), scale_at(groups.y), scale_at(groups.z), scale_at(groups.w));
    let zero_point = vec4<i32>(
      zero_point_at(groups.x),
      zero_point_at(groups.y),
      zero_point_at(groups.z),
      zero_point_at(groups.w),
    );
    // Weights as a matrix, so that x times it is a product with each of its columns. Two loops, since software adapters run
    // both sides of a branch.
    if (is_plain(scale.x) && is_plain(scale.y) && is_plain(scale.z) && is_plain(scale.w)) {
      for (; i < end; i += 4u) {
        let each = mat4x4<f32>(
          plain_weights(levels_at(streams.x, i, zero_point.x), scale.x),
          plain_weights(levels_at(streams.y, i, zero_point.y), scale.y),
          plain_weights(levels_at(streams.z, i, zero_point.z), scale.z),
          plain_weights(levels_at(streams.w, i, zero_point.w), scale.w),
        );
        upper_sums += products(upper + i / 4u, each);
        lower_sums += products(lower + i / 4u, each);
      }
    } else {
      for (; i < end; i += 4u) {
        let each = mat4x4<f32>(
          exact_weights(levels_at(streams.x, i, zero_point.x), scale.x),
          exact_weights(levels_at(streams.y, i, zero_point.y), scale.y),
          exact_weights(levels_at(streams.z, i, zero_point.z), scale.z),
          exact_weights(levels_at(streams.w, i, zero_point.w), scale.w),
        );
        upper_sums += products(upper + i / 4u, each);
        lower_sums += products(lower + i / 4u, each);
      }
    }
  }
  put(upper_sums, place.x, place.y);
  put(lower_sums, place.x + 4u, place.y);
}
