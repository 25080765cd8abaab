// What is left of activations that are rounded to integer codes (lib/activation_code.wgsl).
//   values    float32 bits [rows, width]; piece h of a row has the columns from start + h * stride on, dim of them; all of
//             these are multiples of 4
//   scales    float32; piece h of row r has that at r * row_step + h * piece_step
//   factors   what goes with each scale: zero points, signed bytes, under RULE 0, read only where codes are asymmetric; float32
//             under the others
//   rounded   float32 bits [rows, width], of which only the columns of pieces are written
//   dispatch  one invocation per 128 columns of a piece; no workgroup memory, no barrier
// include: lib/invocation.wgsl
// include: lib/elements.wgsl
// include: lib/rounding.wgsl
// include: lib/int_code.wgsl
// include: lib/int_weight.wgsl
// include: lib/products.wgsl
// include: lib/activation_code.wgsl

@group(0) @binding(0) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> scales: array<u32>;
@group(0) @binding(2) var<storage, read> factors: array<u32>;
@group(0) @binding(3) var<storage, read_write> rounded: array<vec4<u32>>;
@group(0) @binding(4) var<uniform> shape: Shape;

fn four_at(at: u32) -> vec4<u32> {
  return values[at];
}

fn put_four(at: u32, bits: vec4<u32>) {
  rounded[at] = bits;
}
