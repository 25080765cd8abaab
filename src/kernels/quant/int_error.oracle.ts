import { BF16_INFINITY, fromBf16, roundToBf16 } from "../../base/bfloat16.ts";
import { halfAt } from "../halves.ts";
import type { IntShape, IntSource } from "../int-params.ts";
import { intCode } from "./int_code.oracle.ts";

const SEGMENT = 128;
const WORDS = 6;

/**
 * The sums of a segment in float64, then stored as float32 in units of the scale's power of two.
 * Source of the figures: squared error of `_dequantize(_quantize(x))` of compressed-tensors 0.19.
 */
export function intErrorOracle(
  source: IntSource,
  shape: IntShape,
  [weights = new Uint32Array(), scales = new Uint32Array(), sums = new Uint32Array()]: readonly Uint32Array[],
): void {
  const floats = new Float32Array(sums.buffer, sums.byteOffset, sums.length);
  let at = 0;
  for (let group = 0; group < shape.groups; group++) {
    const scaleBits = halfAt(scales, group);
    const scale = fromBf16(scaleBits);
    // A scale that is not finite has no unit; its words carry exponent 0.
    const exponent = scaleBits >= BF16_INFINITY ? 0 : floorLog2(scale);
    for (let start = 0; start < shape.groupSize; start += SEGMENT) {
      const total = { error: 0, energy: 0, largest: 0, product: 0, reconstruction: 0, overflows: 0, notFinite: 0 };
      for (let i = start; i < Math.min(start + SEGMENT, shape.groupSize); i++) {
        const bits = halfAt(weights, group * shape.groupSize + i);
        const weight = fromBf16(bits);
        if (!Number.isFinite(weight)) total.notFinite++;
        const product = intCode(source, bits, scaleBits) * scale;
        if (!Number.isFinite(roundToBf16(product))) {
          total.overflows++;
          if (scaleBits >= BF16_INFINITY) continue;
        }
        const unit = 2 ** exponent;
        // In units of the scale the rounding to 8 significant bits is the same and cannot overflow.
        const reconstruction = roundToBf16(product / unit);
        const x = weight / unit;
        const error = x - reconstruction;
        total.error += error * error;
        total.energy += x * x;
        total.largest = Math.max(total.largest, Math.abs(error));
        total.product += x * reconstruction;
        total.reconstruction += reconstruction * reconstruction;
      }
      floats[at] = total.error;
      floats[at + 1] = total.energy;
      floats[at + 2] = total.largest;
      floats[at + 3] = total.product;
      floats[at + 4] = total.reconstruction;
      sums[at + 5] = (exponent + 512) * 65536 + total.overflows * 256 + total.notFinite;
      at += WORDS;
    }
  }
}

/** Largest e with 2^e ≤ value, for a positive finite value; the logarithm alone may be off by one at a power of two. */
function floorLog2(value: number): number {
  const guess = Math.floor(Math.log2(value) + 0.5);
  return 2 ** guess <= value ? guess : guess - 1;
}
