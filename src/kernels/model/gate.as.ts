import { roundedF32x4 } from "../assembly/elements.as";
import { expF32x4 } from "../assembly/exp.as";

// As the wrapper numbers them.
const SILU: u32 = 0;
const GELU: u32 = 1;
const GELU_TANH: u32 = 2;

/** outputs = activation(gate) · up. Pieces: `size` rows. */
export function gate(
  uniforms: usize,
  activation: u32,
  isGated: u32,
  rounding: u32,
  size: u32,
  gates: usize,
  ups: usize,
  outputs: usize,
  begin: u32,
  end: u32,
): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  if (activation == SILU) gateRows(uniforms, SILU, isGated, rounding, gates, ups, outputs, first, last);
  else if (activation == GELU) gateRows(uniforms, GELU, isGated, rounding, gates, ups, outputs, first, last);
  else if (activation == GELU_TANH) gateRows(uniforms, GELU_TANH, isGated, rounding, gates, ups, outputs, first, last);
  else gateRows(uniforms, 3, isGated, rounding, gates, ups, outputs, first, last);
}

@inline
function gateRows(
  uniforms: usize,
  activation: u32,
  isGated: u32,
  rounding: u32,
  gates: usize,
  ups: usize,
  outputs: usize,
  first: u32,
  last: u32,
): void {
  const width = load<u32>(uniforms, 4);
  const gateStride = load<u32>(uniforms, 8);
  const gateStart = load<u32>(uniforms, 12);
  const upStride = load<u32>(uniforms, 16);
  const upStart = load<u32>(uniforms, 20);
  const whole = width & ~3;
  for (let row = first; row < last; row++) {
    const from = gates + (<usize>(row * gateStride + gateStart) << 2);
    const factors = ups + (<usize>(row * upStride + upStart) << 2);
    const to = outputs + (<usize>(row * width) << 2);
    for (let column: u32 = 0; column < whole; column += 4) {
      const at = <usize>column << 2;
      const own = roundedF32x4(activated(v128.load(from + at), activation), rounding);
      v128.store(to + at, isGated != 0 ? f32x4.mul(own, v128.load(factors + at)) : own);
    }
    for (let column = whole; column < width; column++) {
      const at = <usize>column << 2;
      const own = roundedF32x4(activated(v128.load32_zero(from + at), activation), rounding);
      const one = isGated != 0 ? f32x4.mul(own, v128.load32_zero(factors + at)) : own;
      v128.store32_lane(to + at, one, 0);
    }
  }
}

@inline
function activated(x: v128, activation: u32): v128 {
  if (activation == SILU) return overExp(x, f32x4.neg(x));
  if (activation == GELU) return f32x4.mul(x, normalShare(x));
  // x/2 (1 + tanh u) = x / (1 + e^-2u), which keeps its digits where it is small.
  if (activation == GELU_TANH) {
    const cubic = f32x4.mul(f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715)), x);
    return overExp(x, f32x4.mul(f32x4.add(x, cubic), f32x4.splat(-1.5957691216)));
  }
  // Of a NaN and 0 this takes the NaN.
  return f32x4.pmax(x, f32x4.splat(0));
}

/** x / (1 + e^y), 0 where e^y is infinite. */
@inline
function overExp(x: v128, y: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), expF32x4(y)));
}

/**
 * The normal distribution function Φ(x) by erfc(z) = t exp(−z² + P(t)), t = 1 / (1 + z / 2), which is within 1.2 · 10⁻⁷
 * (relative) of it for any z ≥ 0 (Press et al., Numerical Recipes in C, 2nd edition, section 6.2, erfcc).
 */
@inline
function normalShare(x: v128): v128 {
  // Beyond 14, erfc is 0 in float32.
  const z = f32x4.pmin(f32x4.mul(f32x4.abs(x), f32x4.splat(0.70710678)), f32x4.splat(14));
  const t = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), f32x4.mul(z, f32x4.splat(0.5))));
  let p = f32x4.add(f32x4.mul(t, f32x4.splat(0.17087277)), f32x4.splat(-0.82215223));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.48851587));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.13520398));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.27886807));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.18628806));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.09678418));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.37409196));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(1.00002368));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-1.26551223));
  const power = expF32x4(f32x4.sub(p, f32x4.mul(z, z)));
  const tail = f32x4.mul(f32x4.mul(t, f32x4.splat(0.5)), power);
  return v128.bitselect(tail, f32x4.sub(f32x4.splat(1), tail), f32x4.lt(x, f32x4.splat(0)));
}
