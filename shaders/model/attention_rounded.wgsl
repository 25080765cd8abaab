// Causal attention of each row over the rows of its own window, grouped-query, as a model of a 16-bit format has it: products
// of queries and keys, those times the scale, each step of the cap, and probabilities are rounded to the format.
//   positions  u32 [rows]: the place of each row in its window, whose first row is so many rows above it
//   query      registers [rows, width] that may be one buffer; head h has the columns from start + h * stride on, dim of
//   key        them; query head h goes with key and value head floor(h * key_heads / heads)
//   value
//   outputs    [rows, heads * dim], of which rows first_row to first_row + row_count are written
//   dispatch   one invocation per tile of 4 rows and head, heads next to each other; no workgroup memory, no barrier
// A row sees itself and what is above it in its window, at most `window` rows in all; 0 means no such limit. Where SOFT_CAP
// is not 0, scores become SOFT_CAP * tanh(scores / SOFT_CAP). Keys go by twice: for the sums of weights, and for values.
// dim, widths, starts and strides are multiples of 4. What is not finite in a row may also reach three rows beside it.
// include: lib/invocation.wgsl
// include: lib/tiles.wgsl
// include: lib/format_rounding.wgsl
// include: lib/tanh.wgsl

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
}

@group(0) @binding(0) var<storage, read> positions: array<u32>;
@group(0) @binding(1) var<storage, read> query: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> key: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> outputs: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> shape: Shape;

// Four rows of a head: where their queries lie, the first and the last row that each sees, and the columns of its keys.
struct Tile {
  q: vec4<u32>,
  tops: vec4<u32>,
  rows: vec4<u32>,
  key_columns: u32,
}

// The vectors of four rows that begin at a column.
fn vectors_of(rows: vec4<u32>, width: u32, first_column: u32) -> vec4<u32> {
  return (rows * width + first_column) / 4u;
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

// Scores of one row against four keys from `first` on.
fn seen(products: vec4<f32>, first: u32, top: u32, row: u32) -> vec4<f32> {
  let keys = vec4<u32>(0u, 1u, 2u, 3u) + first;
  var scores = rounded(rounded(products) * shape.scale);
  if (SOFT_CAP != 0.0) {
    scores = rounded(SOFT_CAP * rounded(tanh_each(rounded(scores / SOFT_CAP))));
  }
  return select(vec4<f32>(UNSEEN), scores, (keys >= vec4<u32>(top)) & (keys <= vec4<u32>(row)));
}

// Scores of a tile against four keys from `first` on, none beyond `last`: one row a column.
fn scores_of(tile: Tile, first: u32, last: u32) -> mat4x4<f32> {
  let k = vectors_of(rows_from(first, last + 1u), shape.key_width, tile.key_columns);
  var scores = mat4x4<f32>();
  for (var i = 0u; i < shape.dim / 4u; i += 1u) {
    let each = mat4x4<f32>(key[k.x + i], key[k.y + i], key[k.z + i], key[k.w + i]);
    scores[0] += query[tile.q.x + i] * each;
    scores[1] += query[tile.q.y + i] * each;
    scores[2] += query[tile.q.z + i] * each;
    scores[3] += query[tile.q.w + i] * each;
  }
  scores[0] = seen(scores[0], first, tile.tops.x, tile.rows.x);
  scores[1] = seen(scores[1], first, tile.tops.y, tile.rows.y);
  scores[2] = seen(scores[2], first, tile.tops.z, tile.rows.z);
  scores[3] = seen(scores[3], first, tile.tops.w, tile.rows.w);
  return scores;
}

// Weights in units of e^highest.
fn weights_of(scores: mat4x4<f32>, highest: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(
    exp(scores[0] - highest.x),
    exp(scores[1] - highest.y),
    exp(scores[2] - highest.z),
    exp(scores[3] - highest.w),
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let first_row = index / shape.heads * 4u;
  if (first_row >= shape.row_count) {
    return;
  }
  let head = index % shape.heads;
  let key_head = head * shape.key_heads / shape.heads;
  // Rows beyond the last are the last again, in every respect.
  let rows = rows_from(first_row, shape.row_count) + shape.first_row;
  let place = vec4<u32>(positions[rows.x], positions[rows.y], positions[rows.z], positions[rows.w]);
  let tops = rows - select(min(place, vec4<u32>(shape.window - 1u)), place, shape.window == 0u);
  let value_columns = shape.value_start + key_head * shape.value_stride;
  let q = vectors_of(rows, shape.query_width, shape.query_start + head * shape.query_stride);
  let tile = Tile(q, tops, rows, shape.key_start + key_head * shape.key_stride);
  let out = vectors_of(rows, shape.heads * shape.dim, head * shape.dim);
  let begins = rows - place;
  // One window of those that meet in the tile after the other, so that nothing passes between them.
  var window = begins.x;
  while (window <= begins.w) {
    let is_own = begins == vec4<u32>(window);
    let last = largest(select(vec4<u32>(0u), rows, is_own));
    let top = smallest(select(rows, tops, is_own));
    var highest = vec4<f32>(LOWEST);
    var sum = vec4<f32>();
    for (var first = top; first <= last; first += 4u) {
      let scores = scores_of(tile, first, last);
      let before = highest;
      highest = max(highest, vec4<f32>(
        largest_score(scores[0]),
        largest_score(scores[1]),
        largest_score(scores[2]),
        largest_score(scores[3]),
      ));
      sum = sum * exp(before - highest) + vec4<f32>(1.0) * weights_of(scores, highest);
    }
    // Rows of other windows see nothing here, and have no sum.
    let total = select(vec4<f32>(1.0), sum, is_own);
    var probabilities: array<mat4x4<f32>, QUADS>;
    for (var start = top; start <= last; start += 4u * QUADS) {
      let quads = min(QUADS, (last - start) / 4u + 1u);
      for (var quad = 0u; quad < quads; quad += 1u) {
        let weights = weights_of(scores_of(tile, start + 4u * quad, last), highest);
        probabilities[quad] = mat4x4<f32>(
          rounded(weights[0] / total.x),
          rounded(weights[1] / total.y),
          rounded(weights[2] / total.z),
          rounded(weights[3] / total.w),
        );
      }
      let is_first = start == top;
      for (var i = 0u; i < shape.dim / 4u; i += 1u) {
        var sums = mat4x4<f32>();
        if (!is_first) {
          sums = mat4x4<f32>(outputs[out.x + i], outputs[out.y + i], outputs[out.z + i], outputs[out.w + i]);
        }
        for (var quad = 0u; quad < quads; quad += 1u) {
          let v = vectors_of(rows_from(start + 4u * quad, last + 1u), shape.value_width, value_columns) + i;
          sums += mat4x4<f32>(value[v.x], value[v.y], value[v.z], value[v.w]) * probabilities[quad];
        }
        if (is_own.x) {
          outputs[out.x + i] = sums[0];
        }
        if (is_own.y) {
          outputs[out.y + i] = sums[1];
        }
        if (is_own.z) {
          outputs[out.z + i] = sums[2];
        }
        if (is_own.w) {
          outputs[out.w + i] = sums[3];
        }
      }
    }
    window = smallest(select(begins, vec4<u32>(0xffffffffu), begins <= vec4<u32>(window)));
  }
}
