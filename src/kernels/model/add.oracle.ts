import { asFloats } from "../floats.ts";

/** Numbers of either register. */
export interface AddShape {
  readonly elements: number;
}

/** Sums in float64, rounded to float32. */
export function addOracle(
  _source: Record<string, never>,
  { elements }: AddShape,
  [source = new Uint32Array(), total = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [from, to] = [asFloats(source), asFloats(total)];
  for (let i = 0; i < elements; i++) to[i] = (to[i] ?? 0) + (from[i] ?? 0);
}
