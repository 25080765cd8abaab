import type { FloatName } from "../../base/float-format.ts";
import { elementAt } from "../elements.ts";

/** What changes the program: the format of the weights, and which bits of the magnitude choose the bin. */
export type MagnitudeHistogramSource =
  | { readonly element: FloatName; readonly digit: "high" }
  | { readonly element: "f32"; readonly digit: "low" };

/** How many weights; and under `low`, the upper 15 bits of the magnitudes that count. */
export interface MagnitudeHistogramShape {
  readonly elements: number;
  readonly prefix: number;
}

/** Splits each magnitude by division. */
export function magnitudeHistogramOracle(
  { element, digit }: MagnitudeHistogramSource,
  { elements, prefix }: MagnitudeHistogramShape,
  [weights = new Uint32Array(), counts = new Uint32Array()]: readonly Uint32Array[],
): void {
  for (let index = 0; index < elements; index++) {
    const bits = elementAt(weights, index, element);
    const magnitude = element === "f32" ? bits % 2 ** 31 : bits % 2 ** 15;
    const high = element === "f32" ? Math.floor(magnitude / 2 ** 16) : magnitude;
    const bin = digit === "high" ? high : magnitude % 2 ** 16;
    if (digit === "high" || high === prefix) counts[bin] = (counts[bin] ?? 0) + 1;
  }
}
