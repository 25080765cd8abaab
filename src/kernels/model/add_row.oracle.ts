import { asFloats } from "../floats.ts";

export interface AddRowShape {
  readonly rows: number;
  readonly width: number;
}

/** Sums in float64, rounded to float32. */
export function addRowOracle(
  _source: Record<string, never>,
  { rows, width }: AddRowShape,
  [row = new Uint32Array(), total = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [from, to] = [asFloats(row), asFloats(total)];
  for (let i = 0; i < rows * width; i++) to[i] = (to[i] ?? 0) + (from[i % width] ?? 0);
}
