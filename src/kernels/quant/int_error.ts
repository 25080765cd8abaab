import type { Kernel } from "../../device/kernel.ts";
import { droppedBits, type IntShape, type IntSource } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { intErrorOracle } from "./int_error.oracle.ts";

/** Weights of a segment: few enough for float32 sums to stay near 1e-7, many enough to leave little to read back. */
export const ERROR_SEGMENT = 128;

/** 32-bit words that a segment's sums take. */
export const ERROR_WORDS = 6;

/** Segments of `groupSize` weights. */
export function segmentsPerGroup(groupSize: number): number {
  return Math.ceil(groupSize / ERROR_SEGMENT);
}

/**
 * Sums of what quantizing and dequantizing loses, per segment of at most 128 weights; neither codes nor reconstruction are
 * written. Layout: head of `shaders/quant/int_error.wgsl`. The codes inside are exact, the sums are float32.
 */
export const intError: Kernel<IntSource, IntShape> = {
  name: "quant/int_error",
  wgsl: shaderSource("quant/int_error"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: ({ bits, arithmetic }) => ({ BITS: bits, DROPPED_BITS: droppedBits(arithmetic) }),
  uniforms: ({ groups, groupSize }) => [groups, groupSize],
  invocations: (_source, { groups, groupSize }) => groups * segmentsPerGroup(groupSize),
  oracle: intErrorOracle,
};
