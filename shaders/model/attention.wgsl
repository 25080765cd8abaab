// Causal attention of each row over the rows of its own window, grouped-query: softmax(scale * q K^T) V, all float32.
//   positions  u32 [rows]: the place of each row in its window, whose first row is so many rows above it; with a capacity, how
//              many rows of its cache come before its own
//   query      registers [rows, width] that may be one buffer; head h has the columns from start + h * stride on, dim of
//   key        them; query head h goes with key and value head floor(h * key_heads / heads)
//   value      with a capacity, caches [rows * capacity, width]: row r of the query sees the rows of its own, from
//              r * capacity to r * capacity + positions[r], which is itself
//   outputs    [rows, heads * dim], of which rows first_row to first_row + row_count are written
//   dispatch   one invocation per tile of 4 rows and head, heads next to each other; no workgroup memory, no barrier. With a
//              capacity, where no two rows see the same keys, a tile is 4 heads of one row that go with the same key head
// A row sees itself and what is above it in its window, at most `window` rows in all; 0 means no such limit. Where SOFT_CAP
// is not 0, scores become SOFT_CAP * tanh(scores / SOFT_CAP). Keys go by in blocks, whose scores alone are kept; `outputs`
// holds the sums so far in units of e^maximum, as in FlashAttention (Dao and others 2022, algorithm 1). dim, widths, starts
// and strides are multiples of 4. What is not finite in a row may also reach three rows beside those that see it.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl

override SOFT_CAP: f32 = 0.0;

const QUADS: u32 = 8u; // of keys in a block

// Scores of what a row does not see, and less than any that counts. Finite, since WGSL may take infinities for granted not
// to occur; their difference is one whose exponential is 0.
const UNSEEN: f32 = -3e38;
const LOWEST: f32 = -1e38;

struct Shape {
  first_row: u32,
  row_count: u32,
  heads: u32,
  key_heads: u32,
  dim: u32,
  query_width: u32,
  query_start: u32,
  query_stride: u32,
  key_width: u32,
  key_start: u32,
  key_stride: u32,
  value_width: u32,
  value_start: u32,
  value_stride: u32,
  scale: f32,
  window: u32,
  capacity: u32,
}

@group(0) @binding(0) var<storage, read> positions: array<u32>;
@group(0) @binding(1) var<storage, read> query: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> key: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> outputs: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> shape: Shape;

// The vectors of four rows that begin at a column each.
fn vectors_of(rows: vec4<u32>, width: u32, first_columns: vec4<u32>) -> vec4<u32> {
  return (rows * width + first_columns) / 4u;
}

fn smallest(four: vec4<u32>) -> u32 {
  return min(min(four.x, four.y), min(four.z, four.w));
}

fn largest(four: vec4<u32>) -> u32 {
  return max(max(four.x, four.y), max(four.z, four.w));
}

fn largest_score(four: vec4<f32>) -> f32 {
  return max(max(four.x, four.y), max(four.z, four.w));
}

// Without the overflow of e^2x, and without the cancellation near 0.
fn capped(scores: vec4<f32>) -> vec4<f32> {
  let x = scores / SOFT_CAP;
  let decay = exp(-2.0 * abs(x));
  let squared = x * x;
  let near = x - x * squared * (1.0 / 3.0 - squared * (2.0 / 15.0 - squared * (17.0 / 315.0)));
  let far = sign(x) * ((1.0 - decay) / (1.0 + decay));
  return SOFT_CAP * select(far, near, abs(x) < vec4<f32>(0.15));
}

