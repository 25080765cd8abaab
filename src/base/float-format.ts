/**
 * The floating-point formats of checkpoints as bits. Everything here is exact, and every step that rounds rounds to
 * nearest, ties to even, as torch does.
 */

/** Names of the formats that weights come in. */
export type FloatName = "bf16" | "f16" | "f32";

/** One format: sign 1, then exponent, then fraction. */
export interface FloatFormat {
  readonly name: FloatName;
  /** Bytes of a value. */
  readonly sizeBytes: 2 | 4;
  /** Significant bits, the leading one included: 8, 11, 24. */
  readonly precision: number;
  /** Bits of +infinity. Larger magnitudes are NaN. */
  readonly infinity: number;
  /** Bits of the NaN that torch rounds to. */
  readonly nan: number;
  /** `torch.finfo(dtype).eps`, the distance from 1 to the next value. */
  readonly epsilon: number;
  /** Value of bits, exact. */
  fromBits(bits: number): number;
  /**
   * Bits nearest to a value; overflow gives infinity.
   * @param value rounded to float32 first, as torch computes: for the sums, quotients and products of two values of the
   *   format both roundings equal one (24 ≥ 2·11 + 2 bits)
   */
  toBits(value: number): number;
  /** The nearest value. */
  round(value: number): number;
}

const word = new DataView(new ArrayBuffer(4));

/** Bits of a float32. */
export function float32Bits(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

/** Value of float32 bits. */
export function float32Of(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

/** Drops the lowest `dropped` bits of an unsigned integer, ties to even. */
function dropBits(bits: number, dropped: number): number {
  const unit = 2 ** dropped;
  const lower = bits % unit;
  const upper = (bits - lower) / unit;
  const roundUp = lower > unit / 2 || (lower === unit / 2 && upper % 2 === 1);
  return roundUp ? upper + 1 : upper;
}

function format(init: Omit<FloatFormat, "round">): FloatFormat {
  return { ...init, round: (value) => init.fromBits(init.toBits(value)) };
}

/** bfloat16: the upper half of a float32. */
export const BF16 = format({
  name: "bf16",
  sizeBytes: 2,
  precision: 8,
  infinity: 0x7f80,
  nan: 0x7fc0,
  epsilon: 2 ** -7,
  fromBits: (bits) => float32Of(bits * 0x10000),
  toBits: (value) => (Number.isNaN(value) ? 0x7fc0 : dropBits(float32Bits(value), 16)),
});

/** IEEE 754 half precision. */
export const F16 = format({
  name: "f16",
  sizeBytes: 2,
  precision: 11,
  infinity: 0x7c00,
  nan: 0x7e00,
  epsilon: 2 ** -10,
  fromBits(bits) {
    const sign = bits >= 0x8000 ? -1 : 1;
    const exponent = Math.floor(bits / 0x400) % 32;
    const fraction = bits % 0x400;
    if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (0x400 + fraction) * 2 ** (exponent - 25);
  },
  toBits(value) {
    if (Number.isNaN(value)) return 0x7e00;
    const bits = float32Bits(value);
    const sign = bits >= 0x80000000 ? 0x8000 : 0;
    const magnitude = bits % 0x80000000;
    // Below 2⁻¹⁴ the result is a multiple of 2⁻²⁴; from there on, the float32 with 13 fraction bits fewer, rebiased.
    if (magnitude < 0x38800000) return sign + roundHalfEven(float32Of(magnitude) * 2 ** 24);
    return sign + Math.min(dropBits(magnitude, 13) - 112 * 0x400, 0x7c00);
  },
});

/** IEEE 754 single precision. */
export const F32 = format({
  name: "f32",
  sizeBytes: 4,
  precision: 24,
  infinity: 0x7f800000,
  nan: 0x7fc00000,
  epsilon: 2 ** -23,
  fromBits: float32Of,
  toBits: (value) => (Number.isNaN(value) ? 0x7fc00000 : float32Bits(value)),
});

/** The formats by name. */
export const FLOAT_FORMATS: Readonly<Record<FloatName, FloatFormat>> = { bf16: BF16, f16: F16, f32: F32 };

/** The nearest integer, ties to even: `torch.round`, `rint`. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const fraction = value - below;
  if (fraction < 0.5) return below;
  if (fraction > 0.5) return below + 1;
  return below % 2 === 0 ? below : below + 1;
}
