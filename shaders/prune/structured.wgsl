// Pruning of whole rows or columns of a matrix: their weights become +0, the others are copied bit for bit.
//   weights  elements (lib/elements.wgsl): rows of cols weights, one after the other
//   doomed   one bit per row or column, 32 to a word from the lowest on: 1 where it goes
//   pruned   elements, as many; where a half word is left over, it is 0
//   dispatch one invocation per 128 weights; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

const SEGMENT: u32 = 128u;

override COLUMNS: u32 = 0u; // 1: the bits are for columns

struct Shape {
  elements: u32,
  cols: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read> doomed: array<u32>;
@group(0) @binding(2) var<storage, read_write> pruned: array<u32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * SEGMENT;
  let end = min(first + SEGMENT, shape.elements);
  var row = first / shape.cols;
  var column = first % shape.cols;
  var word = 0u;
  for (var index = first; index < end; index += 1u) {
    let line = select(row, column, COLUMNS == 1u);
    let is_doomed = ((doomed[line >> 5u] >> (line & 31u)) & 1u) == 1u;
    let kept = select(element_raw(weights[element_word(index)], index), 0u, is_doomed);
    if (ELEMENT == F32) {
      pruned[index] = kept;
    } else if ((index & 1u) == 0u) {
      word = kept;
    } else {
      pruned[index >> 1u] = word | (kept << 16u);
    }
    column += 1u;
    if (column == shape.cols) {
      column = 0u;
      row += 1u;
    }
  }
  if (ELEMENT != F32 && first < end && (end & 1u) == 1u) {
    pruned[end >> 1u] = word;
  }
}
