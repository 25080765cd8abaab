import type { Kernel } from "../../device/kernel.ts";
import { codeOffset, type IntDequantizeSource, type IntShape } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { intDequantizeOracle } from "./int_dequantize.oracle.ts";

/** Weights of one invocation: a multiple of what a word holds, so that no two write the same word. */
const BLOCK = 128;

/** bf16 weights that packed codes and bf16 scales stand for. */
export const intDequantize: Kernel<IntDequantizeSource, IntShape> = {
  name: "quant/int_dequantize",
  wgsl: shaderSource("quant/int_dequantize"),
  bindings: [
    { name: "codes", access: "read" },
    { name: "scales", access: "read" },
    { name: "weights", access: "write" },
  ],
  isExact: true,
  constants: ({ bits, storage }) => ({ BITS: bits, OFFSET: codeOffset(bits, storage) }),
  uniforms: ({ groups, groupSize }) => [groups * groupSize, groupSize],
  invocations: (_source, { groups, groupSize }) => Math.ceil((groups * groupSize) / BLOCK),
  oracle: intDequantizeOracle,
};
