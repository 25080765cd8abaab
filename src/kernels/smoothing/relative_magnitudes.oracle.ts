import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";
import { asFloats } from "../floats.ts";

/** What changes the program: the format of the weights. */
export interface RelativeMagnitudesSource {
  readonly element: FloatName;
}

/** A matrix, and how many neighbours along a row share a scale: a divisor of `cols`; `cols` itself for a scale a row. */
export interface RelativeMagnitudesShape {
  readonly rows: number;
  readonly cols: number;
  readonly groupSize: number;
}

/** Rows whose sums stand in one place; shader and twin have the same number. */
export const ROWS_PER_BLOCK = 64;

/** Blocks of `rows` rows. */
export function magnitudeBlocks(rows: number): number {
  return Math.ceil(rows / ROWS_PER_BLOCK);
}

/** Group by group, each step rounded to the format, sums in float64. */
export function relativeMagnitudesOracle(
  { element }: RelativeMagnitudesSource,
  { rows, cols, groupSize }: RelativeMagnitudesShape,
  [weights = new Uint32Array(), sums = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { fromBits, round } = FLOAT_FORMATS[element];
  // torch rounds the number that it adds to a tensor to the tensor's dtype first (on CPUs; CUDA takes the float32).
  const tiny = round(1e-6);
  const found = asFloats(sums);
  for (let block = 0; block < magnitudeBlocks(rows); block++) {
    const total = new Float64Array(cols);
    for (let row = block * ROWS_PER_BLOCK; row < Math.min((block + 1) * ROWS_PER_BLOCK, rows); row++) {
      for (let first = 0; first < cols; first += groupSize) {
        const group = Array.from({ length: groupSize }, (_, place) =>
          Math.abs(fromBits(elementAt(weights, row * cols + first + place, element))),
        );
        const divisor = round(Math.fround(Math.max(...group) + tiny));
        for (const [place, magnitude] of group.entries()) {
          total[first + place] = (total[first + place] ?? 0) + round(Math.fround(magnitude / divisor));
        }
      }
    }
    found.set(total, block * cols);
  }
}
