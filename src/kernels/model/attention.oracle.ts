import { asFloats } from "../floats.ts";

/** Where the heads of a register lie: head h has the columns from start + h · stride on. All are multiples of 4. */
export interface HeadColumns {
  /** Columns of the register. */
  readonly width: number;
  readonly start: number;
  readonly stride: number;
}

/** What changes only the run. */
export interface AttentionShape {
  /** The rows that are computed: `rowCount` of them. Without a capacity keys and values of rows above them are read too. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** Query heads, a multiple of `keyHeads`. */
  readonly heads: number;
  readonly keyHeads: number;
  /** Columns of a head, a multiple of 4. */
  readonly dim: number;
  readonly query: HeadColumns;
  readonly key: HeadColumns;
  readonly value: HeadColumns;
  /** What products of query and key are multiplied with. */
  readonly scale: number;
  /** Rows that a row sees, itself among them; 0: all above it. */
  readonly window: number;
  /** Rows of each prompt's cache of keys and values; 0: keys and values lie beside the queries, row by row. */
  readonly capacity: number;
}

/** Row by row and head by head, in float64. */
export function attentionOracle(
  { softCap }: { readonly softCap: number },
  { firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale, window, capacity }: AttentionShape,
  [positions = new Uint32Array(), ...registers]: readonly Uint32Array[],
): void {
  const [q, k, v, outputs] = registers.map(asFloats) as [Float32Array, Float32Array, Float32Array, Float32Array];
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    const place = positions[row] ?? 0;
    const above = Math.min(place, window === 0 ? Number.POSITIVE_INFINITY : window - 1);
    const first = (capacity === 0 ? row : row * capacity + place) - above;
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor((head * keyHeads) / heads);
      const at = (columns: HeadColumns, from: number, which: number) =>
        from * columns.width + columns.start + which * columns.stride;
      const scores = Array.from({ length: above + 1 }, (_, index) => {
        const [one, other] = [at(query, row, head), at(key, first + index, keyHead)];
        let product = 0;
        for (let i = 0; i < dim; i++) product += (q[one + i] ?? 0) * (k[other + i] ?? 0);
        return softCap === 0 ? product * scale : softCap * Math.tanh((product * scale) / softCap);
      });
      const highest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - highest));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      for (let i = 0; i < dim; i++) {
        let total = 0;
        for (const [index, weight] of weights.entries()) {
          total += weight * (v[at(value, first + index, keyHead) + i] ?? 0);
        }
        outputs[(row * heads + head) * dim + i] = total / sum;
      }
    }
  }
}
