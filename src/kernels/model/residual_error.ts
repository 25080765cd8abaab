import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { rowStep } from "./pieces.ts";
import { type ResidualErrorShape, residualErrorOracle } from "./residual_error.oracle.ts";

/**
 * How far a variant's register has moved from the original's, row by row: `original` and `changed` float32 [rows, width] →
 * `sums` float32 [rows, 2], Σ (original − changed)² and Σ original² over each row. Squares must stay within float32.
 * Where a row of either holds an infinity or a NaN, its first sum is not finite; the second tells of the original alone. Sums
 * are taken in blocks of 64 numbers, and those in turn.
 */
export const residualError: Kernel<Record<string, never>, ResidualErrorShape> = {
  name: "model/residual_error",
  wgsl: shaderSource("model/residual_error"),
  bindings: [
    { name: "original", access: "read" },
    { name: "changed", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, width }) => [rows, width],
  invocations: (_source, { rows }) => rows,
  wasm: (_source, { rows, width }) => [rowStep("residual_error", rows, width)],
  oracle: residualErrorOracle,
};
