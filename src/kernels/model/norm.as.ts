import { F32, roundedF32x4 } from "../assembly/elements.as";

/** Numbers whose sum is taken in float32; sums of blocks are added in float64. */
const BLOCK: u32 = 64;

/** Normalizes pieces of numbers. Pieces of threads: `size` of them. */
export function norm(
  uniforms: usize,
  isLayer: u32,
  rounding: u32,
  size: u32,
  inputs: usize,
  weight: usize,
  bias: usize,
  outputs: usize,
  begin: u32,
  end: u32,
): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  if (rounding == F32) normPieces(uniforms, isLayer, F32, inputs, weight, bias, outputs, first, last);
  else normPieces(uniforms, isLayer, rounding, inputs, weight, bias, outputs, first, last);
}

@inline
function normPieces(
  uniforms: usize,
  isLayer: u32,
  rounding: u32,
  inputs: usize,
  weight: usize,
  bias: usize,
  outputs: usize,
  first: u32,
  last: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const epsilon = load<f32>(uniforms, 8);
  const offset = load<f32>(uniforms, 12);
  const whole = width & ~3;
  for (let piece = first; piece < last; piece++) {
    const start = <usize>(piece * width) << 2;
    const x = inputs + start;
    const y = outputs + start;
    const center: f32 = isLayer != 0 ? <f32>(sumOf(x, width, 0, false) / width) : 0;
    const inverse = <f32>(1 / sqrt(sumOf(x, width, center, true) / width + epsilon));
    const centers = f32x4.splat(center);
    const inverses = f32x4.splat(inverse);
    const offsets = f32x4.splat(offset);
    for (let i: u32 = 0; i < whole; i += 4) {
      const at = <usize>i << 2;
      const normal = roundedF32x4(f32x4.mul(f32x4.sub(v128.load(x + at), centers), inverses), rounding);
      let four = f32x4.mul(normal, f32x4.add(v128.load(weight + at), offsets));
      if (isLayer != 0) four = f32x4.add(four, v128.load(bias + at));
      v128.store(y + at, four);
    }
    for (let i = whole; i < width; i++) {
      const at = <usize>i << 2;
      const normal = roundedF32x4(f32x4.splat((load<f32>(x + at) - center) * inverse), rounding);
      const one = f32x4.extract_lane(normal, 0) * (load<f32>(weight + at) + offset);
      store<f32>(y + at, isLayer != 0 ? one + load<f32>(bias + at) : one);
    }
  }
}

/** Sum of numbers less `center`, or of their squares. */
@inline
function sumOf(x: usize, count: u32, center: f32, isSquared: bool): f64 {
  const centers = f32x4.splat(center);
  const whole = count & ~3;
  let total = f64x2.splat(0);
  for (let first: u32 = 0; first < whole; first += BLOCK) {
    let block = f32x4.splat(0);
    for (let i = first; i < min(first + BLOCK, whole); i += 4) {
      const four = f32x4.sub(v128.load(x + (<usize>i << 2)), centers);
      block = f32x4.add(block, isSquared ? f32x4.mul(four, four) : four);
    }
    total = f64x2.add(total, f64x2.promote_low_f32x4(block));
    total = f64x2.add(total, f64x2.promote_low_f32x4(i64x2.shuffle(block, block, 1, 0)));
  }
  let sum = f64x2.extract_lane(total, 0) + f64x2.extract_lane(total, 1);
  for (let i = whole; i < count; i++) {
    const one = load<f32>(x + (<usize>i << 2)) - center;
    sum += isSquared ? <f64>one * <f64>one : <f64>one;
  }
  return sum;
}
