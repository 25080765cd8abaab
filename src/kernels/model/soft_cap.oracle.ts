import { asFloats } from "../floats.ts";

export interface SoftCapShape {
  readonly elements: number;
  /** Above 0. */
  readonly cap: number;
}

/** In float64, rounded to float32 in the end. */
export function softCapOracle(
  _source: Record<string, never>,
  { elements, cap }: SoftCapShape,
  [values = new Uint32Array()]: readonly Uint32Array[],
): void {
  const own = asFloats(values);
  for (let i = 0; i < elements; i++) own[i] = cap * Math.tanh((own[i] ?? 0) / cap);
}
