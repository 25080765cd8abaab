// Histogram of magnitudes so fine that it sorts: the k-th smallest weight of a matrix is found in it exactly.
//   weights  elements (lib/elements.wgsl)
//   counts   one per bin, added to; zero before the first dispatch. An element's own bits without the sign are its
//            magnitude: bf16 and f16 32768 bins, one each; f32 by its upper 15 bits (DIGIT 0, 32768 bins), or by its lower
//            16 where the upper ones are prefix (DIGIT 1, 65536 bins)
//   dispatch one invocation per 128 weights; no workgroup memory, no barrier
// Exact: nothing is computed but bits. Infinity and NaN are magnitudes above all others.
// include: lib/invocation.wgsl
// include: lib/elements.wgsl

const SEGMENT: u32 = 128u;

override DIGIT: u32 = 0u;

struct Shape {
  elements: u32,
  prefix: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let first = linear_index(id, workgroups) * SEGMENT;
  let end = min(first + SEGMENT, shape.elements);
  // Half of a pruned matrix is zero: those are counted here, or every invocation would queue at one counter.
  var lowest = 0u;
  for (var index = first; index < end; index += 1u) {
    let raw = element_raw(weights[element_word(index)], index);
    var bin = raw & 0x7fffu;
    if (ELEMENT == F32) {
      bin = (raw & 0x7fffffffu) >> 16u;
      if (DIGIT == 1u) {
        if (bin != shape.prefix) {
          continue;
        }
        bin = raw & 0xffffu;
      }
    }
    if (bin == 0u) {
      lowest += 1u;
    } else {
      atomicAdd(&counts[bin], 1u);
    }
  }
  if (lowest > 0u) {
    atomicAdd(&counts[0], lowest);
  }
}
