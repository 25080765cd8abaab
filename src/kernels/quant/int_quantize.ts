import { type Kernel, WORKGROUP_SIZE } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { type IntShape, quotientPrecision } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { type IntQuantizeSource, intQuantizeOracle } from "./int_quantize.oracle.ts";

/** Weights of one invocation: a multiple of 32, so that no two write the same word whatever the width. */
const BLOCK = 128;

/** Codes of integer quantization, packed densely, stream by stream. Layout: head of `shaders/quant/int_quantize.wgsl`. */
export const intQuantize: Kernel<IntQuantizeSource, IntShape> = {
  name: "quant/int_quantize",
  wgsl: shaderSource("quant/int_quantize"),
  variants: [
    {
      name: "coalesced",
      wgsl: shaderSource("quant/int_quantize.coalesced"),
      features: [],
      // Eight codes of these widths fill words of their own.
      takes: ({ storedBits }) => storedBits === 4 || storedBits === 8,
      workgroups: (_source, { streams, streamLength }) =>
        Math.ceil((streams * Math.ceil(streamLength / 8)) / WORKGROUP_SIZE),
    },
  ],
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "codes", access: "write" },
  ],
  isExact: true,
  constants: (source) => ({
    ELEMENT: ELEMENT_CODES[source.element],
    BITS: source.bits,
    SYMMETRIC: source.symmetric ? 1 : 0,
    PRECISION: quotientPrecision(source),
    STORED_BITS: source.storedBits,
    OFFSET: source.offset,
  }),
  uniforms: ({ streams, streamLength, groupSize }) => [streams, streamLength, groupSize],
  invocations: (_source, { streams, streamLength }) => streams * Math.ceil(streamLength / BLOCK),
  wasm: (_source, { streams, streamLength }) => [
    { name: "int_quantize", pieces: streams * Math.ceil(streamLength / BLOCK) },
  ],
  oracle: intQuantizeOracle,
};
