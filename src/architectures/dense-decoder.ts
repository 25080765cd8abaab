import { LabError } from "../base/errors.ts";
import type { ArchitectureFamily } from "./architecture.ts";

/**
 * Llama and the decoders that keep its key and value cache: full attention in every layer, grouped heads.
 * Source: transformers 5.17 `models/{llama,mistral,qwen2,qwen3}/configuration_*.py`.
 */
export const denseDecoder: ArchitectureFamily = {
  modelTypes: ["llama", "mistral", "qwen2", "qwen3", "smollm3"],
  read(modelType, config) {
    const heads = config.integer("num_attention_heads");
    const window = config.optionalInteger("sliding_window");
    // Qwen configs carry a window that is off; Mistral's is on whenever it is set.
    const usesWindow = window !== null && (modelType === "mistral" || config.flag("use_sliding_window"));
    if (usesWindow) {
      throw new LabError({
        code: "config/sliding-window",
        doing: "reading the attention of config.json",
        found: `a sliding window of ${window} tokens`,
        allowed: "full attention in every layer, for the planner's KV cache",
        advice: "sizes and errors of the weights stand; only the KV cache is left out",
        fields: { window: window ?? 0 },
      });
    }
    return {
      modelType,
      kv: {
        layers: config.integer("num_hidden_layers"),
        kvHeads: config.optionalInteger("num_key_value_heads") ?? heads,
        headDim: config.optionalInteger("head_dim") ?? Math.floor(config.integer("hidden_size") / heads),
      },
      maxPositions: config.optionalInteger("max_position_embeddings"),
    };
  },
};
