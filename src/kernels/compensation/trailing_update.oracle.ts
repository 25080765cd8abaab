import { asFloats } from "../floats.ts";
import { BLOCK_COLUMNS, type BlockShape } from "./block.ts";

/** Weight by weight; the sum in float64. */
export function trailingUpdateOracle(
  _source: Record<string, never>,
  { rows, cols, first, count }: BlockShape,
  [
    errors = new Uint32Array(),
    order = new Uint32Array(),
    factor = new Uint32Array(),
    weights = new Uint32Array(),
  ]: readonly Uint32Array[],
): void {
  const [e, u, w] = [asFloats(errors), asFloats(factor), asFloats(weights)];
  for (let row = 0; row < rows; row++) {
    for (let place = first + count; place < cols; place++) {
      let sum = 0;
      for (let k = 0; k < count; k++) {
        sum += (e[row * BLOCK_COLUMNS + k] ?? 0) * (u[(first + k) * cols + place] ?? 0);
      }
      const at = row * cols + (order[place] ?? 0);
      w[at] = (w[at] ?? 0) - Math.fround(sum);
    }
  }
}
