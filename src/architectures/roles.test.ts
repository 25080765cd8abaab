import { expect, test } from "vitest";
import { tensorRole } from "./roles.ts";

const NAMES = {
  embedding: [
    "model.embed_tokens.weight",
    "wte.weight",
    "transformer.wte.weight",
    "transformer.wpe.weight",
    "gpt_neox.embed_in.weight",
    "transformer.word_embeddings.weight",
    "bert.embeddings.position_embeddings.weight",
    "tok_embeddings.weight",
    "model.decoder.embed_positions.weight",
    "model.embed_tokens_per_layer.weight",
    "transformer.embedding.word_embeddings.weight",
  ],
  attention: [
    "model.layers.0.self_attn.q_proj.weight",
    "model.layers.0.self_attn.q_proj.bias",
    "model.layers.17.self_attn.o_proj.weight",
    "model.layers.0.self_attn.kv_a_proj_with_mqa.weight",
    "model.layers.0.linear_attn.in_proj_qkvz.weight",
    "h.0.attn.c_attn.weight",
    "h.0.attn.c_attn.bias",
    "transformer.h.11.attn.c_proj.weight",
    "h.0.attn.bias",
    "gpt_neox.layers.0.attention.query_key_value.weight",
    "gpt_neox.layers.0.attention.dense.weight",
    "gpt_neox.layers.0.attention.rotary_emb.inv_freq",
    "transformer.h.0.self_attention.query_key_value.weight",
    "layers.0.attention.wq.weight",
    "transformer.blocks.0.attn.Wqkv.weight",
    "bert.encoder.layer.0.attention.self.query.weight",
    "bert.encoder.layer.0.attention.output.dense.weight",
    "encoder.block.0.layer.0.SelfAttention.q.weight",
    "blocks.3.att.key.weight",
    "model.transformer.blocks.0.att_proj.weight",
  ],
  mlp: [
    "model.layers.0.mlp.gate_proj.weight",
    "model.layers.0.mlp.down_proj.weight",
    "model.layers.0.mlp.experts.0.gate_proj.weight",
    "model.layers.0.mlp.experts.127.down_proj.weight",
    "model.layers.0.mlp.experts.gate_up_proj",
    "model.layers.0.mlp.shared_expert.up_proj.weight",
    "model.layers.0.mlp.gate.weight",
    "model.layers.0.block_sparse_moe.experts.0.w1.weight",
    "model.layers.0.block_sparse_moe.gate.weight",
    "h.0.mlp.c_fc.weight",
    "h.0.mlp.c_proj.bias",
    "gpt_neox.layers.0.mlp.dense_h_to_4h.weight",
    "gpt_neox.layers.0.mlp.dense_4h_to_h.bias",
    "layers.0.feed_forward.w2.weight",
    "transformer.blocks.0.ffn.up_proj.weight",
    "model.decoder.layers.0.fc1.weight",
    "bert.encoder.layer.0.intermediate.dense.weight",
    "bert.encoder.layer.0.output.dense.weight",
    "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
  ],
  norm: [
    "model.norm.weight",
    "norm.weight",
    "model.layers.0.input_layernorm.weight",
    "model.layers.0.post_attention_layernorm.weight",
    "model.layers.0.self_attn.q_norm.weight",
    "model.layers.0.self_attn.k_norm.weight",
    "model.layers.0.self_attn.kv_a_layernorm.weight",
    "h.0.ln_1.weight",
    "h.0.ln_2.bias",
    "transformer.ln_f.weight",
    "gpt_neox.layers.0.input_layernorm.bias",
    "gpt_neox.final_layer_norm.weight",
    "layers.0.attention_norm.weight",
    "layers.0.ffn_norm.weight",
    "bert.embeddings.LayerNorm.weight",
    "transformer.word_embeddings_layernorm.weight",
    "vision_model.encoder.layers.0.layer_norm1.weight",
  ],
  head: ["lm_head.weight", "lm_head.bias", "embed_out.weight", "transformer.output_layer.weight", "output.weight"],
  other: [
    "",
    ".",
    "weight",
    "model.rotary_emb.inv_freq",
    "backbone.layers.0.mixer.in_proj.weight",
    "blocks.0.norm1.linear.weight",
    "normalizer.weight",
    "lnx.weight",
    "__proto__",
    "constructor.weight",
    "overhead.weight",
  ],
} as const;

const TABLE = Object.entries(NAMES).flatMap(([role, names]) => names.map((name) => [name, role] as const));

test.each(TABLE)("%j is of the role %s", (name, role) => expect(tensorRole(name)).toBe(role));

test("a name of megabytes has no role, and one of the length still searched ends in time", () => {
  for (const piece of ["norm.", "embed_", "attn", ".", "a", "_", "\u202e"]) {
    expect(tensorRole(piece.repeat(1_000_000))).toBe("other");
    // A pattern that goes back over its steps would outlast the patience of the test runner.
    for (let round = 0; round < 1000; round++) tensorRole(piece.repeat(Math.floor(1000 / piece.length)));
  }
});
