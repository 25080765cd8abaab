import { FLOAT_FORMATS, type FloatName, float32Bits } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";

/** What changes the program: the format of the weights. */
export interface EnergiesSource {
  readonly element: FloatName;
}

/** Which weights belong to which sum, and the unit. Of the rows of [rows, cols]: outputs rows, length cols, strides cols and 1. */
export interface EnergiesShape {
  readonly outputs: number;
  readonly length: number;
  readonly outputStride: number;
  readonly innerStride: number;
  /** Weights are taken in units of 2^exponent. An integer between −512 and 512. */
  readonly exponent: number;
}

/** The sums in float64, where neither a unit nor a square leaves the range, rounded to float32 in the end. */
export function energiesOracle(
  { element }: EnergiesSource,
  { outputs, length, outputStride, innerStride, exponent }: EnergiesShape,
  [weights = new Uint32Array(), sums = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { fromBits } = FLOAT_FORMATS[element];
  for (let output = 0; output < outputs; output++) {
    let sum = 0;
    for (let inner = 0; inner < length; inner++) {
      const value = fromBits(elementAt(weights, output * outputStride + inner * innerStride, element));
      sum += Number.isFinite(value) ? (value * 2 ** -exponent) ** 2 : Number.POSITIVE_INFINITY;
    }
    sums[output] = float32Bits(sum);
  }
}
