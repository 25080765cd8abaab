import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";

/** What changes the program: the format of the weights. */
export interface ThresholdSource {
  readonly element: FloatName;
}

/** How many weights, and the largest magnitude that goes: an element's own bits without the sign. */
export interface ThresholdShape {
  readonly elements: number;
  readonly threshold: number;
}

/** Compares values in float64, which holds all three formats; NaN, which no value is smaller than, by its bits. */
export function thresholdOracle(
  { element }: ThresholdSource,
  { elements, threshold }: ThresholdShape,
  [weights = new Uint32Array(), pruned = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { fromBits, sizeBytes } = FLOAT_FORMATS[element];
  const limit = fromBits(threshold);
  for (let index = 0; index < elements; index++) {
    const bits = elementAt(weights, index, element);
    const value = Math.abs(fromBits(bits));
    const byBits = Number.isNaN(value) || Number.isNaN(limit);
    const goes = byBits ? bits % 2 ** (8 * sizeBytes - 1) <= threshold : value <= limit;
    setElement(pruned, index, goes ? 0 : bits, element);
  }
  if (element !== "f32" && elements % 2 === 1) setElement(pruned, elements, 0, element);
}
