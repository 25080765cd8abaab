import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { intQparamsOracle, type QparamsShape, type QparamsSource } from "./int_qparams.oracle.ts";

/** Counters of `corners`, in order; each counts groups. */
export const CORNER_NAMES = ["allZero", "scaleTooSmall", "scaleSubnormal", "scaleInfinite", "scaleNan"] as const;

/** Groups of one invocation. */
const BLOCK = 16;

/**
 * Scales (in the weights' format) and zero points (signed bytes) from the extremes of each group. The results of several
 * schemes may share buffers: each begins at its own place, a multiple of four groups.
 */
export const intQparams: Kernel<QparamsSource, QparamsShape> = {
  name: "quant/int_qparams",
  wgsl: shaderSource("quant/int_qparams"),
  bindings: [
    { name: "extremes", access: "read" },
    { name: "scales", access: "write" },
    { name: "zero_points", access: "write" },
    { name: "corners", access: "write" },
  ],
  isExact: true,
  constants: ({ element, bits, symmetric }) => ({
    ELEMENT: ELEMENT_CODES[element],
    BITS: bits,
    SYMMETRIC: symmetric ? 1 : 0,
  }),
  uniforms: ({ groups, first, slot }) => [groups, first, slot],
  invocations: (_source, { groups }) => Math.ceil(groups / BLOCK),
  wasm: (_source, { groups }) => [{ name: "int_qparams", pieces: Math.ceil(groups / 4) }],
  oracle: intQparamsOracle,
};
