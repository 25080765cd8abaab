import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type CopyShape, copyOracle } from "./copy.oracle.ts";

const VECTORS_PER_INVOCATION = 8;

/** Vectors that a thread copies at once. */
const VECTORS_PER_PIECE = 256;

/** Reads and writes and nothing else: the roof that a kernel's speed is a share of. */
export const copy: Kernel<Record<string, never>, CopyShape> = {
  name: "measure/copy",
  wgsl: shaderSource("measure/copy"),
  bindings: [
    { name: "source", access: "read" },
    { name: "destination", access: "write" },
  ],
  isExact: true,
  constants: () => ({}),
  uniforms: ({ vectors }) => [vectors],
  invocations: (_source, { vectors }) => Math.ceil(vectors / VECTORS_PER_INVOCATION),
  wasm: (_source, { vectors }) => [{ name: "copy", pieces: Math.ceil(vectors / VECTORS_PER_PIECE) }],
  oracle: copyOracle,
};
