import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type JoinRowsShape, joinRowsOracle } from "./join_rows.oracle.ts";
import { rowsStep } from "./span.ts";

/** Rows that a thread looks through at once: the beginning of a window among them makes the window its own. */
const ROWS_PER_STEP = 256;

/**
 * Extremes of whole windows: `extremes` [rows, 2] of each row, as `activations/extremes` writes them for one piece a row,
 * `positions` u32 [rows], the place of a row in its window, `joined` [rows, 2], for each row those of its window. The rows of
 * a window are neighbours; place 0 begins one, and so does the first row. compressed-tensors takes one scale for a whole
 * sample where it rounds activations per tensor (`quantization/utils/helpers.py :: compute_dynamic_scales_and_zp`).
 */
export const joinRows: Kernel<Record<string, never>, JoinRowsShape> = {
  name: "activations/join_rows",
  wgsl: shaderSource("activations/join_rows"),
  bindings: [
    { name: "extremes", access: "read" },
    { name: "positions", access: "read" },
    { name: "joined", access: "write" },
  ],
  isExact: true,
  constants: () => ({}),
  uniforms: ({ rows }) => [rows],
  invocations: (_source, { rows }) => rows,
  wasm: (_source, { rows }) => [rowsStep("join_rows", rows, ROWS_PER_STEP)],
  oracle: joinRowsOracle,
};
