import type { Kernel } from "../../device/kernel.ts";
import type { IntShape } from "../int-params.ts";
import { shaderSource } from "../shader-source.ts";
import { intScaleOracle } from "./int_scale.oracle.ts";

/** Scales of symmetric integer quantization, bf16 from bf16 weights. The scale is the same under both arithmetics. */
export const intScale: Kernel<{ readonly bits: 4 | 8 }, IntShape> = {
  name: "quant/int_scale",
  wgsl: shaderSource("quant/int_scale"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "scales", access: "write" },
  ],
  isExact: true,
  constants: ({ bits }) => ({ BITS: bits }),
  uniforms: ({ groups, groupSize }) => [groups, groupSize],
  invocations: (_source, { groups }) => Math.ceil(groups / 2),
  oracle: intScaleOracle,
};
