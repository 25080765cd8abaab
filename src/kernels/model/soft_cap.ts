import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { type InnerRounding, roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { flatStep } from "./pieces.ts";
import { type SoftCapShape, softCapOracle } from "./soft_cap.oracle.ts";

/** Numbers that one invocation caps. */
const PER_INVOCATION = 32;

/**
 * Each of `values` becomes cap · tanh(value / cap), float32: Gemma 2's logits (arXiv:2408.00118, section 2). The quotient and
 * the tangent are rounded to `rounding`.
 */
export const softCap: Kernel<{ readonly rounding: InnerRounding }, SoftCapShape> = {
  name: "model/soft_cap",
  wgsl: shaderSource("model/soft_cap"),
  bindings: [{ name: "values", access: "write" }],
  isExact: false,
  constants: ({ rounding }) => ({ ROUNDING: roundingCode(rounding) }),
  uniforms: ({ elements, cap }) => [elements, float32Bits(cap)],
  invocations: (_source, { elements }) => Math.ceil(elements / PER_INVOCATION),
  wasm: (_source, { elements }) => [flatStep("soft_cap", elements)],
  oracle: softCapOracle,
};
