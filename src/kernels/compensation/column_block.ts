import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type ColumnBlockShape, type ColumnBlockSource, columnBlockOracle } from "./column_block.oracle.ts";

/** Rows that a thread takes at once; `column_block.as.ts` has the same number. */
const ROWS_PER_PIECE = 4;

/** Pipeline constant `MASK`; shader and twin have the same numbers. */
const MASK_CODES = { none: 0, "n-of-m": 1, threshold: 2 } as const;

/**
 * Removes and rounds the weights of a block of columns, one column after the other; each lets those after it in the block make
 * up for its error. Rows are on their own. With w the weight as it stands, d the diagonal of U, and q what becomes of w (0 under
 * the mask, else the weight of its code, else w): err = (w − q) / d, and w' −= err · U of all columns after it.
 *
 * `weights` [rows, cols], float32, columns in their natural order: those of the block become q; `order` [cols], u32: the column
 * that is processed at each place; `factor` U [cols, cols], float32, upper triangular, rows and columns in the order of processing;
 * `scales` and `zero_points` as `quant/int_qparams` leaves them: the group of a column is row · groupsPerRow + ⌊column / groupSize⌋;
 * `errors` [rows, 128], float32: err of each place of the block; `losses` [rows], float32, to which err² / 2 is added. `cols` and
 * `first` are multiples of 4: the factor is read by vectors.
 *
 * Codes: RN(w / scale + zero point), clamped, in float32, ties to even; WGSL's division may be 2.5 ulp off, so that codes of
 * quotients that near to a tie are open there. Of equal scores the earlier goes. What becomes of a row with a NaN is open.
 * Source: LLM Compressor 0.14 `modifiers/gptq/gptq_quantize.py :: gptq_block_update` and
 * `modifiers/pruning/sparsegpt/sgpt_sparsify.py :: sparsify_weight`; both at once as in IST-DASLab `sparsegpt.py :: fasterprune`.
 */
export const columnBlock: Kernel<ColumnBlockSource, ColumnBlockShape> = {
  name: "compensation/column_block",
  wgsl: shaderSource("compensation/column_block"),
  bindings: [
    { name: "weights", access: "write" },
    { name: "order", access: "read" },
    { name: "factor", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "errors", access: "write" },
    { name: "losses", access: "write" },
  ],
  isExact: false,
  constants: ({ element, codes, mask }) => ({
    ELEMENT: ELEMENT_CODES[element],
    BITS: codes?.bits ?? 0,
    SYMMETRIC: codes?.symmetric === false ? 0 : 1,
    MASK: MASK_CODES[mask.kind],
    N: mask.kind === "n-of-m" ? mask.n : 0,
    M: mask.kind === "n-of-m" ? mask.m : 1,
  }),
  uniforms: ({ rows, cols, first, count, groupsPerRow, groupSize, threshold }) => [
    rows,
    cols,
    first,
    count,
    groupsPerRow,
    groupSize,
    float32Bits(threshold),
  ],
  invocations: (_source, { rows }) => rows,
  wasm: (_source, { rows }) => [{ name: "column_block", pieces: Math.ceil(rows / ROWS_PER_PIECE) }],
  oracle: columnBlockOracle,
};
