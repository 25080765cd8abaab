// How far each row of a register is from the same row of another.
//   original  float32 [rows, width]
//   changed   float32 [rows, width]
//   sums      float32 [rows, 2]: sum of (original - changed)^2, sum of original^2; what lies behind them stays
//   dispatch  one invocation per row; no workgroup memory, no barrier
// include: lib/invocation.wgsl

const BLOCK: u32 = 64u;

struct Shape {
  rows: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> original: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> changed: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> shape: Shape;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) workgroups: vec3<u32>) {
  let row = linear_index(id, workgroups);
  if (row >= shape.rows) {
    return;
  }
  let start = row * shape.width;
  let end = start + shape.width;
  // Vectors of a row are vectors of the array only where rows are of whole ones.
  let whole = select(start, end, (shape.width & 3u) == 0u);
  var error = vec4<f32>();
  var energy = vec4<f32>();
  // In blocks, so that no number goes through many additions.
  for (var first = start; first < whole; first += BLOCK) {
    var block_error = vec4<f32>();
    var block_energy = vec4<f32>();
    for (var at = first / 4u; at < min(first + BLOCK, whole) / 4u; at += 1u) {
      let four = original[at];
      let apart = four - changed[at];
      block_error += apart * apart;
      block_energy += four * four;
    }
    error += block_error;
    energy += block_energy;
  }
  for (var first = whole; first < end; first += BLOCK) {
    var block_error = 0.0;
    var block_energy = 0.0;
    for (var at = first; at < min(first + BLOCK, end); at += 1u) {
      let one = original[at >> 2u][at & 3u];
      let apart = one - changed[at >> 2u][at & 3u];
      block_error += apart * apart;
      block_energy += one * one;
    }
    error.x += block_error;
    energy.x += block_energy;
  }
  sums[2u * row] = (error.x + error.y) + (error.z + error.w);
  sums[2u * row + 1u] = (energy.x + energy.y) + (energy.z + energy.w);
}
