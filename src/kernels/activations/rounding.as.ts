// What is left of float32 that are rounded to codes, four at a time. Division and products of WebAssembly are exact, and NaN and
// infinities go through them as IEEE 754 has it: there is no other path. The numbers of the rules are those of `rounding.ts`.

const SIMULATED: u32 = 0;
const SERVED_TOKEN: u32 = 1;
const SERVED_TOKEN_HEAD: u32 = 2;

/** Rounds `size` rows for each of [begin, end); the two registers may be one. */
export function roundRows(
  uniforms: usize,
  bits: u32,
  symmetric: u32,
  rule: u32,
  size: u32,
  values: usize,
  scales: usize,
  factors: usize,
  rounded: usize,
  begin: u32,
  end: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const start = load<u32>(uniforms, 8);
  const stride = load<u32>(uniforms, 12);
  const count = load<u32>(uniforms, 16);
  const bytes = <usize>load<u32>(uniforms, 20) << 2;
  const rowStep = load<u32>(uniforms, 24);
  const pieceStep = load<u32>(uniforms, 28);
  const lowest = <f32>(-(1 << (bits - 1)));
  const highest = <f32>((1 << (bits - 1)) - 1);
  const last = min(end * size, load<u32>(uniforms));
  for (let row = begin * size; row < last; row++) {
    for (let piece: u32 = 0; piece < count; piece++) {
      const place = <usize>(row * rowStep + piece * pieceStep);
      const first = <usize>(row * width + start + piece * stride) << 2;
      const scale = load<f32>(scales + (place << 2));
      if (rule == SIMULATED) {
        const zeroPoint = symmetric ? <f32>0 : <f32>load<i8>(factors + place);
        roundPiece(SIMULATED, values + first, bytes, rounded + first, scale, zeroPoint, lowest, highest);
      } else {
        const multiplier = load<f32>(factors + (place << 2));
        if (rule == SERVED_TOKEN) {
          roundPiece(SERVED_TOKEN, values + first, bytes, rounded + first, scale, multiplier, lowest, highest);
        } else {
          roundPiece(SERVED_TOKEN_HEAD, values + first, bytes, rounded + first, scale, multiplier, lowest, highest);
        }
      }
    }
  }
}

@inline
function roundPiece(
  rule: u32,
  values: usize,
  bytes: usize,
  rounded: usize,
  scale: f32,
  factor: f32,
  lowest: f32,
  highest: f32,
): void {
  const scales = f32x4.splat(scale);
  const factors = f32x4.splat(factor);
  const low = f32x4.splat(lowest);
  const high = f32x4.splat(highest);
  const nan = i32x4.splat(0x7fc00000);
  for (let at: usize = 0; at < bytes; at += 16) {
    const four = v128.load(values + at);
    let levels: v128;
    if (rule == SIMULATED) {
      // Zero points that are 0 are added too: they make +0 of -0.
      const sums = f32x4.add(f32x4.div(four, scales), factors);
      // Of a NaN and a number these take their first operand.
      levels = f32x4.sub(f32x4.nearest(f32x4.pmax(f32x4.pmin(sums, high), low)), factors);
    } else {
      const products = f32x4.mul(four, factors);
      const within = f32x4.pmax(f32x4.pmin(products, high), low);
      const codes = rule == SERVED_TOKEN ? f32x4.nearest(within) : f32x4.trunc(within);
      // Integers have no -0; that of a NaN is 0.
      levels = v128.and(f32x4.add(codes, f32x4.splat(0)), f32x4.eq(products, products));
    }
    const restored = f32x4.mul(levels, scales);
    v128.store(rounded + at, v128.bitselect(restored, nan, f32x4.eq(restored, restored)));
  }
}
