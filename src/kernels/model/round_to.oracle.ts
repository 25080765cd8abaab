import { FLOAT_FORMATS, float32Bits, float32Of } from "../../base/float-format.ts";

export interface RoundToSource {
  /** Whose values are rounded to. */
  readonly element: "bf16" | "f16";
}

export interface RoundToShape {
  readonly elements: number;
}

/** By the exact formats of `base`. */
export function roundToOracle(
  { element }: RoundToSource,
  { elements }: RoundToShape,
  [values = new Uint32Array()]: readonly Uint32Array[],
): void {
  const { round } = FLOAT_FORMATS[element];
  for (let i = 0; i < elements; i++) {
    const value = float32Of(values[i] ?? 0);
    values[i] = Number.isNaN(value) ? 0x7fc00000 : float32Bits(round(value));
  }
}
