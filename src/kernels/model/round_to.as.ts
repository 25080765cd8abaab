import { roundedF32x4 } from "../assembly/elements.as";

/** Each number becomes the nearest value of a format. Pieces: `size` numbers. */
export function round_to(uniforms: usize, element: u32, size: u32, values: usize, begin: u32, end: u32): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  const whole = last & ~3;
  for (let index = first; index < whole; index += 4) {
    const at = values + (<usize>index << 2);
    v128.store(at, roundedF32x4(v128.load(at), element));
  }
  for (let index = max(first, whole); index < last; index++) {
    const at = values + (<usize>index << 2);
    v128.store32_lane(at, roundedF32x4(v128.load32_zero(at), element), 0);
  }
}
