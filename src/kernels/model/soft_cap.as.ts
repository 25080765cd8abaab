import { roundedF32x4 } from "../assembly/elements.as";
import { tanhF32x4 } from "../assembly/exp.as";

/** Each number becomes cap · tanh(number / cap). Pieces: `size` numbers. */
export function soft_cap(uniforms: usize, rounding: u32, size: u32, values: usize, begin: u32, end: u32): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  const cap = f32x4.splat(load<f32>(uniforms, 4));
  const whole = last & ~3;
  for (let index = first; index < whole; index += 4) {
    const at = values + (<usize>index << 2);
    v128.store(at, capped(v128.load(at), cap, rounding));
  }
  for (let index = max(first, whole); index < last; index++) {
    const at = values + (<usize>index << 2);
    v128.store32_lane(at, capped(v128.load32_zero(at), cap, rounding), 0);
  }
}

@inline
function capped(four: v128, cap: v128, rounding: u32): v128 {
  const quotient = roundedF32x4(f32x4.div(four, cap), rounding);
  return f32x4.mul(roundedF32x4(tanhF32x4(quotient), rounding), cap);
}
