import type { DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attendTo } from "./parts/blocks.ts";
import { readSizes } from "./parts/frame.ts";
import { llamaFrame } from "./parts/llama-like.ts";
import { readFrequencies } from "./parts/rotation.ts";
import { readWindow } from "./parts/windows.ts";

/**
 * Phi-3 and Phi-4: one matrix for queries, keys and values, one for gate and up; a part of each head may be rotated. The
 * models for long contexts have two sets of frequencies (`longrope`), which the lab does not run.
 * Source: transformers 5.17 `models/phi3`.
 */
export const phi3: DecoderFamily = {
  modelTypes: ["phi3"],
  read(modelType, config, shapeOf) {
    const sizes = readSizes(config, { kvHeads: null, headDim: null });
    const { heads, kvHeads, headDim } = sizes;
    const frequencies = readFrequencies(config, headDim, {
      theta: 10_000,
      thetaKey: "rope_theta",
      partial: { factor: 1, key: "partial_rotary_factor" },
      types: ["default"],
    });
    const window = readWindow(config, null);
    const intermediate = config.integer("intermediate_size");
    const activation = activationOf(config.optionalText("hidden_act") ?? "silu");
    const registers = {
      qkv: (heads + 2 * kvHeads) * headDim,
      attended: heads * headDim,
      gateUp: 2 * intermediate,
      gated: intermediate,
    };
    const keys = heads * headDim;
    const values = keys + kvHeads * headDim;
    const query = { register: "qkv", start: 0, stride: headDim, count: heads, dim: headDim };
    const key = { register: "qkv", start: keys, stride: headDim, count: kvHeads, dim: headDim };
    const value = { register: "qkv", start: values, stride: headDim, count: kvHeads, dim: headDim };
    const traits = { sizes, epsilon: 1e-5, isTied: false };
    return llamaFrame(modelType, config, shapeOf, traits, registers, ({ graph, prefix, norm }, layer) => {
      const at = `${prefix}layers.${layer}`;
      const project = (name: string, input: string, output: string) =>
        graph.linear({ module: `${at}.${name}`, input, output, hasBias: false });
      return [
        graph.norm(`${at}.input_layernorm`, norm, "hidden", "normed"),
        project("self_attn.qkv_proj", "normed", "qkv"),
        ...attendTo(query, key, value, {
          module: `${at}.self_attn`,
          frequencies,
          window,
          scale: headDim ** -0.5,
          softCap: null,
        }),
        project("self_attn.o_proj", "attended", "normed"),
        graph.add("hidden", "normed"),
        graph.norm(`${at}.post_attention_layernorm`, norm, "hidden", "normed"),
        project("mlp.gate_up_proj", "normed", "gateUp"),
        {
          kind: "gate",
          activation,
          gate: { register: "gateUp", start: 0, width: intermediate },
          up: { register: "gateUp", start: intermediate, width: intermediate },
          output: "gated",
        },
        project("mlp.down_proj", "gated", "normed"),
        graph.add("hidden", "normed"),
      ];
    });
  },
};
