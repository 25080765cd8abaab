import type { Kernel } from "../../device/kernel.ts";
import { roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import { type Activation, type GateShape, type GateSource, gateOracle } from "./gate.oracle.ts";
import { rowChunks, rowStep } from "./pieces.ts";

/** Pipeline constant `ACTIVATION`; the shader and `gate.as.ts` have the same numbers. */
const ACTIVATION_CODES: Readonly<Record<Activation, number>> = { silu: 0, gelu: 1, "gelu-tanh": 2, relu: 3 };

/**
 * `outputs` float32 [rows, width] = activation(gate) · up, element by element, or activation(gate) alone where it is not
 * gated; the activation is rounded to `rounding` before it is multiplied. Row r of either input has its columns at r · stride + start of its register, which may be the same for both; of what
 * is bound to `up` nothing is read where it is not gated.
 *
 * - `silu`: x / (1 + e^−x)
 * - `gelu`: x Φ(x) with the normal distribution function Φ (arXiv:1606.08415, section 2)
 * - `gelu-tanh`: x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), its approximation there
 * - `relu`: the larger of x and 0
 */
export const gate: Kernel<GateSource, GateShape> = {
  name: "model/gate",
  wgsl: shaderSource("model/gate"),
  bindings: [
    { name: "gate", access: "read" },
    { name: "up", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: ({ activation, isGated, rounding }) => ({
    ACTIVATION: ACTIVATION_CODES[activation],
    GATED: isGated ? 1 : 0,
    ROUNDING: roundingCode(rounding),
  }),
  uniforms: ({ rows, width, gate: own, up }) => [rows, width, own.stride, own.start, up.stride, up.start],
  invocations: (_source, { rows, width }) => rowChunks(rows, width),
  wasm: (_source, { rows, width }) => [rowStep("gate", rows, width)],
  oracle: gateOracle,
};
