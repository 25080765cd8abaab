import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";

export interface RotateShape {
  readonly rows: number;
  /** Columns of the register. */
  readonly width: number;
  /** First column of the first head. */
  readonly start: number;
  /** From the first column of one head to that of the next. */
  readonly stride: number;
  readonly heads: number;
  /** Pairs of columns of a head; columns beyond them stay. */
  readonly pairs: number;
  /** Whether column 2i goes with 2i + 1; else column i goes with i + pairs. */
  readonly isNeighbours: boolean;
}

/** Products and sums in float64, rounded to float32 in the end. */
export function rotateOracle(
  { rounding }: { readonly rounding: InnerRounding },
  { rows, width, start, stride, heads, pairs, isNeighbours }: RotateShape,
  [positions = new Uint32Array(), angles = new Uint32Array(), values = new Uint32Array()]: readonly Uint32Array[],
): void {
  const [turns, own] = [asFloats(angles), asFloats(values)];
  const round = (product: number) => (rounding === null ? product : FLOAT_FORMATS[rounding].round(product));
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      for (let pair = 0; pair < pairs; pair++) {
        const first = row * width + start + head * stride;
        const [one, other] = isNeighbours
          ? [first + 2 * pair, first + 2 * pair + 1]
          : [first + pair, first + pair + pairs];
        const at = 2 * ((positions[row] ?? 0) * pairs + pair);
        const [a, b, cos, sin] = [own[one] ?? 0, own[other] ?? 0, turns[at] ?? 0, turns[at + 1] ?? 0];
        own[one] = round(a * cos) - round(b * sin);
        own[other] = round(b * cos) + round(a * sin);
      }
    }
  }
}
