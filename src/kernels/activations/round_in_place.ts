import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import type { RoundShape, RoundSource } from "./round.oracle.ts";
import { roundInPlaceOracle } from "./round_in_place.oracle.ts";
import { roundConstants, roundInvocations, roundWords } from "./rounding.ts";
import { spanStep } from "./span.ts";

/** `activations/round` where the rounded numbers take the place of the register's own: other columns stay. */
export const roundInPlace: Kernel<RoundSource, RoundShape> = {
  name: "activations/round_in_place",
  wgsl: shaderSource("activations/round_in_place"),
  bindings: [
    { name: "scales", access: "read" },
    { name: "factors", access: "read" },
    { name: "values", access: "write" },
  ],
  isExact: true,
  constants: roundConstants,
  uniforms: roundWords,
  invocations: (_source, shape) => roundInvocations(shape),
  wasm: (_source, shape) => [spanStep("round_in_place", shape.rows, shape)],
  oracle: roundInPlaceOracle,
};
