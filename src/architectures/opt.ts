import type { DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attention, attentionRegisters } from "./parts/blocks.ts";
import { unsupportedFeature } from "./parts/config-errors.ts";
import { frameGraph, readEvenSizes } from "./parts/frame.ts";
import { GraphWriter, type NormKind } from "./parts/graph-writer.ts";
import { storedPrefix } from "./parts/stored-tensors.ts";

/** Rows of the table of positions that no position uses: `OPTLearnedPositionalEmbedding`. */
const POSITION_OFFSET = 2;

/**
 * OPT: learned positions, layer norms before each block, ReLU. OPT-350M, with norms after the blocks and narrower embeddings,
 * does not run here.
 * Source: transformers 5.17 `models/opt`.
 */
export const opt: DecoderFamily = {
  modelTypes: ["opt"],
  read(modelType, config, shapeOf) {
    const hidden = config.integer("hidden_size");
    const embeddingWidth = config.optionalInteger("word_embed_proj_dim") ?? hidden;
    if (embeddingWidth !== hidden) {
      throw unsupportedFeature(`word_embed_proj_dim ${embeddingWidth}`, `the hidden size, ${hidden}`);
    }
    for (const key of ["do_layer_norm_before", "layer_norm_elementwise_affine"]) {
      if (!config.flag(key, true)) throw unsupportedFeature(`${key} false`, `${key} true`);
    }
    if (config.flag("_remove_final_layer_norm")) {
      throw unsupportedFeature("_remove_final_layer_norm", "_remove_final_layer_norm false");
    }
    const sizes = readEvenSizes(hidden, config.integer("num_hidden_layers"), config.integer("num_attention_heads"));
    const positions = config.optionalInteger("max_position_embeddings") ?? 2048;
    const inner = config.integer("ffn_dim");
    const activation = activationOf(config.optionalText("activation_function") ?? "relu");
    const hasBias = config.flag("enable_bias", true);
    // PyTorch's LayerNorm where nothing is said.
    const norm: NormKind = { form: "layer", epsilon: 1e-5, offset: 0 };
    const prefix = storedPrefix(
      shapeOf,
      ["model.decoder.", "decoder.", ""],
      ["embed_tokens.weight", "embed_positions.weight"],
    );
    const graph = new GraphWriter(shapeOf, {
      hidden,
      normed: hidden,
      ...attentionRegisters(sizes),
      inner,
      activated: inner,
      final: hidden,
    });
    return frameGraph(
      {
        modelType,
        vocabularySize: config.integer("vocab_size"),
        maxPositions: positions,
        graph,
        shapeOf,
        embedding: `${prefix}embed_tokens.weight`,
        embeddingScale: 1,
        positions: {
          tensor: graph.tensor(`${prefix}embed_positions.weight`, [positions + POSITION_OFFSET, hidden]),
          offset: POSITION_OFFSET,
        },
        finalNorm: { module: `${prefix}final_layer_norm`, kind: norm },
        headNames: ["lm_head.weight"],
        isTied: config.flag("tie_word_embeddings", true),
        softCap: null,
      },
      sizes.layers,
      (layer) => {
        const at = `${prefix}layers.${layer}`;
        const self = `${at}.self_attn`;
        const project = (name: string, input: string, output: string) =>
          graph.linear({ module: `${at}.${name}`, input, output, hasBias });
        return [
          graph.norm(`${at}.self_attn_layer_norm`, norm, "hidden", "normed"),
          ...attention(graph, {
            module: self,
            sizes,
            frequencies: null,
            window: null,
            scale: sizes.headDim ** -0.5,
            softCap: null,
            hasInputBias: hasBias,
            headNorm: null,
          }),
          project("self_attn.out_proj", "attended", "normed"),
          graph.add("hidden", "normed"),
          graph.norm(`${at}.final_layer_norm`, norm, "hidden", "normed"),
          project("fc1", "normed", "inner"),
          graph.gate(activation, "inner", null, "activated"),
          project("fc2", "activated", "normed"),
          graph.add("hidden", "normed"),
        ];
      },
    );
  },
};
