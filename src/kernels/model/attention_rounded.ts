import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { roundingCode } from "../elements.ts";
import { shaderSource } from "../shader-source.ts";
import type { HeadColumns } from "./attention.oracle.ts";
import {
  type AttentionRoundedShape,
  type AttentionRoundedSource,
  attentionRoundedOracle,
} from "./attention_rounded.oracle.ts";

/** Rows that one invocation computes for one head. */
const TILE = 4;

/** Rows of a head that a thread computes at once; `attention.as.ts` has the same number. */
const ROWS_PER_PIECE = 16;

const words = ({ width, start, stride }: HeadColumns) => [width, start, stride];

/**
 * Causal attention as a model of a 16-bit format has it: as `model/attention` without a capacity, in the same registers, but
 * rounded to that format are the products of queries and keys, those times `scale`, each of the three steps of a soft cap,
 * and the probabilities, before values are multiplied with them. Softmax itself and all sums are float32. A probability is
 * known only when all keys have been seen, so that keys are looked at twice. The result is float32.
 *
 * Source: transformers 5.17 `models/gemma2/modeling_gemma2.py :: eager_attention_forward`; other families without the cap.
 */
export const attentionRounded: Kernel<AttentionRoundedSource, AttentionRoundedShape> = {
  name: "model/attention_rounded",
  wgsl: shaderSource("model/attention_rounded"),
  bindings: [
    { name: "positions", access: "read" },
    { name: "query", access: "read" },
    { name: "key", access: "read" },
    { name: "value", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: ({ softCap, rounding }) => ({ SOFT_CAP: softCap, ROUNDING: roundingCode(rounding) }),
  uniforms: ({ firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale, window }) => [
    ...[firstRow, rowCount, heads, keyHeads, dim],
    ...[query, key, value].flatMap(words),
    float32Bits(scale),
    window,
  ],
  invocations: (_source, { rowCount, heads }) => Math.ceil(rowCount / TILE) * heads,
  wasm: (_source, { rowCount, heads }) => [
    { name: "attention_rounded", pieces: Math.ceil(rowCount / ROWS_PER_PIECE) * heads },
  ],
  oracle: attentionRoundedOracle,
};
