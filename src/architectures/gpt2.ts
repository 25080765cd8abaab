import type { DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attendTo } from "./parts/blocks.ts";
import { unsupportedFeature } from "./parts/config-errors.ts";
import { frameGraph, readEvenSizes } from "./parts/frame.ts";
import { GraphWriter, type NormKind } from "./parts/graph-writer.ts";
import { storedPrefix } from "./parts/stored-tensors.ts";

/**
 * GPT-2: learned positions, layer norms, biases everywhere, matrices stored [in, out], which LLM Compressor leaves alone. The
 * buffers `attn.bias` and `attn.masked_bias` of older checkpoints are the causal mask.
 * Source: transformers 5.17 `models/gpt2`.
 */
export const gpt2: DecoderFamily = {
  modelTypes: ["gpt2"],
  read(modelType, config, shapeOf) {
    for (const feature of ["scale_attn_by_inverse_layer_idx", "add_cross_attention"]) {
      if (config.flag(feature)) throw unsupportedFeature(feature, `${feature} false`);
    }
    const hidden = config.integer("n_embd", "hidden_size");
    const sizes = readEvenSizes(
      hidden,
      config.integer("n_layer", "num_hidden_layers"),
      config.integer("n_head", "num_attention_heads"),
    );
    const positions = config.optionalInteger("n_positions", "max_position_embeddings") ?? 1024;
    const inner = config.optionalInteger("n_inner") ?? 4 * hidden;
    const activation = activationOf(config.optionalText("activation_function") ?? "gelu_new");
    const scale = config.flag("scale_attn_weights", true) ? sizes.headDim ** -0.5 : 1;
    const norm: NormKind = { form: "layer", epsilon: config.optionalNumber("layer_norm_epsilon") ?? 1e-5, offset: 0 };
    const prefix = storedPrefix(shapeOf, ["transformer.", ""], ["wte.weight", "wpe.weight"]);
    const graph = new GraphWriter(shapeOf, {
      hidden,
      normed: hidden,
      qkv: 3 * hidden,
      attended: hidden,
      inner,
      activated: inner,
      final: hidden,
    });
    const heads = (start: number) => ({
      register: "qkv",
      start,
      stride: sizes.headDim,
      count: sizes.heads,
      dim: sizes.headDim,
    });
    return frameGraph(
      {
        modelType,
        vocabularySize: config.integer("vocab_size"),
        maxPositions: positions,
        graph,
        shapeOf,
        embedding: `${prefix}wte.weight`,
        embeddingScale: 1,
        positions: { tensor: graph.tensor(`${prefix}wpe.weight`, [positions, hidden]), offset: 0 },
        finalNorm: { module: `${prefix}ln_f`, kind: norm },
        headNames: ["lm_head.weight"],
        isTied: config.flag("tie_word_embeddings", true),
        softCap: null,
      },
      sizes.layers,
      (layer) => {
        const at = `${prefix}h.${layer}`;
        return [
          graph.norm(`${at}.ln_1`, norm, "hidden", "normed"),
          graph.conv1d(`${at}.attn.c_attn`, "normed", "qkv"),
          ...attendTo(heads(0), heads(hidden), heads(2 * hidden), {
            module: `${at}.attn`,
            frequencies: null,
            window: null,
            scale,
            softCap: null,
          }),
          graph.conv1d(`${at}.attn.c_proj`, "attended", "normed"),
          graph.add("hidden", "normed"),
          graph.norm(`${at}.ln_2`, norm, "hidden", "normed"),
          graph.conv1d(`${at}.mlp.c_fc`, "normed", "inner"),
          graph.gate(activation, "inner", null, "activated"),
          graph.conv1d(`${at}.mlp.c_proj`, "activated", "normed"),
          graph.add("hidden", "normed"),
        ];
      },
    );
  },
};
