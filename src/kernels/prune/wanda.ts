import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type WandaShape, type WandaSource, wandaOracle } from "./wanda.oracle.ts";

/** Groups of `m` that one invocation handles: an even number, so that it writes whole words. */
const GROUPS_PER_INVOCATION = 16;

/** Groups that a thread handles at once, for the same reason an even number; `wanda.as.ts` has the same. */
const GROUPS_PER_PIECE = 256;

/**
 * Wanda: of each `m` neighbours of a row the `n`, or of each row the `perRow`, whose scores RN_f32(|w| · importance) are the
 * smallest become +0; the others are copied bit for bit. Of equal scores the earlier goes first; infinity is larger than all
 * numbers, and a score that is not a number (of a NaN, or 0 · ∞) larger still. 0 ≤ n ≤ m ≤ 32.
 *
 * `weights` [rows, cols] of a float format; `importance` float32 [cols], √ of the mean of ‖x‖² per sequence, never negative →
 * `pruned` of the shape and format of `weights`. A half word left over is 0.
 * Source: LLM Compressor 0.14 `modifiers/pruning/wanda/wanda_sparsify.py :: sparsify_weight`: a stable sort of each row, and
 * for n-of-m topk, of which torch leaves open which of equals it takes.
 */
export const wanda: Kernel<WandaSource, WandaShape> = {
  name: "prune/wanda",
  wgsl: shaderSource("prune/wanda"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "importance", access: "read" },
    { name: "pruned", access: "write" },
  ],
  isExact: true,
  constants: ({ element, structure }) => ({ ELEMENT: ELEMENT_CODES[element], ...structureCodes(structure) }),
  uniforms: ({ rows, cols, perRow }) => [rows, cols, perRow],
  invocations: wandaInvocations,
  rest: wandaInvocations,
  wasm: ({ element, structure }, { rows, cols }) => [
    {
      name: "wanda",
      pieces:
        structure.kind === "share"
          ? Math.ceil(rows / rowsAtOnce(element, cols))
          : Math.ceil((rows * cols) / (GROUPS_PER_PIECE * structure.m)),
    },
  ],
  oracle: wandaOracle,
};

/** `M` 0: a share of each row. */
function structureCodes(structure: WandaSource["structure"]): { readonly N: number; readonly M: number } {
  return structure.kind === "share" ? { N: 0, M: 0 } : { N: structure.n, M: structure.m };
}

function wandaInvocations({ element, structure }: WandaSource, { rows, cols }: WandaShape): number {
  return structure.kind === "share"
    ? Math.ceil(rows / rowsAtOnce(element, cols))
    : Math.ceil((rows * cols) / (GROUPS_PER_INVOCATION * structure.m));
}

/** Rows that one invocation or thread handles at once: two where the last weight of one and the first of the next share a word. */
function rowsAtOnce(element: WandaSource["element"], cols: number): number {
  return element !== "f32" && cols % 2 === 1 ? 2 : 1;
}