// Scores of one row against four keys from `first` on.
fn seen(scores: vec4<f32>, first: u32, top: u32, row: u32) -> vec4<f32> {
  let keys = vec4<u32>(0u, 1u, 2u, 3u) + first;
  var scaled = scores * shape.scale;
  if (SOFT_CAP != 0.0) {
    scaled = capped(scaled);
  }
  return select(vec4<f32>(UNSEEN), scaled, (keys >= vec4<u32>(top)) & (keys <= vec4<u32>(row)));
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let is_cached = shape.capacity != 0u;
  let group = shape.heads / shape.key_heads;
  let tiles_of_group = (group + 3u) / 4u;
  let tiles_of_row = select(shape.heads, shape.key_heads * tiles_of_group, is_cached);
  let first_row = index / tiles_of_row * select(4u, 1u, is_cached);
  if (first_row >= shape.row_count) {
    return;
  }
  let tile = index % tiles_of_row;
  let key_head = tile / select(group, tiles_of_group, is_cached);
  // Rows and heads beyond the last are the last again, in every respect.
  let rows = rows_from(first_row, select(shape.row_count, first_row + 1u, is_cached)) + shape.first_row;
  let heads_of_group = rows_from(4u * (tile % tiles_of_group), group) + key_head * group;
  let heads = select(vec4<u32>(tile), heads_of_group, is_cached);
  let place = vec4<u32>(positions[rows.x], positions[rows.y], positions[rows.z], positions[rows.w]);
  // The rows among the keys.
  let selves = select(rows, rows * shape.capacity + place, is_cached);
  let tops = selves - select(min(place, vec4<u32>(shape.window - 1u)), place, shape.window == 0u);
  let key_columns = vec4<u32>(shape.key_start + key_head * shape.key_stride);
  let value_columns = vec4<u32>(shape.value_start + key_head * shape.value_stride);
  let q = vectors_of(rows, shape.query_width, heads * shape.query_stride + shape.query_start);
  let out = vectors_of(rows, shape.heads * shape.dim, heads * shape.dim);
  let begins = selves - place;
  // One window of those that meet in the tile after the other, so that nothing passes between them.
  var window = begins.x;
  while (window <= begins.w) {
    let is_own = begins == vec4<u32>(window);
    let last = largest(select(vec4<u32>(0u), selves, is_own));
    var scores: array<mat4x4<f32>, QUADS>;
    var maximum = vec4<f32>(LOWEST);
    var sum = vec4<f32>();
    let top = smallest(select(selves, tops, is_own));
    for (var start = top; start <= last; start += 4u * QUADS) {
      let quads = min(QUADS, (last - start) / 4u + 1u);
      let before = maximum;
      for (var quad = 0u; quad < quads; quad += 1u) {
        let first = start + 4u * quad;
        let k = vectors_of(rows_from(first, last + 1u), shape.key_width, key_columns);
        var products = mat4x4<f32>();
        for (var i = 0u; i < shape.dim / 4u; i += 1u) {
          let each = mat4x4<f32>(key[k.x + i], key[k.y + i], key[k.z + i], key[k.w + i]);
          products[0] += query[q.x + i] * each;
          products[1] += query[q.y + i] * each;
          products[2] += query[q.z + i] * each;
          products[3] += query[q.w + i] * each;
        }
        products[0] = seen(products[0], first, tops.x, selves.x);
        products[1] = seen(products[1], first, tops.y, selves.y);
        products[2] = seen(products[2], first, tops.z, selves.z);
        products[3] = seen(products[3], first, tops.w, selves.w);
        scores[quad] = products;
        maximum = max(maximum, vec4<f32>(
          largest_score(products[0]),
          largest_score(products[1]),
          largest_score(products[2]),
          largest_score(products[3]),
        ));
      }
      let shrinking = exp(before - maximum);
      sum *= shrinking;
      for (var quad = 0u; quad < quads; quad += 1u) {
        var weights = scores[quad];
        weights[0] = exp(weights[0] - maximum.x);
        weights[1] = exp(weights[1] - maximum.y);
        weights[2] = exp(weights[2] - maximum.z);
        weights[3] = exp(weights[3] - maximum.w);
        scores[quad] = weights;
        sum += vec4<f32>(1.0) * weights;
      }
      let is_first = start == top;
      let is_last = last - start < 4u * QUADS;
      let after = select(vec4<f32>(1.0), 1.0 / sum, is_last);
      for (var i = 0u; i < shape.dim / 4u; i += 1u) {
        var sums = mat4x4<f32>();
        if (!is_first) {
          sums[0] = outputs[out.x + i] * shrinking.x;
          sums[1] = outputs[out.y + i] * shrinking.y;
          sums[2] = outputs[out.z + i] * shrinking.z;
          sums[3] = outputs[out.w + i] * shrinking.w;
        }
        for (var quad = 0u; quad < quads; quad += 1u) {
          let v = vectors_of(rows_from(start + 4u * quad, last + 1u), shape.value_width, value_columns) + i;
          sums += mat4x4<f32>(value[v.x], value[v.y], value[v.z], value[v.w]) * scores[quad];
        }
        if (is_own.x) {
          outputs[out.x + i] = sums[0] * after.x;
        }
        if (is_own.y) {
          outputs[out.y + i] = sums[1] * after.y;
        }
        if (is_own.z) {
          outputs[out.z + i] = sums[2] * after.z;
        }
        if (is_own.w) {
          outputs[out.w + i] = sums[3] * after.w;
        }
      }
    }
    window = smallest(select(begins, vec4<u32>(0xffffffffu), begins <= vec4<u32>(window)));
  }
}
