import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type LinearShape, linearOracle } from "./linear.oracle.ts";

/** Rows of y that one invocation computes, and columns. */
const TILE_ROWS = 4;
export const TILE_COLUMNS = 4;

/** Rows and columns of y that a workgroup of the form `tiled` computes. */
const WORKGROUP_TILE = 64;

/** With fewer rows, of a few tokens, most of such a tile is empty. */
const FEWEST_TILED_ROWS = 32;

/** Columns of y that a thread computes at once; `assembly/tiles.as.ts` has the same number. */
export const COLUMNS_PER_PIECE = 4;

/**
 * A linear layer without bias: y = x Wᵀ, all float32 and row-major. `inputs` x [.., k], of which `m` rows from `firstRow` on
 * are multiplied; `weights` W [n, k] as layers store them, or some rows of them; `outputs` y [.., outputStride], of which
 * the same rows are written from column `outputStart` on, and nothing else. The order in which a sum is taken is open.
 */
export const linear: Kernel<Record<string, never>, LinearShape> = {
  name: "linear/linear",
  wgsl: shaderSource("linear/linear"),
  variants: [
    {
      name: "tiled",
      wgsl: shaderSource("linear/linear.tiled"),
      features: [],
      takes: (_source, { m }) => m >= FEWEST_TILED_ROWS,
      workgroups: (_source, { m, n }) => Math.ceil(m / WORKGROUP_TILE) * Math.ceil(n / WORKGROUP_TILE),
    },
  ],
  bindings: [
    { name: "inputs", access: "read" },
    { name: "weights", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ m, n, k, firstRow, outputStride, outputStart }) => [m, n, k, firstRow, outputStride, outputStart],
  invocations: (_source, { m, n }) => Math.ceil(m / TILE_ROWS) * Math.ceil(n / TILE_COLUMNS),
  wasm: (_source, { n }) => [{ name: "linear", pieces: Math.ceil(n / COLUMNS_PER_PIECE) }],
  oracle: linearOracle,
};
