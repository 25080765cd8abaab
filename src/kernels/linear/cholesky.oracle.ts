import { asDoubles, type SquareShape } from "./doubles.ts";

/** Row by row (Cholesky and Banachiewicz), each element from those left of it. */
export function choleskyOracle(
  _source: Record<string, never>,
  { n }: SquareShape,
  [status = new Uint32Array(1), matrix = new Uint32Array()]: readonly Uint32Array[],
): void {
  const a = asDoubles(matrix);
  status[0] = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j] ?? 0;
      for (let k = 0; k < j; k++) sum -= (a[i * n + k] ?? 0) * (a[j * n + k] ?? 0);
      if (i === j && !(sum > 0)) {
        status[0] = i + 1;
        return;
      }
      a[i * n + j] = i === j ? Math.sqrt(sum) : sum / (a[j * n + j] ?? 0);
    }
  }
  for (let i = 0; i < n; i++) a.fill(0, i * n + i + 1, (i + 1) * n);
}
