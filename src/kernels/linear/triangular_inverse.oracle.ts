import { asDoubles, type SquareShape } from "./doubles.ts";

/** Row by row: row i of the inverse from that of L and the rows of the inverse before it. */
export function triangularInverseOracle(
  _source: Record<string, never>,
  { n }: SquareShape,
  [matrix = new Uint32Array()]: readonly Uint32Array[],
): void {
  const a = asDoubles(matrix);
  for (let i = 0; i < n; i++) {
    const row = a.slice(i * n, i * n + i);
    const diagonal = a[i * n + i] ?? 0;
    for (let j = 0; j < i; j++) {
      let sum = 0;
      for (let k = j; k < i; k++) sum += (row[k] ?? 0) * (a[k * n + j] ?? 0);
      a[i * n + j] = -sum / diagonal;
    }
    a[i * n + i] = 1 / diagonal;
    a.fill(0, i * n + i + 1, (i + 1) * n);
  }
}
