import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type NOfMShape, type NOfMSource, nOfMOracle } from "./n_of_m.oracle.ts";

/** Groups of `m` that one invocation handles: an even number, so that it writes whole words. */
const GROUPS_PER_INVOCATION = 16;

/** Groups that a thread handles at once, for the same reason an even number; `n_of_m.as.ts` has the same. */
const GROUPS_PER_PIECE = 256;

/**
 * N:M pruning: of each `m` neighbours the `n` of smallest magnitude become +0, the others are copied bit for bit. Of equal
 * magnitudes the later one goes first; infinity and NaN are larger than all others. 0 ≤ n ≤ m ≤ 32.
 *
 * `weights` [elements], rows of a multiple of `m` one after the other → `pruned` [elements], of the same float format.
 * A half word left over is 0.
 * Source of the rule: LLM Compressor 0.14 `modifiers/pruning/wanda/wanda_sparsify.py` (`topk(metric, n, largest=False)`),
 * the magnitude alone as metric. Which of equals topk takes, torch leaves open.
 */
export const nOfM: Kernel<NOfMSource, NOfMShape> = {
  name: "prune/n_of_m",
  wgsl: shaderSource("prune/n_of_m"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "pruned", access: "write" },
  ],
  isExact: true,
  constants: ({ element, n, m }) => ({ ELEMENT: ELEMENT_CODES[element], N: n, M: m }),
  uniforms: ({ elements }) => [elements],
  invocations: ({ m }, { elements }) => Math.ceil(elements / (GROUPS_PER_INVOCATION * m)),
  wasm: ({ m }, { elements }) => [{ name: "n_of_m", pieces: Math.ceil(elements / (GROUPS_PER_PIECE * m)) }],
  oracle: nOfMOracle,
};
