// Rotates pairs of columns of each head by the angles of the row's position: (a, b) becomes (a cos - b sin, b cos + a sin).
// All four products are rounded to a format under ROUNDING.
//   positions  u32 [rows]
//   angles     float32 [positions, pairs, 2], cosine and sine
//   values     float32 [rows, width], in place; head h has the columns from start + h * stride on, other columns stay
//   dispatch   one invocation per row and head; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/format_rounding.wgsl

struct Shape {
  rows: u32,
  width: u32,
  start: u32,
  stride: u32,
  heads: u32,
  pairs: u32,
  is_neighbours: u32, // 1: column 2i goes with 2i + 1; 0: column i goes with i + pairs
}

@group(0) @binding(0) var<storage, read> positions: array<u32>;
@group(0) @binding(1) var<storage, read> angles: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> values: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> shape: Shape;

fn value_at(index: u32) -> f32 {
  return values[index >> 2u][index & 3u];
}

// Four pairs: `one` and `turn` are multiples of 4.
fn rotate_halves(one: u32, turn: u32) {
  let low = angles[turn >> 2u];
  let high = angles[(turn >> 2u) + 1u];
  let cosines = vec4<f32>(low.xz, high.xz);
  let sines = vec4<f32>(low.yw, high.yw);
  let other = one + shape.pairs;
  let a = values[one >> 2u];
  let b = values[other >> 2u];
  values[one >> 2u] = rounded(a * cosines) - rounded(b * sines);
  values[other >> 2u] = rounded(b * cosines) + rounded(a * sines);
}

// Two pairs.
fn rotate_neighbours(one: u32, turn: u32) {
  let own = values[one >> 2u];
  let angle = angles[turn >> 2u];
  values[one >> 2u] = rounded(own * angle.xxzz) + rounded(own.yxwz * angle.yyww) * vec4<f32>(-1.0, 1.0, -1.0, 1.0);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let row = index / shape.heads;
  if (row >= shape.rows) {
    return;
  }
  let first = row * shape.width + shape.start + (index % shape.heads) * shape.stride;
  let turns = positions[row] * shape.pairs * 2u;
  // Vectors of a head are vectors of the array only where all of these are whole ones.
  let is_whole = ((shape.width | shape.start | shape.stride) & 3u) == 0u;
  let is_neighbours = shape.is_neighbours == 1u;
  let halves = select(0u, shape.pairs, is_whole && !is_neighbours && (shape.pairs & 3u) == 0u);
  let neighbours = select(0u, shape.pairs, is_whole && is_neighbours && (shape.pairs & 1u) == 0u);
  for (var pair = 0u; pair < halves; pair += 4u) {
    rotate_halves(first + pair, turns + 2u * pair);
  }
  for (var pair = 0u; pair < neighbours; pair += 2u) {
    rotate_neighbours(first + 2u * pair, turns + 2u * pair);
  }
  let distance = select(shape.pairs, 1u, is_neighbours);
  for (var pair = halves + neighbours; pair < shape.pairs; pair += 1u) {
    let one = first + select(pair, 2u * pair, is_neighbours);
    let other = one + distance;
    let turn = turns + 2u * pair;
    let cosine = angles[turn >> 2u][turn & 3u];
    let sine = angles[turn >> 2u][(turn & 3u) + 1u];
    let a = value_at(one);
    let b = value_at(other);
    let products = rounded(vec4<f32>(a * cosine, b * sine, b * cosine, a * sine));
    values[one >> 2u][one & 3u] = products.x - products.y;
    values[other >> 2u][other & 3u] = products.z + products.w;
  }
}
