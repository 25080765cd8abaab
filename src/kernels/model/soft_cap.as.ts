import { tanhF32x4 } from "../assembly/exp.as";

/** Each number becomes cap · tanh(number / cap). Pieces: `size` numbers. */
export function soft_cap(uniforms: usize, size: u32, values: usize, begin: u32, end: u32): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  const cap = f32x4.splat(load<f32>(uniforms, 4));
  const whole = last & ~3;
  for (let index = first; index < whole; index += 4) {
    const at = values + (<usize>index << 2);
    v128.store(at, f32x4.mul(tanhF32x4(f32x4.div(v128.load(at), cap)), cap));
  }
  for (let index = max(first, whole); index < last; index++) {
    const at = values + (<usize>index << 2);
    v128.store32_lane(at, f32x4.mul(tanhF32x4(f32x4.div(v128.load32_zero(at), cap)), cap), 0);
  }
}
