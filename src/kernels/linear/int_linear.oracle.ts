import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { byteAt, type CodeStorage, type IntCodes, type IntShape } from "../int-params.ts";
import { type LinearBlock, linearOracle } from "./linear.oracle.ts";

/** What changes the program. */
export interface IntLinearSource extends CodeStorage, Pick<IntCodes, "element" | "symmetric"> {}

/** W: a stream a row; rows and groups of it are multiples of 4 long. Then rows of x and y, and where the product stands. */
export interface IntLinearShape extends IntShape, LinearBlock {
  /** Rows that are multiplied: tokens. */
  readonly m: number;
}

/** Restores all of W, in the format of its scales, and multiplies. */
export function intLinearOracle(
  source: IntLinearSource,
  shape: IntLinearShape,
  [
    inputs = new Uint32Array(),
    codes = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    outputs = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const weights = restoredWeights(source, shape, codes, scales, zeroPoints);
  linearOracle({}, { ...shape, n: shape.streams, k: shape.streamLength }, [inputs, weights, outputs]);
}

/** W [streams, streamLength]: RN((code − zero point) · scale), rounding to the scales' format, as float32 bits. */
export function restoredWeights(
  { element, symmetric, storedBits, offset }: IntLinearSource,
  { streams, streamLength, groupSize }: IntShape,
  codes: Uint32Array,
  scales: Uint32Array,
  zeroPoints: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const { fromBits, toBits } = FLOAT_FORMATS[element];
  const words = new Uint32Array(streams * streamLength);
  const weights = asFloats(words);
  const streamBits = 32 * Math.ceil((streamLength * storedBits) / 32);
  for (let index = 0; index < weights.length; index++) {
    const group = Math.floor(index / groupSize);
    const first = Math.floor(index / streamLength) * streamBits + (index % streamLength) * storedBits;
    let field = 0;
    for (let bit = first; bit < first + storedBits; bit++) {
      field += (((codes[bit >>> 5] ?? 0) >>> (bit % 32)) & 1) * 2 ** (bit - first);
    }
    const isNegative = offset === 0 && field >= 2 ** (storedBits - 1);
    const code = field - (isNegative ? 2 ** storedBits : offset);
    const level = code - (symmetric ? 0 : byteAt(zeroPoints, group));
    weights[index] = fromBits(toBits(level * fromBits(elementAt(scales, group, element))));
  }
  return words;
}
