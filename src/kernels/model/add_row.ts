import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type AddRowShape, addRowOracle } from "./add_row.oracle.ts";
import { rowChunks, rowStep } from "./pieces.ts";

/** `total` [rows, width] += `row` [width], the same for each row, float32: the bias of a linear layer. */
export const addRow: Kernel<Record<string, never>, AddRowShape> = {
  name: "model/add_row",
  wgsl: shaderSource("model/add_row"),
  bindings: [
    { name: "row", access: "read" },
    { name: "total", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, width }) => [rows, width],
  invocations: (_source, { rows, width }) => rowChunks(rows, width),
  wasm: (_source, { rows, width }) => [rowStep("add_row", rows, width)],
  oracle: addRowOracle,
};
