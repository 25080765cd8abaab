import { asFloats } from "../floats.ts";

export interface ResidualErrorShape {
  readonly rows: number;
  readonly width: number;
}

/** Differences and sums in float64, rounded to float32 in the end. */
export function residualErrorOracle(
  _source: Record<string, never>,
  { rows, width }: ResidualErrorShape,
  [original = new Uint32Array(), changed = new Uint32Array(), sums = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [a, b, found] = [asFloats(original), asFloats(changed), asFloats(sums)];
  for (let row = 0; row < rows; row++) {
    let error = 0;
    let energy = 0;
    for (let at = row * width; at < (row + 1) * width; at++) {
      error += ((a[at] ?? 0) - (b[at] ?? 0)) ** 2;
      energy += (a[at] ?? 0) ** 2;
    }
    found[2 * row] = error;
    found[2 * row + 1] = energy;
  }
}
