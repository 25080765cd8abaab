import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type WidenShape, type WidenSource, widenOracle } from "./widen.oracle.ts";

/** Weights that one invocation widens where they stay in their order. */
const PER_INVOCATION = 64;

/** Rows and columns of the block that one invocation transposes. */
const BLOCK_ROWS = 4;
const BLOCK_COLUMNS = 8;

/** Weights, or columns where they are transposed, that a thread widens at once. */
const WEIGHTS_PER_PIECE = 8192;
const COLUMNS_PER_PIECE = 16;

/**
 * Stored weights as float32, bit for bit: `weights` [rows, cols] of a float format, packed as in `kernels/elements.ts` →
 * `wide` float32 [rows, cols], or [cols, rows] where they are transposed. The payload of a NaN moves with its other bits.
 */
export const widen: Kernel<WidenSource, WidenShape> = {
  name: "model/widen",
  wgsl: shaderSource("model/widen"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "wide", access: "write" },
  ],
  isExact: true,
  constants: ({ element, isTransposed }) => ({ ELEMENT: ELEMENT_CODES[element], TRANSPOSED: isTransposed ? 1 : 0 }),
  uniforms: ({ rows, cols }) => [rows, cols],
  invocations: ({ isTransposed }, { rows, cols }) =>
    isTransposed
      ? Math.ceil(rows / BLOCK_ROWS) * Math.ceil(cols / BLOCK_COLUMNS)
      : Math.ceil((rows * cols) / PER_INVOCATION),
  wasm: ({ isTransposed }, { rows, cols }) => [
    isTransposed
      ? { name: "widen", extra: [COLUMNS_PER_PIECE], pieces: Math.ceil(cols / COLUMNS_PER_PIECE) }
      : { name: "widen", extra: [WEIGHTS_PER_PIECE], pieces: Math.ceil((rows * cols) / WEIGHTS_PER_PIECE) },
  ],
  oracle: widenOracle,
};
