import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES, elementWords } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type ThresholdShape, type ThresholdSource, thresholdOracle } from "./threshold.oracle.ts";

const WORDS_PER_INVOCATION = 64;

/** Weights that a thread handles at once; `threshold.as.ts` has the same number. */
const WEIGHTS_PER_PIECE = 4096;

/**
 * Unstructured pruning: weights whose magnitude is at most the threshold become +0, so that equals go together; the others
 * are copied bit for bit. Infinity and NaN are larger than all others.
 *
 * `weights` [elements] → `pruned` [elements], of the same float format. A half word left over is 0.
 * Source of the rule: LLM Compressor 0.14 `modifiers/pruning/utils/pytorch/mask_factory.py :: unstructured_pruning`: kept
 * is what is larger than the k-th smallest.
 */
export const threshold: Kernel<ThresholdSource, ThresholdShape> = {
  name: "prune/threshold",
  wgsl: shaderSource("prune/threshold"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "pruned", access: "write" },
  ],
  isExact: true,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: ({ elements, threshold }) => [elements, threshold],
  invocations: ({ element }, { elements }) => Math.ceil(elementWords(elements, element) / WORDS_PER_INVOCATION),
  wasm: (_source, { elements }) => [{ name: "threshold", pieces: Math.ceil(elements / WEIGHTS_PER_PIECE) }],
  oracle: thresholdOracle,
};
