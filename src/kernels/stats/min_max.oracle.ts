import { FLOAT_FORMATS, type FloatName, float32Bits } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";

/** Largest magnitude of each group on either side of zero, as float32 bits. */
export function minMaxOracle(
  { element }: { readonly element: FloatName },
  shape: { readonly elements: number; readonly groupSize: number },
  [weights = new Uint32Array(), extremes = new Uint32Array()]: readonly Uint32Array[],
): void {
  const format = FLOAT_FORMATS[element];
  const signBit = 2 ** (8 * format.sizeBytes - 1);
  for (let group = 0; group * shape.groupSize < shape.elements; group++) {
    const first = group * shape.groupSize;
    let [positive, negative] = [0, 0];
    for (let i = first; i < Math.min(first + shape.groupSize, shape.elements); i++) {
      const bits = elementAt(weights, i, element);
      if (bits < signBit) positive = Math.max(positive, bits);
      else negative = Math.max(negative, bits - signBit);
    }
    extremes[2 * group] = magnitudeBits(element, positive);
    extremes[2 * group + 1] = magnitudeBits(element, negative);
  }
}

/** float32 bits of a magnitude's own bits; the payload of a NaN moves with them. */
function magnitudeBits(element: FloatName, bits: number): number {
  const format = FLOAT_FORMATS[element];
  if (bits <= format.infinity) return float32Bits(format.fromBits(bits));
  const fraction = bits - format.infinity;
  return 0x7f800000 + fraction * 2 ** (24 - format.precision);
}
