import type { Kernel } from "../../device/kernel.ts";
import { ELEMENT_CODES } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import {
  magnitudeBlocks,
  type RelativeMagnitudesShape,
  type RelativeMagnitudesSource,
  relativeMagnitudesOracle,
} from "./relative_magnitudes.oracle.ts";

/** Columns that an invocation handles at most: where groups are larger, several look for the largest of the same one. */
const LARGEST_CHUNK = 256;

/** Words of `sums`. */
export function relativeMagnitudesWords({ rows, cols }: RelativeMagnitudesShape): number {
  return magnitudeBlocks(rows) * cols;
}

/**
 * How large the weights of each column are beside the largest of their group: RN(|w| / RN(max |w| + 1e-6)), rounded to the
 * weights' format, a group being `groupSize` neighbours of a row.
 *
 * `weights` [rows, cols] of a float format, all finite → `sums` float32 [blocks, cols]: the sum over each block of 64 rows, the
 * last of which may be shorter. What blocks add up to, over all matrices that share a smoothing, and the division by the number
 * of rows are the caller's, in float64. Where a group is not finite, the sums of its columns are open.
 * Source: LLM Compressor 0.14 `modifiers/transform/awq/base.py :: _compute_layer_means`.
 */
export const relativeMagnitudes: Kernel<RelativeMagnitudesSource, RelativeMagnitudesShape> = {
  name: "smoothing/relative_magnitudes",
  wgsl: shaderSource("smoothing/relative_magnitudes"),
  bindings: [
    { name: "weights", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: ({ element }) => ({ ELEMENT: ELEMENT_CODES[element] }),
  uniforms: (shape) => [shape.rows, shape.cols, shape.groupSize, chunkOf(shape)],
  invocations: (_source, shape) => magnitudeBlocks(shape.rows) * (shape.cols / shape.groupSize) * chunksOf(shape),
  wasm: (_source, { rows, cols, groupSize }) => [
    { name: "relative_magnitudes", pieces: magnitudeBlocks(rows) * (cols / groupSize) },
  ],
  oracle: relativeMagnitudesOracle,
};

/** Columns of a chunk. */
function chunkOf({ groupSize }: RelativeMagnitudesShape): number {
  return Math.min(groupSize, LARGEST_CHUNK);
}

/** Chunks of a group. */
function chunksOf(shape: RelativeMagnitudesShape): number {
  return Math.ceil(shape.groupSize / chunkOf(shape));
}
