import type { Kernel } from "../../device/kernel.ts";
import { codeOffset, droppedBits, type IntQuantizeSource, type IntShape } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { intQuantizeOracle } from "./int_quantize.oracle.ts";

/** Weights of one invocation: a multiple of what a word holds, so that no two write the same word. */
const BLOCK = 128;

/** Codes of symmetric integer quantization, packed 32 / bits to a word, element 0 lowest. */
export const intQuantize: Kernel<IntQuantizeSource, IntShape> = {
  name: "quant/int_quantize",
  wgsl: shaderSource("quant/int_quantize"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "codes", access: "write" },
  ],
  isExact: true,
  constants: ({ bits, arithmetic, storage }) => ({
    BITS: bits,
    DROPPED_BITS: droppedBits(arithmetic),
    OFFSET: codeOffset(bits, storage),
  }),
  uniforms: ({ groups, groupSize }) => [groups * groupSize, groupSize],
  invocations: (_source, { groups, groupSize }) => Math.ceil((groups * groupSize) / BLOCK),
  oracle: intQuantizeOracle,
};

/** Words that hold `elements` codes of `bits` bits. */
export function codeWords(elements: number, bits: number): number {
  return Math.ceil((elements * bits) / 32);
}
