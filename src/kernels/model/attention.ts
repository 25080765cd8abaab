import { float32Bits } from "../../base/float-format.ts";
import type { Kernel } from "../../device/kernel.ts";
import { shaderSource } from "../shader-source.ts";
import { type AttentionShape, attentionOracle, type HeadColumns } from "./attention.oracle.ts";

/** Rows that one invocation computes for one head; with a capacity, heads of one row that share a key head. */
const TILE = 4;

/** Rows of a head that a thread computes at once; `attention.as.ts` has the same number. */
const ROWS_PER_PIECE = 16;

const words = ({ width, start, stride }: HeadColumns) => [width, start, stride];

/**
 * Causal attention with grouped queries: softmax(scale · q Kᵀ) V for each row and head, where query head h goes with key
 * and value head ⌊h · keyHeads / heads⌋. `positions` u32 [rows] is the place of each row in its window: a row sees the rows
 * of its window up to itself, the last `window` of them. `query`, `key` and `value` are float32 registers [rows, width],
 * which may be one buffer; `outputs` float32 [rows, heads · dim], heads one after the other. Scores become
 * softCap · tanh(scores / softCap), or stay where `softCap` is 0. Scores exist for a few rows and keys at a time.
 *
 * With a `capacity`, `key` and `value` are caches [rows · capacity, width], one for each row of the query, which is then a
 * prompt's newest token: row r sees its cache's rows r · capacity to r · capacity + positions[r], the last of which is its own
 * and must stand there already; positions[r] < capacity. What lies behind it is not read.
 */
export const attention: Kernel<{ readonly softCap: number }, AttentionShape> = {
  name: "model/attention",
  wgsl: shaderSource("model/attention"),
  bindings: [
    { name: "positions", access: "read" },
    { name: "query", access: "read" },
    { name: "key", access: "read" },
    { name: "value", access: "read" },
    { name: "outputs", access: "write" },
  ],
  isExact: false,
  constants: ({ softCap }) => ({ SOFT_CAP: softCap }),
  uniforms: ({ firstRow, rowCount, heads, keyHeads, dim, query, key, value, scale, window, capacity }) => [
    ...[firstRow, rowCount, heads, keyHeads, dim],
    ...[query, key, value].flatMap(words),
    float32Bits(scale),
    window,
    capacity,
  ],
  invocations: (_source, { rowCount, heads, keyHeads, capacity }) =>
    capacity === 0 ? Math.ceil(rowCount / TILE) * heads : rowCount * keyHeads * Math.ceil(heads / keyHeads / TILE),
  wasm: (_source, { rowCount, heads }) => [{ name: "attention", pieces: Math.ceil(rowCount / ROWS_PER_PIECE) * heads }],
  oracle: attentionOracle,
};
