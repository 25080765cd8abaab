import { BF16_NAN, fromBf16, toBf16 } from "../../base/bfloat16.ts";
import { halfAt, setHalf } from "../halves.ts";
import type { IntDequantizeSource, IntShape } from "../int-params.ts";

/**
 * weight = RN_bf16(code · scale).
 * Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _dequantize`.
 */
export function intDequantizeOracle(
  source: IntDequantizeSource,
  shape: IntShape,
  [codes = new Uint32Array(), scales = new Uint32Array(), weights = new Uint32Array()]: readonly Uint32Array[],
): void {
  const elements = shape.groups * shape.groupSize;
  for (let index = 0; index < elements; index++) {
    const code = codeAt(source, codes, index);
    const value = code * fromBf16(halfAt(scales, Math.floor(index / shape.groupSize)));
    // torch gives code 0 the weight +0
    setHalf(weights, index, Number.isNaN(value) ? BF16_NAN : toBf16(value));
  }
  if (elements % 2 === 1) setHalf(weights, elements, 0);
}

/** The signed code of element `index`. */
export function codeAt(source: IntDequantizeSource, codes: Uint32Array, index: number): number {
  const { bits, storage } = source;
  const perWord = 32 / bits;
  const field = Math.floor((codes[Math.floor(index / perWord)] ?? 0) / 2 ** ((index % perWord) * bits)) % 2 ** bits;
  if (storage === "offset") return field - 2 ** (bits - 1);
  return field < 2 ** (bits - 1) ? field : field - 2 ** bits;
}
