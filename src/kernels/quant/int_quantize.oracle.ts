import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { byteAt, type CodeStorage, type IntCodes, type IntShape } from "../int-params.ts";
import { intCoder } from "./int_code.oracle.ts";

/** What changes the program. */
export interface IntQuantizeSource extends IntCodes, CodeStorage {}

/**
 * Codes as one little-endian bit stream a stream.
 * Source: compressed-tensors 0.19 `compressors/pack_quantized/helpers.py :: pack_to_int32`.
 */
export function intQuantizeOracle(
  source: IntQuantizeSource,
  { streams, streamLength, groupSize }: IntShape,
  [
    weights = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    codes = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { element, storedBits, offset } = source;
  const { fromBits } = FLOAT_FORMATS[element];
  const codeOf = intCoder(source);
  const streamWords = Math.ceil((streamLength * storedBits) / 32);
  for (let stream = 0; stream < streams; stream++) {
    codes.fill(0, stream * streamWords, (stream + 1) * streamWords);
    for (let i = 0; i < streamLength; i++) {
      const index = stream * streamLength + i;
      const group = Math.floor(index / groupSize);
      const { code } = codeOf(
        fromBits(elementAt(weights, index, element)),
        fromBits(elementAt(scales, group, element)),
        source.symmetric ? 0 : byteAt(zeroPoints, group),
      );
      putField(codes, stream * streamWords * 32 + i * storedBits, storedBits, code + offset);
    }
  }
}

/** Adds a field of a bit stream, whose place is still zero; the field may lie across two words. */
function putField(words: Uint32Array, bit: number, bits: number, value: number): void {
  const field = ((value % 2 ** bits) + 2 ** bits) % 2 ** bits;
  const [word, at] = [Math.floor(bit / 32), bit % 32];
  words[word] = (words[word] ?? 0) + ((field * 2 ** at) % 2 ** 32);
  if (at + bits > 32) words[word + 1] = (words[word + 1] ?? 0) + Math.floor(field / 2 ** (32 - at));
}
