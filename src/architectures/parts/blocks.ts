import type { Activation, Heads, Step } from "../graph.ts";
import type { Sizes } from "./frame.ts";
import type { GraphWriter, NormKind } from "./graph-writer.ts";
import { type Frequencies, rotate } from "./rotation.ts";

/** Widths of the registers of `attention`, which reads `normed`. */
export function attentionRegisters({ heads, kvHeads, headDim }: Sizes) {
  return { q: heads * headDim, k: kvHeads * headDim, v: kvHeads * headDim, attended: heads * headDim };
}

/** What differs between layers of attention. */
export interface AttentionKind {
  /** Module of the attention, `model.layers.0.self_attn`. */
  readonly module: string;
  readonly sizes: Sizes;
  /** Null for layers without positions. */
  readonly frequencies: Frequencies | null;
  readonly window: number | null;
  readonly scale: number;
  readonly softCap: number | null;
  readonly hasInputBias: boolean;
  /** Norm of each head of queries and keys; null for none. */
  readonly headNorm: NormKind | null;
}

/** Attention of the register `normed` with separate projections; its result, before the last projection, is `attended`. */
export function attention(graph: GraphWriter, kind: AttentionKind): readonly Step[] {
  const { module, sizes, headNorm } = kind;
  const project = (name: string, output: string) =>
    graph.linear({ module: `${module}.${name}`, input: "normed", output, hasBias: kind.hasInputBias });
  // Where heads are normalized, their projections wait in registers of the same width that are not in use yet.
  const projections: readonly Step[] = headNorm
    ? [
        project("q_proj", "attended"),
        graph.norm(`${module}.q_norm`, headNorm, "attended", "q", sizes.heads),
        project("k_proj", "v"),
        graph.norm(`${module}.k_norm`, headNorm, "v", "k", sizes.kvHeads),
        project("v_proj", "v"),
      ]
    : [project("q_proj", "q"), project("k_proj", "k"), project("v_proj", "v")];
  const query = graph.heads("q", sizes.heads);
  const key = graph.heads("k", sizes.kvHeads);
  const value = graph.heads("v", sizes.kvHeads);
  return [...projections, ...attendTo(query, key, value, kind)];
}

/** Rotation of queries and keys, then attention into the register `attended`. */
export function attendTo(
  query: Heads,
  key: Heads,
  value: Heads,
  {
    module,
    frequencies,
    window,
    scale,
    softCap,
  }: Pick<AttentionKind, "module" | "frequencies" | "window" | "scale" | "softCap">,
): readonly Step[] {
  const rotations = frequencies?.length ? [rotate(query, frequencies), rotate(key, frequencies)] : [];
  return [...rotations, { kind: "attend", module, query, key, value, output: "attended", scale, window, softCap }];
}

/** Widths of the registers of `gatedMlp`. */
export function gatedRegisters(intermediate: number) {
  return { gate: intermediate, up: intermediate, gated: intermediate };
}

/** down(activation(gate(normed)) · up(normed)), into `output`, which may be `normed`. */
export function gatedMlp(
  graph: GraphWriter,
  module: string,
  activation: Activation,
  output: string,
  hasBias: boolean,
): readonly Step[] {
  return [
    graph.linear({ module: `${module}.gate_proj`, input: "normed", output: "gate", hasBias }),
    graph.linear({ module: `${module}.up_proj`, input: "normed", output: "up", hasBias }),
    graph.gate(activation, "gate", "up", "gated"),
    graph.linear({ module: `${module}.down_proj`, input: "gated", output, hasBias }),
  ];
}
