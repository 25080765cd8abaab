import type { DecoderFamily } from "./architecture.ts";
import { readSizes } from "./parts/frame.ts";
import { llamaLike } from "./parts/llama-like.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";

/**
 * Llama 1 to 3, and what came after its example: SmolLM 1 and 2, TinyLlama.
 * Source: transformers 5.17 `models/llama`.
 */
export const llama: DecoderFamily = {
  modelTypes: ["llama"],
  read(modelType, config, shapeOf) {
    const sizes = readSizes(config, { kvHeads: null, headDim: null });
    const frequencies = readFrequencies(config, sizes.headDim, WHOLE_HEADS);
    const bias = config.flag("attention_bias");
    return llamaLike(modelType, config, shapeOf, {
      sizes,
      epsilon: 1e-6,
      isTied: false,
      bias: { qkv: bias, output: bias, mlp: config.flag("mlp_bias") },
      hasHeadNorms: false,
      frequencies: () => frequencies,
      window: () => null,
    });
  },
};
