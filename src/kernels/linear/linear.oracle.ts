import { asFloats } from "../floats.ts";

/** Where a product x · Wᵀ stands in what is larger than it: rows of x and y, and columns of y. */
export interface LinearBlock {
  /** Row of x that is multiplied first, and of y that is written first. */
  readonly firstRow: number;
  /** Columns of y. */
  readonly outputStride: number;
  /** Column of y that the first row of W makes. */
  readonly outputStart: number;
}

/** Sizes of a product x · W[n, k]ᵀ, and where it stands. */
export interface LinearShape extends LinearBlock {
  /** Rows that are multiplied: tokens. */
  readonly m: number;
  /** Rows of W: features that come out. */
  readonly n: number;
  /** Columns of x and W: features that go in, a multiple of 4: rows are read by vectors. */
  readonly k: number;
}

/** The block that is all of y: `n` columns from row 0 on. */
export function wholeOutput(n: number): LinearBlock {
  return { firstRow: 0, outputStride: n, outputStart: 0 };
}

/** Sums in float64, rounded to float32 in the end. */
export function linearOracle(
  _source: Record<string, never>,
  { m, n, k, firstRow, outputStride, outputStart }: LinearShape,
  [inputs = new Uint32Array(), weights = new Uint32Array(), outputs = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [x, w, y] = [inputs, weights, outputs].map(asFloats) as [Float32Array, Float32Array, Float32Array];
  for (let row = firstRow; row < firstRow + m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (x[row * k + i] ?? 0) * (w[column * k + i] ?? 0);
      y[row * outputStride + outputStart + column] = sum;
    }
  }
}
