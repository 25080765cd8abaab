import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { rowChunks, rowStep } from "./pieces.ts";
import { type ScatterRowsShape, scatterRowsOracle } from "./scatter_rows.oracle.ts";

/**
 * Puts rows where a list says: row targets[r] of `destination` becomes row r of `source`, bit for bit; the others stay. This is
 * how the keys and values of new tokens come into their caches. `targets` u32 [rows], no two the same, each a row of
 * `destination`; `source` [rows, width] and `destination` [any number of rows, width] of float32 or other words, in two buffers;
 * `width` a multiple of 4.
 */
export const scatterRows: Kernel<Record<string, never>, ScatterRowsShape> = {
  name: "model/scatter_rows",
  wgsl: shaderSource("model/scatter_rows"),
  bindings: [
    { name: "targets", access: "read" },
    { name: "source", access: "read" },
    { name: "destination", access: "write" },
  ],
  isExact: true,
  constants: () => ({}),
  uniforms: ({ rows, width }) => [rows, width],
  invocations: (_source, { rows, width }) => rowChunks(rows, width),
  wasm: (_source, { rows, width }) => [rowStep("scatter_rows", rows, width)],
  oracle: scatterRowsOracle,
};
