import { FLOAT_FORMATS, type FloatName, float32Bits } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";

export interface WidenSource {
  /** The format in which weights are stored. */
  readonly element: FloatName;
  /** Whether what comes out is [cols, rows]. */
  readonly isTransposed: boolean;
}

/** Sizes of the stored matrix. */
export interface WidenShape {
  readonly rows: number;
  readonly cols: number;
}

/** The float32 that has the value of each weight. */
export function widenOracle(
  { element, isTransposed }: WidenSource,
  { rows, cols }: WidenShape,
  [weights = new Uint32Array(), wide = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < cols; column++) {
      const to = isTransposed ? column * rows + row : row * cols + column;
      wide[to] = wideBits(elementAt(weights, row * cols + column, element), element);
    }
  }
}

/** A number by its value; of a NaN, sign and fraction, since JavaScript keeps neither. */
function wideBits(bits: number, element: FloatName): number {
  const { fromBits, infinity, precision, sizeBytes } = FLOAT_FORMATS[element];
  const signBit = 2 ** (8 * sizeBytes - 1);
  const fraction = (bits % signBit) - infinity;
  if (fraction <= 0) return float32Bits(fromBits(bits));
  return (bits >= signBit ? 0x80000000 : 0) + 0x7f800000 + fraction * 2 ** (24 - precision);
}
