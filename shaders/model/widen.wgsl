// Stored weights as float32, bit for bit.
//   weights   elements (lib/elements.wgsl) [rows, cols]
//   wide      float32 bits [rows, cols], under TRANSPOSED [cols, rows]
//   dispatch  one invocation per 64 weights; under TRANSPOSED per block of 4 rows and 8 columns, along the rows first; no
//             workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/weights.wgsl

override TRANSPOSED: bool = false;

const PER_INVOCATION: u32 = 64u;
const BLOCK_ROWS: u32 = 4u;
const BLOCK_COLUMNS: u32 = 8u;

struct Shape {
  rows: u32,
  cols: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> wide: array<vec4<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

// The eight weights from `index` on, a multiple of 8, to their places.
fn widen_eight(index: u32) {
  let to = index >> 2u;
  if (ELEMENT == F32) {
    wide[to] = weights[to];
    wide[to + 1u] = weights[to + 1u];
  } else {
    let words = weights[index >> 3u];
    var even = words * 65536u;
    var odd = words & vec4<u32>(0xffff0000u);
    if (ELEMENT == F16) {
      even = bitcast<vec4<u32>>(widened_halves(words & vec4<u32>(0xffffu)));
      odd = bitcast<vec4<u32>>(widened_halves(words >> vec4<u32>(16u)));
    }
    wide[to] = vec4<u32>(even.x, odd.x, even.y, odd.y);
    wide[to + 1u] = vec4<u32>(even.z, odd.z, even.w, odd.w);
  }
}

fn widen_in_order(invocation: u32) {
  let first = invocation * PER_INVOCATION;
  let end = min(first + PER_INVOCATION, shape.rows * shape.cols);
  let whole = max(first, end & ~7u);
  for (var index = first; index < whole; index += 8u) {
    widen_eight(index);
  }
  for (var index = whole; index < end; index += 1u) {
    wide[index >> 2u][index & 3u] = weight_at(index);
  }
}

fn transpose(invocation: u32) {
  let across = (shape.cols + BLOCK_COLUMNS - 1u) / BLOCK_COLUMNS;
  let row = invocation / across * BLOCK_ROWS;
  if (row >= shape.rows) {
    return;
  }
  let first = invocation % across * BLOCK_COLUMNS;
  // Rows beyond the last are the last again, and not written.
  let firsts = min(vec4<u32>(0u, 1u, 2u, 3u) + row, vec4<u32>(shape.rows - 1u)) * shape.cols;
  let written = min(BLOCK_ROWS, shape.rows - row);
  for (var column = first; column < min(first + BLOCK_COLUMNS, shape.cols); column += 1u) {
    let at = firsts + column;
    let four = vec4<u32>(weight_at(at.x), weight_at(at.y), weight_at(at.z), weight_at(at.w));
    let to = column * shape.rows + row;
    if ((shape.rows & 3u) == 0u) {
      wide[to >> 2u] = four;
    } else {
      for (var each = 0u; each < written; each += 1u) {
        wide[(to + each) >> 2u][(to + each) & 3u] = four[each];
      }
    }
  }
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  if (TRANSPOSED) {
    transpose(linear_index(id, workgroups));
  } else {
    widen_in_order(linear_index(id, workgroups));
  }
}
