import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type LinearShape, linearOracle } from "./linear.oracle.ts";

/** Rows of y that one invocation computes, and columns. */
const TILE_ROWS = 4;
export const TILE_COLUMNS = 4;

/** Columns of y that a thread computes at once; `linear/tiles.as.ts` has the same number. */
export const COLUMNS_PER_PIECE = 4;

/**
 * A linear layer without bias: y = x Wᵀ, all float32. `inputs` x [m, k], `weights` W [n, k] as layers store them, `outputs`
 * y [m, n], each row-major. The order in which a sum is taken is open.
 */
export const linear: Kernel<Record<string, never>, LinearShape> = {
  name: "linear/linear",
  wgsl: shaderSource("linear/linear"),
  bindings: [
    { name: "inputs", access: "read" },
    { name: "weights", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ m, n, k }) => [m, n, k],
  invocations: (_source, { m, n }) => Math.ceil(m / TILE_ROWS) * Math.ceil(n / TILE_COLUMNS),
  wasm: (_source, { n }) => [{ name: "linear", pieces: Math.ceil(n / COLUMNS_PER_PIECE) }],
  oracle: linearOracle,
};
