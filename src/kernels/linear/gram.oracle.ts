import { asFloats } from "../floats.ts";

/** Rows of a register, a row a token, that are added to a Gram matrix. */
export interface GramShape {
  readonly rows: number;
  /** Channels: a multiple of 4, since rows are read by vectors. */
  readonly width: number;
  /** Row of the inputs that is added first. */
  readonly firstRow: number;
}

/** Words of `totals`. */
export function gramWords({ width }: Pick<GramShape, "width">): number {
  return 2 * width * width;
}

/** Sums in float64. */
export function gramOracle(
  _source: Record<string, never>,
  { rows, width, firstRow }: GramShape,
  [inputs = new Uint32Array(), totals = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [x, high, low] = [asFloats(inputs), asFloats(totals), asFloats(totals.subarray(width * width))];
  for (let row = 0; row < width; row++) {
    for (let column = 0; column <= row; column++) {
      const at = row * width + column;
      let sum = (high[at] ?? 0) + (low[at] ?? 0);
      for (let token = firstRow; token < firstRow + rows; token++) {
        sum += (x[token * width + row] ?? 0) * (x[token * width + column] ?? 0);
      }
      high[at] = sum;
      low[at] = sum - Math.fround(sum);
    }
  }
}
