/** The tensor of a GGUF model that a linear layer's weights lie in. */
export interface GgufPlace {
  /** `blk.0.attn_q.weight`. */
  readonly tensor: string;
  /** Which of the tensor's matrices it is: the expert; 0 where it is alone. */
  readonly matrix: number;
}

/** Values of `model_type` that llama.cpp has a converter for, of those that the lab runs. It has none for `opt`. */
const MODEL_TYPES: ReadonlySet<string> = new Set([
  ...["llama", "mistral", "mixtral", "qwen2", "qwen3", "smollm3", "phi3"],
  ...["gemma2", "gemma3_text", "gpt2", "gpt_neox"],
]);

/** What llama.cpp calls a linear layer of a block, by what transformers calls it behind the number of the block. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["self_attn.q_proj", "attn_q"],
  ["self_attn.k_proj", "attn_k"],
  ["self_attn.v_proj", "attn_v"],
  ["self_attn.o_proj", "attn_output"],
  ["mlp.gate_proj", "ffn_gate"],
  ["mlp.up_proj", "ffn_up"],
  ["mlp.down_proj", "ffn_down"],
  // Phi-3: gate above up.
  ["self_attn.qkv_proj", "attn_qkv"],
  ["mlp.gate_up_proj", "ffn_up"],
  // GPT-2.
  ["attn.c_attn", "attn_qkv"],
  ["attn.c_proj", "attn_output"],
  ["mlp.c_fc", "ffn_up"],
  ["mlp.c_proj", "ffn_down"],
  // GPT-NeoX.
  ["attention.query_key_value", "attn_qkv"],
  ["attention.dense", "attn_output"],
  ["mlp.dense_h_to_4h", "ffn_up"],
  ["mlp.dense_4h_to_h", "ffn_down"],
  // Mixtral, by its released and by transformers' own names.
  ["block_sparse_moe.gate", "ffn_gate_inp"],
  ["mlp.gate", "ffn_gate_inp"],
]);

/** Of the matrices of an expert, which lie in one tensor for all experts of a block. */
const EXPERT_NAMES: ReadonlyMap<string, string> = new Map([
  ["w1", "ffn_gate_exps"],
  ["w2", "ffn_down_exps"],
  ["w3", "ffn_up_exps"],
  ["gate_proj", "ffn_gate_exps"],
  ["down_proj", "ffn_down_exps"],
  ["up_proj", "ffn_up_exps"],
]);

/** Name of the head's own tensor. Where it is tied, llama.cpp multiplies with the embedding. */
export const GGUF_HEAD = "output.weight";

/** Whether llama.cpp has a converter for such models. */
export function hasGgufNames(modelType: string): boolean {
  return MODEL_TYPES.has(modelType);
}

/**
 * Where llama.cpp keeps a linear layer of a block.
 * Source: llama.cpp `gguf-py/gguf/tensor_mapping.py` and `convert_hf_to_gguf.py`, which merges experts.
 * @param module as transformers names it: `model.layers.0.self_attn.q_proj`
 * @returns null for a layer of another kind
 */
export function ggufPlaceOf(module: string): GgufPlace | null {
  const [, block, rest = ""] = /(?:^|\.)(?:layers|h)\.(\d+)\.(.+)$/.exec(module) ?? [];
  const [, expert, part = ""] = /\.experts\.(\d+)\.(\w+)$/.exec(rest) ?? [];
  const name = expert === undefined ? NAMES.get(rest) : EXPERT_NAMES.get(part);
  return name === undefined ? null : { tensor: `blk.${block}.${name}.weight`, matrix: Number(expert ?? 0) };
}
