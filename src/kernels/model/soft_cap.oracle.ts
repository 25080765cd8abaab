import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";

export interface SoftCapShape {
  readonly elements: number;
  /** Above 0. */
  readonly cap: number;
}

/** In float64, rounded where it is asked for and to float32 in the end. */
export function softCapOracle(
  { rounding }: { readonly rounding: InnerRounding },
  { elements, cap }: SoftCapShape,
  [values = new Uint32Array()]: readonly Uint32Array[],
): void {
  const own = asFloats(values);
  const round = (value: number) => (rounding === null ? value : FLOAT_FORMATS[rounding].round(value));
  for (let i = 0; i < elements; i++) own[i] = cap * round(Math.tanh(round((own[i] ?? 0) / cap)));
}
