import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { elementsOf, type IntShape } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type IntDequantizeSource, intDequantizeOracle } from "./int_dequantize.oracle.ts";

/** Weights of one invocation: an even number, so that no two write the same word. */
const BLOCK = 128;

/** Weights that packed codes stand for, in the format of their scales. */
export const intDequantize: Kernel<IntDequantizeSource, IntShape> = {
  name: "quant/int_dequantize",
  wgsl: shaderSource("quant/int_dequantize"),
  bindings: [
    { name: "codes", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "weights", access: "write" },
  ],
  isExact: true,
  constants: ({ element, symmetric, storedBits, offset }) => ({
    ELEMENT: ELEMENT_CODES[element],
    SYMMETRIC: symmetric ? 1 : 0,
    STORED_BITS: storedBits,
    OFFSET: offset,
  }),
  uniforms: ({ streams, streamLength, groupSize }) => [streams, streamLength, groupSize],
  invocations: (_source, shape) => Math.ceil(elementsOf(shape) / BLOCK),
  wasm: (_source, shape) => [{ name: "int_dequantize", pieces: Math.ceil(elementsOf(shape) / BLOCK) }],
  oracle: intDequantizeOracle,
};
