// A small model of the Llama family, made in the browser: shapes of a real one, fewer layers.
import { SeededRandom } from "../../src/base/random.ts";
import type { Folder } from "../../src/formats/byte-source.ts";
import { planSafetensors } from "../../src/formats/safetensors/writer.ts";
import { createBlobFolder } from "../../src/formats/sources/blob-source.ts";
import { madeWeights } from "./made-weights.ts";

/** What a made model is like. */
export interface ModelSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly vocabulary: number;
}

/** bf16 of 1: what a norm multiplies with. */
const ONE = 0x3f80;

/**
 * A checkpoint of bf16 weights around zero with heavy tails, in one file. Its head is a tensor of its own, so that a pass
 * over the model has to read every byte exactly once.
 */
export function madeModel(sizes: ModelSizes, seed: number): Folder {
  const { hidden, intermediate, heads, keyHeads, layers, vocabulary } = sizes;
  const keys = (hidden / heads) * keyHeads;
  const layer = (index: number): readonly (readonly [string, readonly number[]])[] => {
    const under = (name: string) => `model.layers.${index}.${name}.weight`;
    return [
      [under("input_layernorm"), [hidden]],
      [under("self_attn.q_proj"), [hidden, hidden]],
      [under("self_attn.k_proj"), [keys, hidden]],
      [under("self_attn.v_proj"), [keys, hidden]],
      [under("self_attn.o_proj"), [hidden, hidden]],
      [under("post_attention_layernorm"), [hidden]],
      [under("mlp.gate_proj"), [intermediate, hidden]],
      [under("mlp.up_proj"), [intermediate, hidden]],
      [under("mlp.down_proj"), [hidden, intermediate]],
    ];
  };
  const tensors = [
    ["model.embed_tokens.weight", [vocabulary, hidden]] as const,
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    ["model.norm.weight", [hidden]] as const,
    ["lm_head.weight", [vocabulary, hidden]] as const,
  ].map(([name, shape]) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    return { name, dtype: "BF16" as const, shape, sizeBytes: 2 * elements };
  });
  const parts = tensors.map(({ shape, sizeBytes }, index) =>
    shape.length === 1 ? new Uint16Array(sizeBytes / 2).fill(ONE) : madeWeights(sizeBytes / 2, "bf16", seed + index),
  );
  const config = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    vocab_size: vocabulary,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    hidden_act: "silu",
    max_position_embeddings: 2048,
    tie_word_embeddings: false,
  };
  return createBlobFolder("made", [
    ["config.json", new Blob([JSON.stringify(config)])],
    ["model.safetensors", new Blob([planSafetensors(tensors).header, ...parts])],
  ]);
}

/** Windows of any ids. */
export function madeWindows(count: number, tokens: number, vocabulary: number, seed: number): number[][] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: tokens }, () => Math.floor(random.nextUniform() * vocabulary)),
  );
}
