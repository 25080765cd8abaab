import type { DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attendTo } from "./parts/blocks.ts";
import { frameGraph, readEvenSizes } from "./parts/frame.ts";
import { GraphWriter, type NormKind } from "./parts/graph-writer.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { storedPrefix } from "./parts/stored-tensors.ts";

/**
 * GPT-NeoX and Pythia: query, key and value of each head stored together, a part of each head rotated, and, unless said,
 * attention and MLP both fed by the same residual stream.
 * Source: transformers 5.17 `models/gpt_neox`.
 */
export const gptNeox: DecoderFamily = {
  modelTypes: ["gpt_neox"],
  read(modelType, config, shapeOf) {
    const hidden = config.integer("hidden_size");
    const sizes = readEvenSizes(hidden, config.integer("num_hidden_layers"), config.integer("num_attention_heads"));
    const dim = sizes.headDim;
    const frequencies = readFrequencies(config, dim, {
      ...WHOLE_HEADS,
      thetaKey: "rotary_emb_base",
      partial: { factor: 0.25, key: "rotary_pct" },
    });
    const intermediate = config.integer("intermediate_size");
    const activation = activationOf(config.optionalText("hidden_act") ?? "gelu");
    const hasBias = config.flag("attention_bias", true);
    const isParallel = config.flag("use_parallel_residual", true);
    const norm: NormKind = { form: "layer", epsilon: config.optionalNumber("layer_norm_eps") ?? 1e-5, offset: 0 };
    const prefix = storedPrefix(shapeOf, ["gpt_neox.", ""], ["embed_in.weight", "layers.0.input_layernorm.weight"]);
    const graph = new GraphWriter(shapeOf, {
      hidden,
      normed: hidden,
      qkv: 3 * hidden,
      attended: hidden,
      output: hidden,
      inner: intermediate,
      activated: intermediate,
      final: hidden,
    });
    const heads = (start: number) => ({ register: "qkv", start, stride: 3 * dim, count: sizes.heads, dim });
    return frameGraph(
      {
        modelType,
        vocabularySize: config.integer("vocab_size"),
        maxPositions: config.optionalInteger("max_position_embeddings"),
        graph,
        shapeOf,
        embedding: `${prefix}embed_in.weight`,
        embeddingScale: 1,
        positions: null,
        finalNorm: { module: `${prefix}final_layer_norm`, kind: norm },
        headNames: ["embed_out.weight", "lm_head.weight"],
        isTied: config.flag("tie_word_embeddings"),
        softCap: null,
      },
      sizes.layers,
      (layer) => {
        const at = `${prefix}layers.${layer}`;
        const project = (name: string, input: string, output: string, hasThisBias = true) =>
          graph.linear({ module: `${at}.${name}`, input, output, hasBias: hasThisBias });
        return [
          graph.norm(`${at}.input_layernorm`, norm, "hidden", "normed"),
          project("attention.query_key_value", "normed", "qkv", hasBias),
          ...attendTo(heads(0), heads(dim), heads(2 * dim), {
            module: `${at}.attention`,
            frequencies,
            window: null,
            scale: dim ** -0.5,
            softCap: null,
          }),
          project("attention.dense", "attended", "output", hasBias),
          ...(isParallel ? [] : [graph.add("hidden", "output")]),
          graph.norm(`${at}.post_attention_layernorm`, norm, "hidden", "normed"),
          project("mlp.dense_h_to_4h", "normed", "inner"),
          graph.gate(activation, "inner", null, "activated"),
          project("mlp.dense_4h_to_h", "activated", "normed"),
          // In transformers' order: both blocks first, then the stream.
          ...(isParallel ? [graph.add("normed", "output")] : []),
          graph.add("hidden", "normed"),
        ];
      },
    );
  },
};
