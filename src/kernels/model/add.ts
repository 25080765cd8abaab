import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type AddShape, addOracle } from "./add.oracle.ts";
import { flatStep } from "./pieces.ts";

/** Numbers that one invocation adds. */
const PER_INVOCATION = 32;

/** `total` += `source`, float32 both, number by number: two registers of one shape. What lies behind them stays. */
export const add: Kernel<Record<string, never>, AddShape> = {
  name: "model/add",
  wgsl: shaderSource("model/add"),
  bindings: [
    { name: "source", access: "read" },
    { name: "total", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ elements }) => [elements],
  invocations: (_source, { elements }) => Math.ceil(elements / PER_INVOCATION),
  wasm: (_source, { elements }) => [flatStep("add", elements)],
  oracle: addOracle,
};
