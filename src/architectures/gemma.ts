import type { ConfigReader, DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attention, attentionRegisters, gatedMlp, gatedRegisters } from "./parts/blocks.ts";
import { badValue, unsupportedFeature } from "./parts/config-errors.ts";
import { frameGraph, readSizes } from "./parts/frame.ts";
import { GraphWriter, type NormKind } from "./parts/graph-writer.ts";
import { type Frequencies, frequenciesOf, readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { storedPrefix } from "./parts/stored-tensors.ts";
import { type LayerType, readLayerTypes, readWindow, windowsOf } from "./parts/windows.ts";

/**
 * Gemma 2 and the text models of Gemma 3: norms before and after each block, weights of norms around 0 instead of 1, scaled
 * embeddings, most layers with a window. Gemma 2 caps scores and logits; Gemma 3 normalizes heads and rotates layers with and
 * without window by different bases.
 * Source: transformers 5.17 `models/{gemma2,gemma3}`.
 */
export const gemma: DecoderFamily = {
  modelTypes: ["gemma2", "gemma3_text"],
  read(modelType, config, shapeOf) {
    const isThird = modelType === "gemma3_text";
    if (config.flag("use_bidirectional_attention")) {
      throw unsupportedFeature("use_bidirectional_attention", "causal attention");
    }
    const sizes = readSizes(config, { kvHeads: 4, headDim: 256 });
    const { hidden } = sizes;
    // Every sixth, or every second layer has no window.
    const pattern = isThird ? (config.optionalInteger("sliding_window_pattern") ?? 6) : 2;
    const types = readLayerTypes(config, sizes.layers, (layer) =>
      (layer + 1) % pattern === 0 ? "full_attention" : "sliding_attention",
    );
    const windows = windowsOf(types, readWindow(config, 4096));
    const frequencies = isThird ? bothFrequencies(config, sizes.headDim) : oneFrequencies(config, sizes.headDim);
    const activation = activationOf(config.optionalText("hidden_activation") ?? "gelu_pytorch_tanh");
    const scale = (config.optionalNumber("query_pre_attn_scalar") ?? 256) ** -0.5;
    // Gemma 3's attention has the setting as well, but transformers does not pass it on.
    const scoreCap = isThird ? null : softCap(config, "attn_logit_softcapping", 50);
    const hasBias = config.flag("attention_bias");
    const norm: NormKind = { form: "rms", epsilon: config.optionalNumber("rms_norm_eps") ?? 1e-6, offset: 1 };
    const prefix = storedPrefix(shapeOf, ["model.", ""], ["embed_tokens.weight", "layers.0.input_layernorm.weight"]);
    const graph = new GraphWriter(shapeOf, {
      hidden,
      normed: hidden,
      ...attentionRegisters(sizes),
      ...gatedRegisters(config.integer("intermediate_size")),
      output: hidden,
      final: hidden,
    });
    return frameGraph(
      {
        modelType,
        vocabularySize: config.integer("vocab_size"),
        maxPositions: config.optionalInteger("max_position_embeddings"),
        graph,
        shapeOf,
        embedding: `${prefix}embed_tokens.weight`,
        // Kept in float32, the type that the reference computes in; bf16 would round it.
        embeddingScale: Math.fround(Math.sqrt(hidden)),
        positions: null,
        finalNorm: { module: `${prefix}norm`, kind: norm },
        headNames: ["lm_head.weight"],
        isTied: config.flag("tie_word_embeddings", true),
        softCap: softCap(config, "final_logit_softcapping", isThird ? null : 30),
      },
      sizes.layers,
      (layer) => {
        const at = `${prefix}layers.${layer}`;
        const self = `${at}.self_attn`;
        return [
          graph.norm(`${at}.input_layernorm`, norm, "hidden", "normed"),
          ...attention(graph, {
            module: self,
            sizes,
            frequencies: frequencies[types[layer] ?? "full_attention"],
            window: windows[layer] ?? null,
            scale,
            softCap: scoreCap,
            hasInputBias: hasBias,
            headNorm: isThird ? norm : null,
          }),
          graph.linear({ module: `${self}.o_proj`, input: "attended", output: "output", hasBias }),
          graph.norm(`${at}.post_attention_layernorm`, norm, "output", "normed"),
          graph.add("hidden", "normed"),
          graph.norm(`${at}.pre_feedforward_layernorm`, norm, "hidden", "normed"),
          ...gatedMlp(graph, `${at}.mlp`, activation, "output", false),
          graph.norm(`${at}.post_feedforward_layernorm`, norm, "output", "normed"),
          graph.add("hidden", "normed"),
        ];
      },
    );
  },
};

/** Null is no cap; a key that is absent is `absent`. */
function softCap(config: ConfigReader, key: string, absent: number | null): number | null {
  return config.has(key) ? config.optionalNumber(key) : absent;
}

function oneFrequencies(config: ConfigReader, headDim: number): Readonly<Record<LayerType, Frequencies>> {
  const frequencies = readFrequencies(config, headDim, WHOLE_HEADS);
  return { full_attention: frequencies, sliding_attention: frequencies };
}

/**
 * Gemma 3's rotations: today one object for each kind of layer; in older configs `rope_theta` and `rope_scaling` for layers
 * without window, `rope_local_base_freq` for those with one.
 * Source: transformers 5.17 `models/gemma3/configuration_gemma3.py`, `convert_rope_params_to_dict`.
 */
function bothFrequencies(config: ConfigReader, headDim: number): Readonly<Record<LayerType, Frequencies>> {
  const today = config.optionalObject("rope_parameters");
  if (today?.has("rope_theta") || today?.has("rope_type")) {
    throw badValue("rope_parameters", "one rotation for all layers", "one for each kind of layer");
  }
  const older = config.optionalObject("rope_scaling");
  const full = older ?? today?.optionalObject("full_attention") ?? null;
  const sliding = today?.optionalObject("sliding_attention") ?? null;
  return {
    full_attention: frequenciesOf(config, full, headDim, { ...WHOLE_HEADS, theta: 1_000_000 }),
    sliding_attention: frequenciesOf(config, sliding, headDim, { ...WHOLE_HEADS, thetaKey: "rope_local_base_freq" }),
  };
}
