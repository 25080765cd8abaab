/**
 * bfloat16 as bits: sign 1, exponent 8, fraction 7, the upper half of a float32. Everything here is exact, and every step
 * that rounds rounds to nearest, ties to even, as torch does.
 */

/** Bits of the largest finite magnitude; larger ones are infinity (0x7f80) and NaN. */
export const BF16_LARGEST_FINITE = 0x7f7f;
/** Bits of +infinity. */
export const BF16_INFINITY = 0x7f80;
/** Bits of the NaN that torch rounds to. */
export const BF16_NAN = 0x7fc0;
/** Bits of 2⁻⁷, `torch.finfo(torch.bfloat16).eps`. */
export const BF16_EPSILON = 0x3c00;

const word = new DataView(new ArrayBuffer(4));

/** Value of bf16 bits, exact. */
export function fromBf16(bits: number): number {
  word.setUint32(0, bits * 0x10000);
  return word.getFloat32(0);
}

/**
 * bf16 bits nearest to a float32 value, ties to even; overflow gives infinity, NaN gives 0x7fc0.
 * @param value rounded to float32 first, as torch computes: for the quotients and products here the two roundings equal
 *   one (24 ≥ 2·8 + 2 bits)
 */
export function toBf16(value: number): number {
  if (Number.isNaN(value)) return BF16_NAN;
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const lower = bits % 0x10000;
  const upper = (bits - lower) / 0x10000;
  const roundUp = lower > 0x8000 || (lower === 0x8000 && upper % 2 === 1);
  return roundUp ? upper + 1 : upper;
}

/** A float64 rounded to the nearest bf16 value by way of float32. */
export function roundToBf16(value: number): number {
  return fromBf16(toBf16(value));
}

/** The nearest integer, ties to even: `torch.round`, `rint`. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction < 0.5) return below;
  if (fraction > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}
