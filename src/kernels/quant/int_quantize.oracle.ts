import { halfAt } from "../halves.ts";
import type { IntQuantizeSource, IntShape } from "../int-params.ts";
import { intCode } from "./int_code.oracle.ts";

/**
 * Codes as a little-endian stream of `bits`-bit fields, offset or two's complement.
 * Source: compressed-tensors 0.19 `compressors/pack_quantized/helpers.py :: pack_to_int32`.
 */
export function intQuantizeOracle(
  source: IntQuantizeSource,
  shape: IntShape,
  [weights = new Uint32Array(), scales = new Uint32Array(), codes = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { bits, storage } = source;
  const perWord = 32 / bits;
  const offset = storage === "offset" ? 2 ** (bits - 1) : 0;
  const elements = shape.groups * shape.groupSize;
  for (let word = 0; word * perWord < elements; word++) {
    let packed = 0;
    for (let field = 0; field < perWord; field++) {
      const index = word * perWord + field;
      if (index >= elements) break;
      const code = intCode(source, halfAt(weights, index), halfAt(scales, Math.floor(index / shape.groupSize)));
      const stored = (code + offset + 2 ** bits) % 2 ** bits;
      packed += stored * 2 ** (field * bits);
    }
    codes[word] = packed;
  }
}
