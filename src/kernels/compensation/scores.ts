import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import type { BlockShape } from "./block.ts";
import { scoresOracle } from "./scores.oracle.ts";

/** Scores of one invocation, and rows that a thread takes at once; `scores.as.ts` has the latter too. */
const SCORES_PER_INVOCATION = 16;
const ROWS_PER_PIECE = 16;

/**
 * What the removal of each weight of a block costs: w² / d², with d the diagonal of the factor.
 *
 * `weights` [rows, cols], float32, columns in their natural order; `order` [cols], u32: the column that is processed at each place;
 * `factor` U [cols, cols], float32, upper triangular, rows and columns in the order of processing → `scores` [rows, count],
 * float32, in the order of processing too.
 * Source: LLM Compressor 0.14 `modifiers/pruning/sparsegpt/sgpt_sparsify.py`, `W1**2 / diag(Hinv1)**2`.
 */
export const scores: Kernel<Record<string, never>, BlockShape> = {
  name: "compensation/scores",
  wgsl: shaderSource("compensation/scores"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "order", access: "read" },
    { name: "factor", access: "read" },
    { name: "scores", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, cols, first, count }) => [rows, cols, first, count],
  invocations: (_source, { rows, count }) => Math.ceil((rows * count) / SCORES_PER_INVOCATION),
  wasm: (_source, { rows }) => [{ name: "scores", pieces: Math.ceil(rows / ROWS_PER_PIECE) }],
  oracle: scoresOracle,
};
