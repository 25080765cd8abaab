import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";
import { byteAt, type CodeStorage, type IntCodes, type IntShape } from "../int-params.ts";

/** What changes the program. */
export interface IntDequantizeSource extends CodeStorage, Pick<IntCodes, "element" | "symmetric"> {}

/**
 * weight = RN((code − zero point) · scale), rounding to the scales' format.
 * Source: compressed-tensors 0.19 `quantization/lifecycle/forward_helpers.py :: _dequantize`.
 */
export function intDequantizeOracle(
  source: IntDequantizeSource,
  shape: IntShape,
  [
    codes = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    weights = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { element, symmetric } = source;
  const format = FLOAT_FORMATS[element];
  const elements = shape.streams * shape.streamLength;
  for (let index = 0; index < elements; index++) {
    const group = Math.floor(index / shape.groupSize);
    const level = codeAt(source, shape, codes, index) - (symmetric ? 0 : byteAt(zeroPoints, group));
    const value = level * format.fromBits(elementAt(scales, group, element));
    // torch gives level 0 the weight +0
    setElement(weights, index, format.toBits(value === 0 ? 0 : value), element);
  }
  if (elements % 2 === 1 && element !== "f32") setElement(weights, elements, 0, element);
}

/** The signed code of element `index`. */
export function codeAt(
  { storedBits, offset }: CodeStorage,
  shape: IntShape,
  codes: Uint32Array,
  index: number,
): number {
  const streamWords = Math.ceil((shape.streamLength * storedBits) / 32);
  const bit = (index % shape.streamLength) * storedBits;
  const word = Math.floor(index / shape.streamLength) * streamWords + Math.floor(bit / 32);
  // A code ends at most 7 bits into the next word.
  const both = (codes[word] ?? 0) + ((codes[word + 1] ?? 0) % 2 ** 7) * 2 ** 32;
  const field = Math.floor(both / 2 ** (bit % 32)) % 2 ** storedBits;
  if (offset > 0) return field - offset;
  return field < 2 ** (storedBits - 1) ? field : field - 2 ** storedBits;
}
