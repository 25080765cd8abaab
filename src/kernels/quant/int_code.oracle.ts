import { fromBf16, roundHalfEven, roundToBf16 } from "../../base/bfloat16.ts";
import type { IntSource } from "../int-params.ts";

/**
 * The code of one bf16 weight under one bf16 scale, step by step as the tool computes it.
 * eager: RN(clamp(RN_bf16(x / s))); triton: RN(clamp(RN_f32(x / s))). A quotient that is NaN has code 0.
 * Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _quantize, _quantize_kernel`.
 */
export function intCode(source: IntSource, weightBits: number, scaleBits: number): number {
  const weight = fromBf16(weightBits);
  const scale = fromBf16(scaleBits);
  const float32 = Math.fround(weight / scale);
  const quotient = source.arithmetic === "eager" ? roundToBf16(float32) : float32;
  if (Number.isNaN(quotient)) return 0;
  const limit = 2 ** (source.bits - 1);
  return roundHalfEven(Math.min(Math.max(quotient, -limit), limit - 1));
}
