import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type StructuredShape, type StructuredSource, structuredOracle } from "./structured.oracle.ts";

const WEIGHTS_PER_INVOCATION = 128;

/** Weights that a thread handles at once; `structured.as.ts` has the same number. */
const WEIGHTS_PER_PIECE = 4096;

/** 32-bit words of `doomed` for so many rows or columns. */
export function doomedWords(lines: number): number {
  return Math.ceil(lines / 32);
}

/**
 * Structured pruning: the weights of whole rows or columns become +0, the others are copied bit for bit. Which ones go is
 * the caller's choice.
 *
 * `weights` [elements / cols, cols]; `doomed` one bit per row (or column), bit `i % 32` of word `i / 32`, 1 where it goes →
 * `pruned` of the shape and float format of `weights`. A half word left over is 0.
 */
export const structured: Kernel<StructuredSource, StructuredShape> = {
  name: "prune/structured",
  wgsl: shaderSource("prune/structured"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "doomed", access: "read" },
    { name: "pruned", access: "write" },
  ],
  isExact: true,
  constants: ({ element, axis }) => ({ ELEMENT: ELEMENT_CODES[element], COLUMNS: axis === "columns" ? 1 : 0 }),
  uniforms: ({ elements, cols }) => [elements, cols],
  invocations: (_source, { elements }) => Math.ceil(elements / WEIGHTS_PER_INVOCATION),
  wasm: (_source, { elements }) => [{ name: "structured", pieces: Math.ceil(elements / WEIGHTS_PER_PIECE) }],
  oracle: structuredOracle,
};
