import type { Kernel } from "../../device/kernel.ts";
import { roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { flatStep } from "./pieces.ts";
import { type RoundToShape, type RoundToSource, roundToOracle } from "./round_to.oracle.ts";

/** Numbers that one invocation rounds. */
const PER_INVOCATION = 32;

/**
 * Each float32 of `values` becomes the nearest value of a format, ties to even, as torch's `to(dtype)`: subnormals are kept,
 * what is too large becomes infinite, every NaN the bits 7fc00000.
 */
export const roundTo: Kernel<RoundToSource, RoundToShape> = {
  name: "model/round_to",
  wgsl: shaderSource("model/round_to"),
  bindings: [{ name: "values", access: "write" }],
  isExact: true,
  constants: ({ element }) => ({ ROUNDING: roundingCode(element) }),
  uniforms: ({ elements }) => [elements],
  invocations: (_source, { elements }) => Math.ceil(elements / PER_INVOCATION),
  wasm: (_source, { elements }) => [flatStep("round_to", elements)],
  oracle: roundToOracle,
};
