import { BF16_EPSILON, BF16_NAN, fromBf16, toBf16 } from "../../base/bfloat16.ts";
import { halfAt, setHalf } from "../halves.ts";
import type { IntShape } from "../int-params.ts";

/**
 * scale = RN_bf16(absmax / ((2^bits − 1) / 2)); 0 becomes 2⁻⁷; NaN stays NaN.
 * Source: compressed-tensors 0.19 `quantization/utils/helpers.py :: calculate_qparams`.
 */
export function intScaleOracle(
  source: { readonly bits: 4 | 8 },
  shape: IntShape,
  [weights = new Uint32Array(), scales = new Uint32Array()]: readonly Uint32Array[],
): void {
  const divisor = (2 ** source.bits - 1) / 2;
  for (let group = 0; group < shape.groups; group++) {
    let absmax = 0;
    for (let i = 0; i < shape.groupSize; i++) {
      const value = Math.abs(fromBf16(halfAt(weights, group * shape.groupSize + i)));
      absmax = Number.isNaN(value) || Number.isNaN(absmax) ? Number.NaN : Math.max(absmax, value);
    }
    const scale = toBf16(Math.fround(absmax / divisor));
    setHalf(scales, group, Number.isNaN(absmax) ? BF16_NAN : scale === 0 ? BF16_EPSILON : scale);
  }
  if (shape.groups % 2 === 1) setHalf(scales, shape.groups, 0);
}
