import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import type { BlockShape } from "./block.ts";
import { trailingUpdateOracle } from "./trailing_update.oracle.ts";

/** Rows and columns that one invocation updates. */
const TILE = 4;

/** Columns that a thread updates at once; `trailing_update.as.ts` has the same number. */
const COLUMNS_PER_PIECE = 16;

/**
 * Lets the columns after a block make up for its errors: W[row, order[c]] −= Σₖ errors[row, k] · U[first + k, c] for all places c
 * of the order from first + count on.
 *
 * `errors` [rows, 128] as `compensation/column_block` leaves them; `order` [cols], u32; `factor` U [cols, cols], float32, upper
 * triangular, in the order of processing; `weights` [rows, cols], float32, columns in their natural order, changed in place. `cols`,
 * `first` and `count` are multiples of 4: the factor is read by vectors.
 * Source: Frantar et al. 2023, "GPTQ", algorithm 1; LLM Compressor 0.14 `modifiers/gptq/gptq_quantize.py`, `W[:, :, i2:] -= w_err`.
 */
export const trailingUpdate: Kernel<Record<string, never>, BlockShape> = {
  name: "compensation/trailing_update",
  wgsl: shaderSource("compensation/trailing_update"),
  bindings: [
    { name: "errors", access: "read" },
    { name: "order", access: "read" },
    { name: "factor", access: "read" },
    { name: "weights", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, cols, first, count }) => [rows, cols, first, count],
  invocations: (_source, shape) => Math.ceil(shape.rows / TILE) * Math.ceil(columnsAfter(shape) / TILE),
  wasm: (_source, shape) => [{ name: "trailing_update", pieces: Math.ceil(columnsAfter(shape) / COLUMNS_PER_PIECE) }],
  oracle: trailingUpdateOracle,
};

/** Columns that are updated. */
function columnsAfter({ cols, first, count }: BlockShape): number {
  return cols - first - count;
}
