// Weights of one float format, one after the other; the numbers of the formats are those of `kernels/elements.ts`.
// Floats of WebAssembly are IEEE 754 to the bit, subnormals and infinities included; only a NaN may come with any payload,
// so that one is always written as the format's own.

export const BF16: u32 = 0;
export const F16: u32 = 1;
export const F32: u32 = 2;

export const INFINITY_BITS: u32 = 0x7f800000;
export const NAN_BITS: u32 = 0x7fc00000;

/** float32 bits of 65520, the smallest magnitude that f16 takes for infinite. */
const BEYOND_F16: u32 = 0x477ff000;

/** log2 of an element's bytes. */
@inline
export function sizeShift(element: u32): u32 {
  return element == F32 ? 2 : 1;
}

/** Bits of an f16 as those of a float32. */
export function widenedF16(raw: u32): u32 {
  const sign = (raw & 0x8000) << 16;
  const magnitude = raw & 0x7fff;
  if (magnitude >= 0x7c00) return sign | INFINITY_BITS | ((magnitude & 0x3ff) << 13);
  if (magnitude >= 0x400) return sign | ((magnitude << 13) + 0x38000000);
  return sign | reinterpret<u32>(<f32>magnitude * <f32>(1.0 / 16777216.0));
}

/** An element's own bits as those of a float32. */
@inline
export function widened(raw: u32, element: u32): u32 {
  if (element == BF16) return raw << 16;
  if (element == F16) return widenedF16(raw);
  return raw;
}

/** An element's own bits. */
@inline
export function rawAt(base: usize, index: u32, element: u32): u32 {
  return element == F32 ? load<u32>(base + (<usize>index << 2)) : <u32>load<u16>(base + (<usize>index << 1));
}

@inline
export function putRaw(base: usize, index: u32, raw: u32, element: u32): void {
  if (element == F32) store<u32>(base + (<usize>index << 2), raw);
  else store<u16>(base + (<usize>index << 1), <u16>raw);
}

/** The value of an element. */
@inline
export function valueAt(base: usize, index: u32, element: u32): f32 {
  return reinterpret<f32>(widened(rawAt(base, index, element), element));
}

/** Own bits of the element nearest to a float32, ties to even. */
export function narrowed(value: f32, element: u32): u32 {
  const bits = reinterpret<u32>(value);
  if (value != value) return element == F32 ? NAN_BITS : element == BF16 ? NAN_BITS >> 16 : 0x7e00;
  if (element == F32) return bits;
  if (element == BF16) return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and more
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >> 13) & 1)) >> 13);
  // A subnormal counts in units of 2^-24; adding 2^23 rounds to whole numbers.
  return sign | (reinterpret<u32>(reinterpret<f32>(magnitude) * <f32>16777216.0 + <f32>8388608.0) - 0x4b000000);
}

/** The element nearest to a float32, as a float32. */
@inline
export function rounded(value: f32, element: u32): f32 {
  if (element == F32) return value;
  return reinterpret<f32>(widened(narrowed(value, element), element));
}

/** Four elements from `base` on, as float32: `index` is that of the first. */
@inline
export function fourAt(base: usize, index: u32, element: u32): v128 {
  if (element == F32) return v128.load(base + (<usize>index << 2));
  const raw = v128.load64_zero(base + (<usize>index << 1));
  const wide = i32x4.extend_low_i16x8_u(raw);
  if (element == BF16) return i32x4.shl(wide, 16);
  return widenedF16s(wide);
}

/** Four f16 in the low halves of i32 lanes as float32. */
@inline
export function widenedF16s(wide: v128): v128 {
  const sign = i32x4.shl(v128.and(wide, i32x4.splat(0x8000)), 16);
  const magnitude = v128.and(wide, i32x4.splat(0x7fff));
  const normal = i32x4.add(i32x4.shl(magnitude, 13), i32x4.splat(0x38000000));
  const subnormal = f32x4.mul(f32x4.convert_i32x4_u(magnitude), f32x4.splat(1.0 / 16777216.0));
  const special = v128.or(i32x4.splat(0x7f800000), i32x4.shl(v128.and(magnitude, i32x4.splat(0x3ff)), 13));
  const finite = v128.bitselect(normal, subnormal, i32x4.ge_u(magnitude, i32x4.splat(0x400)));
  return v128.or(sign, v128.bitselect(special, finite, i32x4.ge_u(magnitude, i32x4.splat(0x7c00))));
}

/** Own bits of the f16 nearest to four finite float32 below 65520, ties to even, in i32 lanes. */
@inline
export function narrowedF16s(values: v128): v128 {
  const sign = v128.and(i32x4.shr_u(values, 16), i32x4.splat(0x8000));
  const magnitude = v128.and(values, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(i32x4.sub(magnitude, i32x4.splat(0x38000000 - 0xfff)), odd), 13);
  const counted = f32x4.add(f32x4.mul(magnitude, f32x4.splat(16777216.0)), f32x4.splat(8388608.0));
  const subnormal = i32x4.sub(counted, i32x4.splat(0x4b000000));
  return v128.or(sign, v128.bitselect(normal, subnormal, i32x4.ge_u(magnitude, i32x4.splat(0x38800000))));
}

/** The elements nearest to four float32, ties to even, as float32; every NaN becomes `NAN_BITS`. */
@inline
export function roundedF32x4(four: v128, element: u32): v128 {
  if (element == F32) return four;
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
