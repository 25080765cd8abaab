import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";

export interface NormSource {
  /** By the root mean square, or by mean and variance. */
  readonly form: "rms" | "layer";
  /** Of a normalized number before it is multiplied with its weight. */
  readonly rounding: InnerRounding;
}

export interface NormShape {
  /** Parts that are normalized each by itself: rows times the pieces of a row. */
  readonly pieces: number;
  /** Numbers of a piece. */
  readonly width: number;
  /** Added to the mean of squares. */
  readonly epsilon: number;
  /** Added to each weight. */
  readonly offset: number;
}

/** In float64, rounded to float32 in the end; epsilon is a float32. */
export function normOracle(
  { form, rounding }: NormSource,
  { pieces, width, epsilon, offset }: NormShape,
  buffers: readonly Uint32Array[],
): void {
  const [inputs, weight, bias, outputs] = buffers.map(asFloats) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  for (let piece = 0; piece < pieces; piece++) {
    const own = [...inputs.subarray(piece * width, (piece + 1) * width)];
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / width;
    const center = form === "layer" ? mean(own) : 0;
    const root = Math.sqrt(mean(own.map((x) => (x - center) ** 2)) + Math.fround(epsilon));
    for (const [i, x] of own.entries()) {
      const exact = (x - center) / root;
      const normal = rounding === null ? exact : FLOAT_FORMATS[rounding].round(exact);
      outputs[piece * width + i] = normal * ((weight[i] ?? 0) + offset) + (form === "layer" ? (bias[i] ?? 0) : 0);
    }
  }
}
