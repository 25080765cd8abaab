import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { blocksOf, type DivergenceShape, divergenceOracle, WORDS } from "./divergence.oracle.ts";

/** Words of `sums`. */
export function divergenceWords(shape: DivergenceShape): number {
  return shape.rows * blocksOf(shape) * WORDS;
}

/**
 * What the divergence of two sets of logits is made of, in one look at some columns of them. `base` and `other` float32
 * [rows, stride]; column i holds the logits of id `first` + i. `targets` u32 [rows]: the id that came next. `sums`
 * [rows, blocks, 10] words, of each row and block of `blockColumns` ids:
 * - 0: largest of base; 1: Σ exp(base − largest); 2: id of the first largest (u32)
 * - 3, 4, 5: the same of other
 * - 6: Σ exp(base − largest) · ((base − other) − shift); 7: shift, which is base − other at id 2
 * - 8, 9: base and other at the target, 0 where it is not in the block
 *
 * Equal logits give equal sums, cross and shift exactly 0. A logit of −∞ weighs nothing; a block of base without another
 * has a shift of 0. Where a logit is NaN or +∞, the sums of its side are NaN, and word 6; the largest is then open.
 */
export const divergence: Kernel<Record<string, never>, DivergenceShape> = {
  name: "model/divergence",
  wgsl: shaderSource("model/divergence"),
  bindings: [
    { name: "base", access: "read" },
    { name: "other", access: "read" },
    { name: "targets", access: "read" },
    { name: "sums", access: "write" },
  ],
  isExact: false,
  constants: () => ({}),
  uniforms: ({ rows, columns, stride, first, blockColumns }) => [rows, columns, stride, first, blockColumns],
  invocations: (_source, shape) => shape.rows * blocksOf(shape),
  wasm: (_source, shape) => [{ name: "divergence", pieces: shape.rows * blocksOf(shape) }],
  oracle: divergenceOracle,
};
