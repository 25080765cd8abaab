import { FLOAT_FORMATS } from "../../base/float-format.ts";
import type { InnerRounding } from "../elements.ts";
import { asFloats } from "../floats.ts";

/** `gelu` with the error function, `gelu-tanh` with its approximation. */
export type Activation = "silu" | "gelu" | "gelu-tanh" | "relu";

export interface GateSource {
  readonly activation: Activation;
  /** Whether the activation is multiplied with `up`. */
  readonly isGated: boolean;
  /** Of the activation before the product. */
  readonly rounding: InnerRounding;
}

/** Where an input lies in its register: row r from r · stride + start on. */
export interface GatePlace {
  readonly stride: number;
  readonly start: number;
}

export interface GateShape {
  readonly rows: number;
  readonly width: number;
  readonly gate: GatePlace;
  readonly up: GatePlace;
}

/** In float64, rounded to float32 in the end. */
export function gateOracle(
  { activation, isGated, rounding }: GateSource,
  { rows, width, gate, up }: GateShape,
  buffers: readonly Uint32Array[],
): void {
  const [gates, ups, outputs] = buffers.map(asFloats) as [Float32Array, Float32Array, Float32Array];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      const exact = activated(gates[row * gate.stride + gate.start + column] ?? 0, activation);
      const own = rounding === null ? exact : FLOAT_FORMATS[rounding].round(exact);
      const factor = isGated ? (ups[row * up.stride + up.start + column] ?? 0) : 1;
      outputs[row * width + column] = own * factor;
    }
  }
}

function activated(x: number, activation: Activation): number {
  if (activation === "relu") return Math.max(x, 0);
  if (activation === "silu") return x / (1 + Math.exp(-x));
  if (activation === "gelu") return x < 0 ? x * normalTail(-x) : x * (1 - normalTail(x));
  // 1 + tanh(u) in a form that keeps its digits where it is small.
  return x / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

/**
 * The probability that a standard normal number is larger than x ≥ 0: half of erfc(x / √2). Abramowitz and Stegun, 26.2.11
 * (all terms of one sign) near 0, and the continued fraction 26.2.14 elsewhere.
 */
export function normalTail(x: number): number {
  if (!Number.isFinite(x)) return x > 0 ? 0 : x;
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let [sum, term] = [0, x];
    for (let odd = 3; odd < 120; odd += 2) {
      sum += term;
      term *= (x * x) / odd;
    }
    return 0.5 - density * sum;
  }
  let fraction = x;
  for (let i = 200; i > 0; i--) fraction = x + i / fraction;
  return density / fraction;
}
