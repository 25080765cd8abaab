import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type GramShape, gramOracle } from "./gram.oracle.ts";

/** Rows of the result that one invocation computes, and half as many as its columns. */
const TILE_ROWS = 4;

/** Rows and columns of the result that a thread computes at once; `gram.as.ts` has the same number. */
const PANEL = 32;

/**
 * Adds the Gram matrix Xᵀ X of some tokens to what others left: the Hessian of a layer's squared error, but for a factor.
 *
 * `inputs` X [.., width], float32, of which `rows` rows from `firstRow` on count; `totals` [2, width, width], float32: the sums
 * so far as high parts, then low parts (a sum is high + low; zeros to begin with). Both are symmetric: only places whose column
 * is not beyond their row are changed. Products of up to 64 tokens are summed in float32, and that sum is added by a
 * compensated addition (TwoSum: Knuth, "The Art of Computer Programming" 2, theorem 4.2.2 B), so that thousands of calls lose no
 * more than one does. A total that leaves float32 becomes NaN or infinite.
 * Source of the use: LLM Compressor 0.14 `modifiers/gptq/gptq_quantize.py`, Hessian H = 2 X Xᵀ with tokens as columns.
 */
export const gram: Kernel<Record<string, never>, GramShape> = {
  name: "linear/gram",
  wgsl: shaderSource("linear/gram"),
  bindings: [
    { name: "inputs", access: "read" },
    { name: "totals", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, width, firstRow }) => [rows, width, firstRow],
  // Row r of the tiles and the last but r stand in one row of the dispatch.
  invocations: (_source, { width }) => {
    const rows = width / TILE_ROWS;
    return Math.ceil(rows / 2) * (Math.ceil(rows / 2) + 1);
  },
  wasm: (_source, { width }) => {
    const panels = Math.ceil(width / PANEL);
    return [{ name: "gram", pieces: (panels * (panels + 1)) / 2 }];
  },
  oracle: gramOracle,
};
