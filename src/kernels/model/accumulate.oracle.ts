import { asFloats } from "../floats.ts";

export interface AccumulateSource {
  /** Whether `total` is overwritten: the first of a layer's experts. */
  readonly isFirst: boolean;
}

export interface AccumulateShape {
  readonly rows: number;
  readonly width: number;
  /** Columns of the weights. */
  readonly experts: number;
  /** Whose output `source` is. */
  readonly expert: number;
}

/** Products and sums in float64, rounded to float32 in the end. */
export function accumulateOracle(
  { isFirst }: AccumulateSource,
  { rows, width, experts, expert }: AccumulateShape,
  [weights = new Uint32Array(), source = new Uint32Array(), total = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [factors, from, to] = [asFloats(weights), asFloats(source), asFloats(total)];
  for (let row = 0; row < rows; row++) {
    const factor = factors[row * experts + expert] ?? 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const own = factor === 0 ? 0 : factor * (from[i] ?? 0);
      to[i] = own + (isFirst ? 0 : (to[i] ?? 0));
    }
  }
}
