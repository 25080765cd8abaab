import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { quotientPrecision } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type IntErrorShape, type IntErrorSource, intErrorOracle } from "./int_error.oracle.ts";

/** Schemes that one run measures at most. */
export const MAX_SCHEMES = 8;

/** Weights of a block: few enough for float32 sums to stay near 1e-7, many enough to leave little to read back. */
const ERROR_BLOCK = 256;

/** Blocks of an invocation that adds what the usual path left out. */
const REST_BLOCKS = 8;

/** Blocks of a workgroup of the form `workgroup`. */
const BLOCKS_PER_WORKGROUP = 2;

/** Words of a scheme's sums in a block. */
export const SCHEME_WORDS = 6;

/** Words before those of the first scheme. */
export const BLOCK_WORDS = 2;

/** Words of a scheme's set of levels that occur. */
export const LEVEL_WORDS = 8;

/** Words of the sums of a run. */
export function sumWords(elements: number, schemes: number): number {
  return Math.ceil(elements / ERROR_BLOCK) * (BLOCK_WORDS + SCHEME_WORDS * schemes);
}

/**
 * Sums of what quantizing and dequantizing loses under up to eight schemes, block by block; neither codes nor
 * reconstruction are written. Layout: head of `shaders/quant/int_error.wgsl`. The codes inside are exact, sums are float32.
 */
export const intError: Kernel<IntErrorSource, IntErrorShape> = {
  name: "quant/int_error",
  wgsl: shaderSource("quant/int_error"),
  variants: [
    {
      name: "workgroup",
      wgsl: shaderSource("quant/int_error.workgroup"),
      features: [],
      takes: ({ isPruned }) => !isPruned,
      workgroups: (_source, { elements }) => Math.ceil(elements / ERROR_BLOCK / BLOCKS_PER_WORKGROUP),
    },
  ],
  bindings: [
    { name: "original", access: "read" },
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "levels", access: "write" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: (source) => ({
    ELEMENT: ELEMENT_CODES[source.element],
    PRECISION: quotientPrecision(source),
    PRUNED: source.isPruned ? 1 : 0,
  }),
  uniforms: ({ elements, schemes }) => [
    elements,
    schemes.length,
    0,
    0,
    ...Array.from({ length: MAX_SCHEMES }, (_, number) => schemes[number]).flatMap((scheme) =>
      scheme ? [scheme.bits, scheme.symmetric ? 1 : 0, scheme.groupSize, scheme.first] : [0, 0, 1, 0],
    ),
  ],
  invocations: (_source, { elements }) => Math.ceil(elements / ERROR_BLOCK),
  rest: (_source, { elements }) => Math.ceil(elements / ERROR_BLOCK / REST_BLOCKS),
  wasm: (_source, { elements }) => [{ name: "int_error", pieces: Math.ceil(elements / ERROR_BLOCK) }],
  oracle: intErrorOracle,
};
