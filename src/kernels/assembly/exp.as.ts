// Exponential and hyperbolic tangent of four float32, since WebAssembly has neither.

/** Below it the result would not be a normal number, and is 0. */
const LOWEST: f32 = -86.98;
/** From here on, every result is infinite. */
const HIGHEST: f32 = 89.0;

/** 1.5 · 2²³: added to a small number, it leaves the nearest whole one in the low bits of the sum. */
const WHOLE: f32 = 12582912.0;
const WHOLE_BITS: i32 = 0x4b400000;

/**
 * e^x of each lane, at most 2 · 10⁻⁷ (relative) off. Below −86.98 it is 0, where it leaves float32 infinite, of a NaN a NaN.
 *
 * x = k ln 2 + r with a whole k (Cody and Waite, Software Manual for the Elementary Functions, chapter 6; ln 2 in two parts, so
 * that k times the first is exact). The polynomial of degree 6 for e^r is fitted to the least relative error, 7 · 10⁻⁹.
 */
@inline
export function expF32x4(x: v128): v128 {
  // Of a number and a NaN these take their first operand.
  const within = f32x4.pmax(f32x4.pmin(x, f32x4.splat(HIGHEST)), f32x4.splat(LOWEST));
  const marked = f32x4.add(f32x4.mul(within, f32x4.splat(1.44269504)), f32x4.splat(WHOLE));
  const k = f32x4.sub(marked, f32x4.splat(WHOLE));
  const high = f32x4.sub(within, f32x4.mul(k, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(k, f32x4.splat(-2.12194440e-4)));
  let q = f32x4.add(f32x4.mul(f32x4.splat(0.001381455920636654), r), f32x4.splat(0.008368735201656818));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.04166838899254799));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.1666652113199234));
  q = f32x4.add(f32x4.mul(q, r), f32x4.splat(0.4999999403953552));
  const fraction = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(r, r), q), r), f32x4.splat(1));
  // 2^k in two factors, 2 and 2^(k − 1): k may be 128.
  const exponent = i32x4.add(marked, i32x4.splat(126 - WHOLE_BITS));
  const power = i32x4.shl(exponent, 23);
  const result = f32x4.mul(f32x4.add(fraction, fraction), power);
  return v128.andnot(result, f32x4.lt(x, f32x4.splat(LOWEST)));
}

/**
 * tanh of each lane, at most 3 · 10⁻⁷ (relative) off. Near 0, where 1 − 2 / (e^2x + 1) would lose its digits, the odd polynomial
 * of Cephes (Moshier, single/tanhf.c).
 */
@inline
export function tanhF32x4(x: v128): v128 {
  const magnitude = f32x4.abs(x);
  const far = f32x4.sub(
    f32x4.splat(1),
    f32x4.div(f32x4.splat(2), f32x4.add(expF32x4(f32x4.add(magnitude, magnitude)), f32x4.splat(1))),
  );
  const square = f32x4.mul(x, x);
  let p = f32x4.add(f32x4.mul(f32x4.splat(-5.70498872745e-3), square), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-3.33332819422e-1));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, square), x), x);
  const both = v128.bitselect(far, near, f32x4.ge(magnitude, f32x4.splat(0.625)));
  return v128.bitselect(x, both, i32x4.splat(0x80000000));
}
