import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type ClipShape, type ClipSource, clipOracle } from "./clip.oracle.ts";

/** Weights of one invocation: an even number, so that no two write the same word. */
const BLOCK = 32;

/**
 * Weights clamped to the limit of their group: `weights` elements, `limits` float32 of 0 or more, one a group, as
 * `quant/clip_search` writes them (others are rounded to the weights' format first) → `clipped` elements. A NaN stays.
 */
export const clip: Kernel<ClipSource, ClipShape> = {
  name: "quant/clip",
  wgsl: shaderSource("quant/clip"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "limits", access: "read" },
    { name: "clipped", access: "write" },
  ],
  isExact: true,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: ({ elements, groupSize }) => [elements, groupSize],
  invocations: (_source, { elements }) => Math.ceil(elements / BLOCK),
  wasm: (_source, { elements }) => [{ name: "clip", pieces: Math.ceil(elements / BLOCK) }],
  oracle: clipOracle,
};
