import type { DecoderFamily } from "./architecture.ts";
import { readSizes } from "./parts/frame.ts";
import { llamaLike } from "./parts/llama-like.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { readLayerFlags, readLayerTypes, readWindow, windowsOf } from "./parts/windows.ts";

/**
 * SmolLM3: every fourth layer has no positions, and only such layers may have a window.
 * Source: transformers 5.17 `models/smollm3`.
 */
export const smollm3: DecoderFamily = {
  modelTypes: ["smollm3"],
  read(modelType, config, shapeOf) {
    const sizes = readSizes(config, { kvHeads: 4, headDim: null });
    const frequencies = readFrequencies(config, sizes.headDim, { ...WHOLE_HEADS, theta: 2_000_000 });
    const interval = config.optionalInteger("no_rope_layer_interval") ?? 4;
    const stated = readLayerFlags(config, "no_rope_layers", sizes.layers);
    // Despite its name, the list has a 1 for a layer that is rotated.
    const isRotated = (layer: number) => (stated ? stated[layer] === true : (layer + 1) % interval !== 0);
    const window = readWindow(config, null);
    const isWindowUsed = config.flag("use_sliding_window") && window !== null;
    const types = readLayerTypes(config, sizes.layers, (layer) =>
      isWindowUsed && !isRotated(layer) ? "sliding_attention" : "full_attention",
    );
    const windows = windowsOf(types, window);
    const bias = config.flag("attention_bias");
    return llamaLike(modelType, config, shapeOf, {
      sizes,
      epsilon: 1e-6,
      isTied: true,
      bias: { qkv: bias, output: bias, mlp: config.flag("mlp_bias") },
      hasHeadNorms: false,
      frequencies: (layer) => (isRotated(layer) ? frequencies : null),
      window: (layer) => windows[layer] ?? null,
    });
  },
};
