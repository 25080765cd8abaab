/** Tokens in one block of a paged KV cache: vLLM's default `--block-size`. */
export const KV_BLOCK_TOKENS = 16;

/** What one token keeps: `layers` × (key + value) × `kvHeads` × `headDim` elements of `elementBytes`. */
export interface KvShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly elementBytes: number;
}

/** Bytes that one token keeps in all layers: 2 · layers · KV heads · head size · element bytes. */
export function kvBytesPerToken(shape: KvShape): number {
  return 2 * shape.layers * shape.kvHeads * shape.headDim * shape.elementBytes;
}

/**
 * Bytes of the KV cache of `sequences` sequences of `contextTokens` each, in whole blocks of 16 tokens.
 * Source: vLLM `v1/core/kv_cache_utils.py`; full attention in every layer.
 */
export function kvCacheBytes(shape: KvShape, contextTokens: number, sequences: number): number {
  const blocks = Math.ceil(contextTokens / KV_BLOCK_TOKENS);
  return sequences * blocks * KV_BLOCK_TOKENS * kvBytesPerToken(shape);
}
