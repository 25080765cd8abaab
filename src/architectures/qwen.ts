import type { DecoderFamily } from "./architecture.ts";
import { readSizes } from "./parts/frame.ts";
import { llamaLike } from "./parts/llama-like.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { readLayerTypes, readWindow, windowsOf } from "./parts/windows.ts";

/**
 * Qwen 2 and 2.5: biases of queries, keys and values alone. Qwen 3: no biases unless said, norms of each head instead. Windows
 * are off unless `use_sliding_window`, and then on from layer `max_window_layers` on.
 * Source: transformers 5.17 `models/{qwen2,qwen3}`.
 */
export const qwen: DecoderFamily = {
  modelTypes: ["qwen2", "qwen3"],
  read(modelType, config, shapeOf) {
    const isThird = modelType === "qwen3";
    const sizes = readSizes(config, { kvHeads: 32, headDim: isThird ? 128 : null });
    const frequencies = readFrequencies(config, sizes.headDim, WHOLE_HEADS);
    const window = config.flag("use_sliding_window") ? readWindow(config, 4096) : null;
    const firstWindowed = config.optionalCount("max_window_layers") ?? 28;
    const types = readLayerTypes(config, sizes.layers, (layer) =>
      window !== null && layer >= firstWindowed ? "sliding_attention" : "full_attention",
    );
    const windows = windowsOf(types, window);
    const bias = isThird && config.flag("attention_bias");
    return llamaLike(modelType, config, shapeOf, {
      sizes,
      epsilon: 1e-6,
      isTied: false,
      bias: { qkv: bias || !isThird, output: bias, mlp: false },
      hasHeadNorms: isThird,
      frequencies: () => frequencies,
      window: (layer) => windows[layer] ?? null,
    });
  },
};
