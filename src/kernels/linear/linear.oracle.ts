/** Sizes of y[m, n] = x[m, k] · W[n, k]ᵀ. */
export interface LinearShape {
  /** Rows of x and y: tokens. */
  readonly m: number;
  /** Rows of W: features that come out. */
  readonly n: number;
  /** Columns of x and W: features that go in, a multiple of 4: rows are read by vectors. */
  readonly k: number;
}

/** Sums in float64, rounded to float32 in the end. */
export function linearOracle(
  _source: Record<string, never>,
  { m, n, k }: LinearShape,
  [inputs = new Uint32Array(), weights = new Uint32Array(), outputs = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [x, w, y] = [inputs, weights, outputs].map(asFloats) as [Float32Array, Float32Array, Float32Array];
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum += (x[row * k + i] ?? 0) * (w[column * k + i] ?? 0);
      y[row * n + column] = sum;
    }
  }
}

/** The same memory as float32. */
export function asFloats({ buffer, byteOffset, length }: Uint32Array): Float32Array {
  return new Float32Array(buffer, byteOffset, length);
}
