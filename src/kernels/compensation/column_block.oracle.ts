import { FLOAT_FORMATS, type FloatName, roundHalfEven } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";
import { byteAt, type IntCodes } from "../int-params.ts";
import { BLOCK_COLUMNS, type BlockShape } from "./block.ts";
import { scoreOf } from "./scores.oracle.ts";

/** Which weights of a block become 0. */
export type BlockMask =
  | { readonly kind: "none" }
  /** Of each `m` columns of the order, which begin with the block, the `n` of lowest score as it stands then; m ≤ 32. */
  | { readonly kind: "n-of-m"; readonly n: number; readonly m: number }
  /** Those whose score is at most the threshold as the block begins. */
  | { readonly kind: "threshold" };

/** What changes the program. */
export interface ColumnBlockSource {
  /** Format of the scales and of restored weights. */
  readonly element: FloatName;
  /** What weights that stay are rounded to; null: they stay as they are. */
  readonly codes: Pick<IntCodes, "bits" | "symmetric"> | null;
  readonly mask: BlockMask;
}

/** The block, and how its columns find their scales. */
export interface ColumnBlockShape extends BlockShape {
  /** Scales of a row; 0: one for the whole matrix. */
  readonly groupsPerRow: number;
  /** Neighbouring columns, in their natural order, that share a scale. */
  readonly groupSize: number;
  /** Of a mask by threshold: the highest score that goes, a float32. */
  readonly threshold: number;
}

/** Row by row, each step rounded to float32. */
export function columnBlockOracle(
  { element, codes, mask }: ColumnBlockSource,
  shape: ColumnBlockShape,
  [
    weights = new Uint32Array(),
    order = new Uint32Array(),
    factor = new Uint32Array(),
    scales = new Uint32Array(),
    zeroPoints = new Uint32Array(),
    errors = new Uint32Array(),
    losses = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const { rows, cols, first, count, groupsPerRow, groupSize, threshold } = shape;
  const [w, u, errs, sums] = [asFloats(weights), asFloats(factor), asFloats(errors), asFloats(losses)];
  const { fromBits } = FLOAT_FORMATS[element];
  const factorAt = (k: number, j: number) => u[(first + k) * cols + first + j] ?? 0;
  for (let row = 0; row < rows; row++) {
    const values = Float32Array.from({ length: count }, (_, k) => w[row * cols + (order[first + k] ?? 0)] ?? 0);
    const scoreAt = (k: number) => scoreOf(values[k] ?? 0, factorAt(k, k));
    const masked = Array.from(values, (_, k) => mask.kind === "threshold" && scoreAt(k) <= threshold);
    for (let k = 0; k < count; k++) {
      if (mask.kind === "n-of-m" && k % mask.m === 0) {
        const group = Array.from({ length: Math.min(mask.m, count - k) }, (_, place) => scoreAt(k + place));
        for (const [place, score] of group.entries()) {
          const before = group.filter((other, at) => other < score || (other === score && at < place));
          masked[k + place] = before.length < mask.n;
        }
      }
      const value = values[k] ?? 0;
      const column = order[first + k] ?? 0;
      let kept = value;
      if (masked[k]) kept = 0;
      else if (codes !== null) {
        const at = groupsPerRow === 0 ? 0 : row * groupsPerRow + Math.floor(column / groupSize);
        const zeroPoint = codes.symmetric ? 0 : byteAt(zeroPoints, at);
        kept = restored(value, fromBits(elementAt(scales, at, element)), zeroPoint, codes.bits, element);
      }
      const error = Math.fround(Math.fround(value - kept) / factorAt(k, k));
      w[row * cols + column] = kept;
      errs[row * BLOCK_COLUMNS + k] = error;
      sums[row] = (sums[row] ?? 0) + Math.fround(Math.fround(error * error) / 2);
      for (let j = k + 1; j < count; j++) {
        values[j] = (values[j] ?? 0) - Math.fround(error * factorAt(k, j));
      }
    }
  }
}

/** The weight that a weight's code stands for: the quotient in float32, the product in the format of the scale. */
function restored(value: number, scale: number, zeroPoint: number, bits: number, element: FloatName): number {
  const sum = Math.fround(Math.fround(value / scale) + zeroPoint);
  const code = roundHalfEven(Math.min(Math.max(sum, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1));
  // Level 0 is +0, as torch has it.
  return code === zeroPoint ? 0 : FLOAT_FORMATS[element].round((code - zeroPoint) * scale);
}
