import type { DecoderFamily } from "./architecture.ts";
import { activationOf } from "./parts/activations.ts";
import { attentionRegisters, gatedRegisters } from "./parts/blocks.ts";
import { badValue } from "./parts/config-errors.ts";
import { expertMatrices } from "./parts/experts.ts";
import { readSizes } from "./parts/frame.ts";
import { type LlamaTraits, llamaAttention, llamaFrame } from "./parts/llama-like.ts";
import { readFrequencies, WHOLE_HEADS } from "./parts/rotation.ts";
import { storedPrefix } from "./parts/stored-tensors.ts";
import { readWindow } from "./parts/windows.ts";

/**
 * Mixtral: Llama's attention, then the experts that a router chooses for each token.
 * Source: transformers 5.17 `models/mixtral/modeling_mixtral.py`; stored forms: its `conversion_mapping.py`.
 */
export const mixtral: DecoderFamily = {
  modelTypes: ["mixtral"],
  read(modelType, config, shapeOf) {
    const sizes = readSizes(config, { kvHeads: 8, headDim: null });
    const frequencies = readFrequencies(config, sizes.headDim, { ...WHOLE_HEADS, theta: 1_000_000 });
    const window = readWindow(config, null);
    const activation = activationOf(config.optionalText("hidden_act") ?? "silu");
    const experts = config.optionalInteger("num_local_experts", "num_experts") ?? 8;
    const topK = config.optionalInteger("num_experts_per_tok") ?? 2;
    if (topK > experts) throw badValue("num_experts_per_tok", `${topK}`, `at most the ${experts} experts`);
    const traits: LlamaTraits = {
      sizes,
      epsilon: 1e-5,
      isTied: false,
      bias: { qkv: false, output: false, mlp: false },
      hasHeadNorms: false,
      frequencies: () => frequencies,
      window: () => window,
    };
    const registers = {
      ...attentionRegisters(sizes),
      ...gatedRegisters(config.integer("intermediate_size")),
      router: experts,
      routing: experts,
      expert: sizes.hidden,
      mixed: sizes.hidden,
    };
    return llamaFrame(modelType, config, shapeOf, traits, registers, ({ graph, prefix, norm }, layer) => {
      const at = `${prefix}layers.${layer}.`;
      // Today's models and transformers 5's own names say `mlp`, the released weights and what transformers writes do not.
      const block = storedPrefix(shapeOf, [`${at}block_sparse_moe`, `${at}mlp`], [".gate.weight"]);
      const matrices = expertMatrices(graph, shapeOf, block, experts);
      return [
        ...llamaAttention({ graph, prefix, norm }, layer, traits),
        graph.norm(`${at}post_attention_layernorm`, norm, "hidden", "normed"),
        graph.linear({ module: `${block}.gate`, input: "normed", output: "router", hasBias: false }),
        { kind: "route", logits: "router", output: "routing", topK, isNormalized: true },
        ...matrices.flatMap(({ gate, up, down }, expert) => [
          gate,
          up,
          graph.gate(activation, "gate", "up", "gated"),
          down,
          {
            kind: "accumulate" as const,
            target: "mixed",
            source: "expert",
            weights: "routing",
            expert,
            isFirst: expert === 0,
          },
        ]),
        graph.add("hidden", "mixed"),
      ];
    });
  },
};
