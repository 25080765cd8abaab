// Packs signed bytes along columns, as pack-quantized stores zero points.
//   values    signed bytes, four to a word: rows * cols, row by row
//   packed    ceil(rows * BITS / 32) rows of cols words: value r of a column in bits r * BITS of the column's bit stream
//   dispatch  one invocation per column of 32 rows (BITS words); no workgroup memory, no barrier
// 2^(BITS-1) is added to each value.
// include: lib/invocation.wgsl

override BITS: u32 = 4u;

struct Shape {
  rows: u32,
  cols: u32,
}

@group(0) @binding(0) var<storage, read> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let index = linear_index(id, workgroups);
  let band = index / shape.cols;
  let column = index % shape.cols;
  let first = band * 32u;
  if (first >= shape.rows) {
    return;
  }
  let end = min(first + 32u, shape.rows);
  var place = band * BITS * shape.cols + column;
  var word = 0u;
  var filled = 0u;
  for (var row = first; row < end; row += 1u) {
    let at = row * shape.cols + column;
    let value = values[at >> 2u] >> (8u * (at & 3u));
    let field = (value + (1u << (BITS - 1u))) & ((1u << BITS) - 1u);
    word |= field << filled;
    filled += BITS;
    if (filled >= 32u) {
      packed[place] = word;
      place += shape.cols;
      filled -= 32u;
      word = field >> (BITS - filled);
    }
  }
  if (filled > 0u) {
    packed[place] = word;
  }
}
