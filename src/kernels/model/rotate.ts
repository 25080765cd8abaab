import type { Kernel } from "../../device/kernel.ts";
import { type InnerRounding, roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { rowStep } from "./pieces.ts";
import { type RotateShape, rotateOracle } from "./rotate.oracle.ts";

/**
 * Rotates pairs of columns of each head in place, by the angles of the row's position (arXiv:2104.09864, equation 15):
 * (a, b) becomes (a cos − b sin, b cos + a sin). `positions` u32 [rows], `angles` float32 [positions, pairs, 2], cosine and
 * sine, `values` float32 [rows, width], of which head h has the columns from start + h · stride on. Other columns stay.
 * All four products are rounded to `rounding` before they are added.
 */
export const rotate: Kernel<{ readonly rounding: InnerRounding }, RotateShape> = {
  name: "model/rotate",
  wgsl: shaderSource("model/rotate"),
  bindings: [
    { name: "positions", access: "read" },
    { name: "angles", access: "read" },
    { name: "values", access: "write" },
  ],
  isExact: false,
  constants: ({ rounding }) => ({ ROUNDING: roundingCode(rounding) }),
  uniforms: ({ rows, width, start, stride, heads, pairs, isNeighbours }) => [
    rows,
    width,
    start,
    stride,
    heads,
    pairs,
    isNeighbours ? 1 : 0,
  ],
  invocations: (_source, { rows, heads }) => rows * heads,
  wasm: (_source, { rows, heads, pairs }) => [rowStep("rotate", rows, 2 * heads * pairs)],
  oracle: rotateOracle,
};
