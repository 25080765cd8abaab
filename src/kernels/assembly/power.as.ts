// Powers of four float32, since WebAssembly has none.
import { expF32x4 } from "./exp.as";

/** Bits of the square root of a half: mantissas are taken from it to its double, so that those near 1 lose nothing. */
const ROOT_OF_HALF: i32 = 0x3f3504f3;

/**
 * x^exponent of each lane, for x of 0 or more and an exponent between 0 and 1: at most 3 · 10⁻⁷ (1 + |ln x|) (relative) off. A
 * subnormal x counts as 0, whose power is 0; that of what is not finite is not finite.
 *
 * The exponential of exponent · ln x; the logarithm of a mantissa by the polynomial of Cephes (Moshier, single/logf.c).
 */
@inline
export function powerF32x4(x: v128, exponent: v128): v128 {
  const scale = i32x4.shr_s(i32x4.sub(x, i32x4.splat(ROOT_OF_HALF)), 23);
  const f = f32x4.sub(i32x4.sub(x, i32x4.shl(scale, 23)), f32x4.splat(1));
  const square = f32x4.mul(f, f);
  let p = f32x4.add(f32x4.mul(f32x4.splat(7.0376836292e-2), f), f32x4.splat(-1.1514610310e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.1676998740e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, f), f32x4.splat(3.3333331174e-1));
  const tail = f32x4.sub(f32x4.mul(f32x4.mul(square, f), p), f32x4.mul(f32x4.splat(0.5), square));
  const whole = f32x4.mul(f32x4.convert_i32x4_s(scale), f32x4.splat(0.69314718));
  const power = expF32x4(f32x4.mul(exponent, f32x4.add(whole, f32x4.add(f, tail))));
  return v128.and(power, f32x4.ge(x, f32x4.splat(1.1754943508222875e-38)));
}
