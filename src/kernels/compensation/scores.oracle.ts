import { asFloats } from "../floats.ts";
import type { BlockShape } from "./block.ts";

/** Score by score. */
export function scoresOracle(
  _source: Record<string, never>,
  { rows, cols, first, count }: BlockShape,
  [
    weights = new Uint32Array(),
    order = new Uint32Array(),
    factor = new Uint32Array(),
    scores = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const [w, u, found] = [asFloats(weights), asFloats(factor), asFloats(scores)];
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < count; k++) {
      const weight = w[row * cols + (order[first + k] ?? 0)] ?? 0;
      found[row * count + k] = scoreOf(weight, u[(first + k) * (cols + 1)] ?? 0);
    }
  }
}

/** w² / d² in float32 steps: what removing a weight costs at least (Frantar and Alistarh 2023, equation 3, without the half). */
export function scoreOf(weight: number, diagonal: number): number {
  return Math.fround(Math.fround(weight * weight) / Math.fround(diagonal * diagonal));
}
