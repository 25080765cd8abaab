import { FLOAT_FORMATS, roundHalfEven } from "../../base/float-format.ts";
import type { IntCodes } from "../int-params.ts";

/** A code, and whether the end of the range cut it off. */
export interface Code {
  readonly code: number;
  readonly isClipped: boolean;
}

/**
 * Tells the code of a weight under a scale and a zero point, step by step as the tool computes it.
 * eager: RN(clamp(RN_d(RN_d(x / s) + z))), with d the weights' format; triton: the same with float32 for d. A sum that is
 * not a number has code 0.
 * Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _quantize, _quantize_kernel`.
 */
export function intCoder(source: IntCodes): (weight: number, scale: number, zeroPoint: number) => Code {
  const round = source.arithmetic === "eager" ? FLOAT_FORMATS[source.element].round : Math.fround;
  const [lowest, highest] = [-(2 ** (source.bits - 1)), 2 ** (source.bits - 1) - 1];
  return (weight, scale, zeroPoint) => {
    const quotient = round(Math.fround(weight / scale));
    const sum = source.symmetric ? quotient : round(Math.fround(quotient + zeroPoint));
    if (Number.isNaN(sum)) return { code: 0, isClipped: false };
    const whole = roundHalfEven(Math.min(Math.max(sum, 2 * lowest), 2 * highest + 1));
    const code = Math.min(Math.max(whole, lowest), highest);
    return { code, isClipped: code !== whole };
  };
}
