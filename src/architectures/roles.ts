/** What a tensor is for, as far as its name tells. */
export type TensorRole = "embedding" | "attention" | "mlp" | "norm" | "head" | "other";

/** Names of real tensors stay below 200 characters; one of megabytes in a hostile header is not worth searching. */
const MAX_NAME_LENGTH = 1000;

/** The last part of a module's name, a parameter after it or not: `ln_1` of `h.0.ln_1.weight`. */
const LAST = "[^.]*(?:\\.[^.]*)?$";

/** From the start of a part between dots. */
const PART = "(?:^|\\.)";

/**
 * The first rule that holds decides: a norm inside of attention is a norm, a projection named `output` inside of attention
 * is attention's.
 */
const RULES: readonly { readonly role: TensorRole; readonly pattern: RegExp }[] = [
  // input_layernorm, q_norm, norm1, final_layer_norm, LayerNorm, ln_1, ln_f
  { role: "norm", pattern: new RegExp(`${PART}(?:ln(?![a-z])|[^.]*norm(?![a-z]))${LAST}`, "i") },
  // lm_head, GPT-NeoX's embed_out, ChatGLM's output_layer, the original Llama's output
  { role: "head", pattern: /(?:^|\.)(?:lm_head|embed_out|output_layer)(?=\.|$)|^output\.weight$/ },
  // embed_tokens, word_embeddings, tok_embeddings, embed_in, GPT-2's wte and wpe
  { role: "embedding", pattern: /(?:^|[._])embed(?:s|ding|dings)?(?=[._]|$)|(?:^|\.)w[tp]e(?=\.|$)/ },
  // self_attn, attention, linear_attn, T5's SelfAttention, RWKV's att, OLMo's att_proj; Wqkv and the rest beside them
  {
    role: "attention",
    pattern: /attn|attention|(?:^|\.)att(?=[._]|$)|(?:^|\.)(?:query_key_value|[qkvo]_proj)(?=\.|$)/i,
  },
  // mlp, ffn, feed_forward, experts, block_sparse_moe, OPT's fc1, BERT's intermediate and output
  {
    role: "mlp",
    pattern:
      /mlp|ffn|feed_forward|expert|(?:^|[._])moe(?=[._]|$)|(?:^|\.)(?:fc\d|ff_(?:proj|out)|(?:gate|up|down|gate_up)_proj|dense_h_to_4h|dense_4h_to_h|DenseReluDense|intermediate|output)(?=\.|$)/,
  },
];

/**
 * The role of a tensor by its name, after the habits of Hugging Face's models and the original Llama's.
 * @param name of the tensor, `model.layers.0.self_attn.q_proj.weight`; untrusted
 * @returns `other` for a name that follows no habit the lab knows
 */
export function tensorRole(name: string): TensorRole {
  if (name.length > MAX_NAME_LENGTH) return "other";
  return RULES.find(({ pattern }) => pattern.test(name))?.role ?? "other";
}
