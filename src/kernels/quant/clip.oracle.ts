import { FLOAT_FORMATS, type FloatName } from "../../base/float-format.ts";
import { elementAt, setElement } from "../elements.ts";
import { asFloats } from "../floats.ts";

export interface ClipSource {
  readonly element: FloatName;
}

/** Groups of `groupSize` weights one after the other; the last may be shorter. */
export interface ClipShape {
  readonly elements: number;
  readonly groupSize: number;
}

/**
 * Weights clamped to ± the limit of their group, which is rounded to the format first.
 * Source: llm-awq `awq/quantize/auto_clip.py :: apply_clip`.
 */
export function clipOracle(
  { element }: ClipSource,
  { elements, groupSize }: ClipShape,
  [weights = new Uint32Array(), limits = new Uint32Array(), clipped = new Uint32Array()]: readonly Uint32Array[],
): void {
  const format = FLOAT_FORMATS[element];
  for (let at = 0; at < elements; at++) {
    const bits = elementAt(weights, at, element);
    const value = format.fromBits(bits);
    const limit = format.round(asFloats(limits)[Math.floor(at / groupSize)] ?? 0);
    // What stays, stays to the bit: a NaN has many.
    const kept = Math.abs(value) > limit ? format.toBits(Math.sign(value) * limit) : bits;
    setElement(clipped, at, kept, element);
  }
  if (elements % 2 === 1 && element !== "f32") setElement(clipped, elements, 0, element);
}
