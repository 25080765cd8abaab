import { BF16, INFINITY_BITS, NAN_BITS, narrowedF16s, widenedF16s } from "../assembly/elements.as";

/** float32 bits of 65520, the smallest magnitude that f16 takes for infinite. */
const BEYOND_F16: u32 = 0x477ff000;

/** Each number becomes the nearest value of a format. Pieces: `size` numbers. */
export function round_to(uniforms: usize, element: u32, size: u32, values: usize, begin: u32, end: u32): void {
  const first = begin * size;
  const last = min(end * size, load<u32>(uniforms));
  const whole = last & ~3;
  for (let index = first; index < whole; index += 4) {
    const at = values + (<usize>index << 2);
    v128.store(at, fourRoundedTo(v128.load(at), element));
  }
  for (let index = max(first, whole); index < last; index++) {
    const at = values + (<usize>index << 2);
    v128.store32_lane(at, fourRoundedTo(v128.load32_zero(at), element), 0);
  }
}

@inline
function fourRoundedTo(four: v128, element: u32): v128 {
  const sign = v128.and(four, i32x4.splat(0x80000000));
  const magnitude = v128.andnot(four, i32x4.splat(0x80000000));
  let found: v128;
  if (element == BF16) {
    // The carry of the largest numbers makes infinity by itself.
    const odd = v128.and(i32x4.shr_u(four, 16), i32x4.splat(1));
    found = v128.and(i32x4.add(i32x4.add(four, i32x4.splat(0x7fff)), odd), i32x4.splat(0xffff0000));
  } else {
    const infinite = v128.or(sign, i32x4.splat(INFINITY_BITS));
    found = v128.bitselect(infinite, widenedF16s(narrowedF16s(four)), i32x4.ge_u(magnitude, i32x4.splat(BEYOND_F16)));
  }
  return v128.bitselect(i32x4.splat(NAN_BITS), found, i32x4.gt_u(magnitude, i32x4.splat(INFINITY_BITS)));
}
