import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type EmbedShape, type EmbedSource, embedOracle } from "./embed.oracle.ts";
import { rowChunks, rowStep } from "./pieces.ts";

/**
 * Looks tokens up in a part of an embedding: `tokens` u32 [rows], `table` float32 [count, width], rows `first` and after of
 * the embedding → `hidden` float32 [rows, width]. Where a row's token lies in the part, the row becomes scale · table row, or
 * with `adds` gets it added; other rows stay, so that parts may follow one another in any order.
 */
export const embed: Kernel<EmbedSource, EmbedShape> = {
  name: "model/embed",
  wgsl: shaderSource("model/embed"),
  bindings: [
    { name: "tokens", access: "read" },
    { name: "table", access: "read" },
    { name: "hidden", access: "write" },
  ],
  isExact: false,
  constants: ({ adds }) => ({ ADDS: adds ? 1 : 0 }),
  uniforms: ({ rows, width, first, count, scale }) => [rows, width, first, count, float32Bits(scale)],
  invocations: (_source, { rows, width }) => rowChunks(rows, width),
  wasm: (_source, { rows, width }) => [rowStep("embed", rows, width)],
  oracle: embedOracle,
};
