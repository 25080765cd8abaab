import { FLOAT_FORMATS } from "../../base/float-format.ts";
import { asFloats } from "../floats.ts";
import type { AttentionShape, HeadColumns } from "./attention.oracle.ts";

export interface AttentionRoundedSource {
  readonly softCap: number;
  readonly rounding: "bf16" | "f16";
}

/** As that of `model/attention`. */
export type AttentionRoundedShape = Omit<AttentionShape, "capacity">;

/** Row by row and head by head, in float64 between the roundings. */
export function attentionRoundedOracle(
  source: AttentionRoundedSource,
  shape: AttentionRoundedShape,
  buffers: readonly Uint32Array[],
): void {
  attendRounded(source, shape, buffers, 1);
}

/** The same, every probability multiplied with `factor` before it is rounded. */
export function attendRounded(
  { softCap, rounding }: AttentionRoundedSource,
  { firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale, window }: AttentionRoundedShape,
  [positions = new Uint32Array(), ...registers]: readonly Uint32Array[],
  factor: number,
): void {
  const [q, k, v, outputs] = registers.map(asFloats) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const { round } = FLOAT_FORMATS[rounding];
  const scoreOf = (product: number) => {
    const score = round(round(product) * Math.fround(scale));
    return softCap === 0 ? score : round(round(Math.tanh(round(score / softCap))) * softCap);
  };
  const at = (columns: HeadColumns, row: number, head: number) =>
    row * columns.width + columns.start + head * columns.stride;
  for (let row = firstRow; row < firstRow + rowCount; row++) {
    const above = Math.min(positions[row] ?? 0, window === 0 ? Number.POSITIVE_INFINITY : window - 1);
    const keys = Array.from({ length: above + 1 }, (_, index) => row - above + index);
    for (let head = 0; head < heads; head++) {
      const keyHead = Math.floor((head * keyHeads) / heads);
      const scores = keys.map((other) => {
        const [one, two] = [at(query, row, head), at(key, other, keyHead)];
        let product = 0;
        for (let i = 0; i < dim; i++) product += (q[one + i] ?? 0) * (k[two + i] ?? 0);
        return scoreOf(product);
      });
      const highest = Math.max(...scores);
      const weights = scores.map((score) => Math.exp(score - highest));
      const sum = weights.reduce((total, weight) => total + weight, 0);
      const probabilities = weights.map((weight) => round((weight / sum) * factor));
      for (let i = 0; i < dim; i++) {
        let total = 0;
        for (const [index, other] of keys.entries()) {
          total += (probabilities[index] ?? 0) * (v[at(value, other, keyHead) + i] ?? 0);
        }
        outputs[(row * heads + head) * dim + i] = total;
      }
    }
  }
}
