import type { ConfigReader, ShapeOf } from "../architecture.ts";
import type { DecoderGraph, Step } from "../graph.ts";
import { activationOf } from "./activations.ts";
import { attention, attentionRegisters, gatedMlp, gatedRegisters } from "./blocks.ts";
import { frameGraph, type Sizes } from "./frame.ts";
import { GraphWriter, type NormKind } from "./graph-writer.ts";
import type { Frequencies } from "./rotation.ts";
import { storedPrefix } from "./stored-tensors.ts";

/** What a family that is built as Llama says for itself. */
export interface LlamaTraits {
  readonly sizes: Sizes;
  /** What transformers takes where `rms_norm_eps` is absent. */
  readonly epsilon: number;
  /** What transformers takes where `tie_word_embeddings` is absent. */
  readonly isTied: boolean;
  readonly bias: { readonly qkv: boolean; readonly output: boolean; readonly mlp: boolean };
  readonly hasHeadNorms: boolean;
  /** Of each layer; null for a layer without positions. */
  readonly frequencies: (layer: number) => Frequencies | null;
  /** Of each layer; null for full attention. */
  readonly window: (layer: number) => number | null;
}

/** The parts of a graph that blocks of a layer need. */
export interface LlamaParts {
  readonly graph: GraphWriter;
  readonly prefix: string;
  readonly norm: NormKind;
}

/**
 * Llama's layers: norm, attention, norm, gated MLP, each block added to the residual stream.
 * Source: transformers 5.17 `models/llama/modeling_llama.py`, `LlamaDecoderLayer`.
 */
export function llamaLike(
  modelType: string,
  config: ConfigReader,
  shapeOf: ShapeOf,
  traits: LlamaTraits,
): DecoderGraph {
  const activation = activationOf(config.optionalText("hidden_act") ?? "silu");
  const registers = {
    ...attentionRegisters(traits.sizes),
    ...gatedRegisters(config.integer("intermediate_size")),
  };
  return llamaFrame(modelType, config, shapeOf, traits, registers, ({ graph, prefix, norm }, layer) => {
    const at = `${prefix}layers.${layer}`;
    return [
      ...llamaAttention({ graph, prefix, norm }, layer, traits),
      graph.norm(`${at}.post_attention_layernorm`, norm, "hidden", "normed"),
      ...gatedMlp(graph, `${at}.mlp`, activation, "normed", traits.bias.mlp),
      graph.add("hidden", "normed"),
    ];
  });
}

/** The first half of a layer: attention, added to the residual stream. */
export function llamaAttention(
  { graph, prefix, norm }: LlamaParts,
  layer: number,
  traits: LlamaTraits,
): readonly Step[] {
  const at = `${prefix}layers.${layer}`;
  const { sizes, bias } = traits;
  return [
    graph.norm(`${at}.input_layernorm`, norm, "hidden", "normed"),
    ...attention(graph, {
      module: `${at}.self_attn`,
      sizes,
      frequencies: traits.frequencies(layer),
      window: traits.window(layer),
      scale: sizes.headDim ** -0.5,
      softCap: null,
      hasInputBias: bias.qkv,
      headNorm: traits.hasHeadNorms ? norm : null,
    }),
    graph.linear({ module: `${at}.self_attn.o_proj`, input: "attended", output: "normed", hasBias: bias.output }),
    graph.add("hidden", "normed"),
  ];
}

/**
 * Embedding, layers, final norm and head under Llama's names.
 * @param registers of the layers, beside `hidden` and `normed`
 */
export function llamaFrame(
  modelType: string,
  config: ConfigReader,
  shapeOf: ShapeOf,
  traits: Pick<LlamaTraits, "sizes" | "epsilon" | "isTied">,
  registers: Readonly<Record<string, number>>,
  layerOf: (parts: LlamaParts, layer: number) => readonly Step[],
): DecoderGraph {
  const { sizes } = traits;
  const prefix = storedPrefix(shapeOf, ["model.", ""], ["embed_tokens.weight", "layers.0.input_layernorm.weight"]);
  const graph = new GraphWriter(shapeOf, {
    hidden: sizes.hidden,
    normed: sizes.hidden,
    ...registers,
    final: sizes.hidden,
  });
  const norm: NormKind = {
    form: "rms",
    epsilon: config.optionalNumber("rms_norm_eps") ?? traits.epsilon,
    offset: 0,
  };
  return frameGraph(
    {
      modelType,
      vocabularySize: config.integer("vocab_size"),
      maxPositions: config.optionalInteger("max_position_embeddings"),
      graph,
      shapeOf,
      embedding: `${prefix}embed_tokens.weight`,
      embeddingScale: 1,
      positions: null,
      finalNorm: { module: `${prefix}norm`, kind: norm },
      headNames: ["lm_head.weight"],
      isTied: config.flag("tie_word_embeddings", traits.isTied),
      softCap: null,
    },
    sizes.layers,
    (layer) => layerOf({ graph, prefix, norm }, layer),
  );
}
