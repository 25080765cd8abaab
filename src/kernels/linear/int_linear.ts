import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type IntLinearShape, type IntLinearSource, intLinearOracle } from "./int_linear.oracle.ts";
import { COLUMNS_PER_PIECE, TILE_COLUMNS } from "./linear.ts";

/** Rows of y that one invocation computes. */
const TILE_ROWS = 8;

/**
 * A linear layer without bias whose weights are packed integer codes: y = x Wᵀ. W [n, k] as `quant/int_quantize`
 * stores it, a stream a row, each weight as `quant/int_dequantize` restores it, rounded to the scales' format; `inputs` x
 * and `outputs` y in float32, and the part of them that is read and written, as `linear/linear` has them. k is
 * `streamLength`, n is `streams`.
 */
export const intLinear: Kernel<IntLinearSource, IntLinearShape> = {
  name: "linear/int_linear",
  wgsl: shaderSource("linear/int_linear"),
  bindings: [
    { name: "inputs", access: "read" },
    { name: "codes", access: "read" },
    { name: "scales", access: "read" },
    { name: "zero_points", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: ({ element, symmetric, storedBits, offset }) => ({
    ELEMENT: ELEMENT_CODES[element],
    SYMMETRIC: symmetric ? 1 : 0,
    STORED_BITS: storedBits,
    OFFSET: offset,
  }),
  uniforms: ({ m, streams, streamLength, groupSize, firstRow, outputStride, outputStart }) => [
    m,
    streams,
    streamLength,
    groupSize,
    firstRow,
    outputStride,
    outputStart,
  ],
  invocations: (_source, { m, streams }) => Math.ceil(m / TILE_ROWS) * Math.ceil(streams / TILE_COLUMNS),
  wasm: (_source, { streams }) => [{ name: "int_linear", pieces: Math.ceil(streams / COLUMNS_PER_PIECE) }],
  oracle: intLinearOracle,
};
