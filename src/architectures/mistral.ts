import type { DecoderFamily } from "./architecture.ts";
import { readSizes } from "./parts/frame.ts";
import { llamaLike } from "./parts/llama-like.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { readWindow } from "./parts/windows.ts";

/** Mistral: Llama without biases, with a window in every layer or in none. Source: transformers 5.17 `models/mistral`. */
export const mistral: DecoderFamily = {
  modelTypes: ["mistral"],
  read(modelType, config, shapeOf) {
    const sizes = readSizes(config, { kvHeads: 8, headDim: null });
    const frequencies = readFrequencies(config, sizes.headDim, WHOLE_HEADS);
    const window = readWindow(config, 4096);
    return llamaLike(modelType, config, shapeOf, {
      sizes,
      epsilon: 1e-6,
      isTied: false,
      bias: { qkv: false, output: false, mlp: false },
      hasHeadNorms: false,
      frequencies: () => frequencies,
      window: () => window,
    });
  },
};
