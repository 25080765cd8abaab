import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { packColumnsOracle } from "./pack_columns.oracle.ts";

/** Rows that fill whole words whatever the width: packing may be done in bands of a multiple of them. */
export const PACK_ROWS = 32;

/** Signed bytes [rows, cols] packed along the columns into [ceil(rows · bits / 32), cols] words: zero points on disk. */
export const packColumns: Kernel<{ readonly bits: number }, { readonly rows: number; readonly cols: number }> = {
  name: "quant/pack_columns",
  wgsl: shaderSource("quant/pack_columns"),
  bindings: [
    { name: "values", access: "read" },
    { name: "packed", access: "write" },
  ],
  isExact: true,
  constants: ({ bits }) => ({ BITS: bits }),
  uniforms: ({ rows, cols }) => [rows, cols],
  invocations: (_source, { rows, cols }) => Math.ceil(rows / PACK_ROWS) * cols,
  wasm: (_source, { rows }) => [{ name: "pack_columns", pieces: Math.ceil(rows / PACK_ROWS) }],
  oracle: packColumnsOracle,
};
