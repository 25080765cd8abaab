import { LabError, quote } from "../base/errors.ts";
import { OBSERVERS, type Observer } from "./scheme.ts";

/**
 * How keys and values [tokens, heads, head size] are rounded before attention reads them, to symmetric codes of 8 bits.
 * `compressed-tensors`: static; the ranges come from a calibration text, `k_scale` and `v_scale` are stored. One scale for
 *   all of a layer's keys and one for its values (`tensor`), or one for each key-value head (`attn_head`).
 *   Source: compressed-tensors 0.19 `quantization/lifecycle/initialize.py :: initialize_attn_qparams`; LLM Compressor 0.14
 *   `modifiers/quantization/calibration.py`.
 * `vllm`: an engine's own rule, which no checkpoint asks for (`--kv-cache-dtype int8_per_token_head`): the scale is
 *   max(absmax / 127, 1e-6) of each token and head, taken when they are stored. A code is the value times the scale's
 *   reciprocal in float32, clamped to −128…127 and cut off toward zero by the store, not rounded to the nearest.
 *   Source: vLLM `vllm/v1/attention/ops/triton_reshape_and_cache_flash.py :: _reshape_cache_per_token_head`; read, not run.
 */
export type KvCacheScheme =
  | {
      readonly rule: "compressed-tensors";
      readonly bits: 8;
      readonly strategy: "tensor" | "attn_head";
      readonly observer: Observer;
    }
  | { readonly rule: "vllm"; readonly bits: 8; readonly strategy: "token-head" };

/** Where each rule comes from; shown wherever a result was made with it. */
export const KV_EVIDENCE: Readonly<Record<KvCacheScheme["rule"], string>> = {
  "compressed-tensors": "the rounding of compressed-tensors 0.19, by ranges from a calibration text",
  vllm: "vLLM's own rule: followed from its kernel's source, not compared with a run",
};

/** What `int8:tensor` and `int8:attn_head` mean by themselves: all of the calibration text counts alike. */
const DEFAULT_OBSERVER: Observer = "static_minmax";

const STRATEGIES = ["tensor", "attn_head", "token-head"] as const;

const ALLOWED = `int8:tensor or int8:attn_head, either with :${OBSERVERS.join(", :")} after it, or int8:token-head`;

/**
 * A KV cache scheme by its name, whatever the letter case: `int8:tensor`, `int8:attn_head` and the same with an observer
 * (`int8:tensor:minmax`; `static_minmax` where none is said), or `int8:token-head`.
 * @throws LabError `scheme/bad-kv-cache`
 */
export function parseKvCache(text: string): KvCacheScheme {
  const [bits = "", second, third, ...more] = text.trim().toLowerCase().split(":");
  if (bits !== "int8") throw badKvCache(text, `"${quote(bits)}" where the bits belong`);
  if (second === undefined) throw badKvCache(text, "nothing on what shares a scale");
  const strategy = STRATEGIES.find((known) => known === second);
  if (strategy === undefined) throw badKvCache(text, `one scale per "${quote(second)}"`);
  if (more.length > 0) throw badKvCache(text, `${more.length + 3} parts`);
  if (strategy === "token-head") {
    if (third !== undefined) throw badKvCache(text, `"${quote(third)}" beside ranges that are taken at run time`);
    return { rule: "vllm", bits: 8, strategy };
  }
  const observer = third === undefined ? DEFAULT_OBSERVER : OBSERVERS.find((known) => known === third);
  if (observer === undefined) throw badKvCache(text, `the observer "${quote(third ?? "")}"`);
  return { rule: "compressed-tensors", bits: 8, strategy, observer };
}

/** The one spelling of a KV cache scheme, `static_minmax` never said; `parseKvCache` reads it back. */
export function kvCacheName(scheme: KvCacheScheme): string {
  const name = `int${scheme.bits}:${scheme.strategy}`;
  return scheme.rule === "vllm" || scheme.observer === DEFAULT_OBSERVER ? name : `${name}:${scheme.observer}`;
}

/** A KV cache scheme in words: `keys and values int8 per tensor, static (static_minmax)`. */
export function describeKvCache(scheme: KvCacheScheme): string {
  const described = `keys and values int${scheme.bits} per`;
  if (scheme.rule === "vllm") return `${described} token and head, taken at run time (vLLM's rule)`;
  return `${described} ${scheme.strategy === "tensor" ? "tensor" : "head"}, static (${scheme.observer})`;
}

/** What rounding keys and values is called in a report, in the words of `activationWords`. */
export function kvCacheWords(scheme: KvCacheScheme): string {
  if (scheme.rule === "vllm") return `KV cache: int ${scheme.bits} bit per token and head, dynamic (vLLM's rule)`;
  return `KV cache: int ${scheme.bits} bit per ${scheme.strategy}, static`;
}

/** Whether the scales can only come from running a calibration text. */
export function kvNeedsCalibration(scheme: KvCacheScheme): boolean {
  return scheme.rule === "compressed-tensors";
}

function badKvCache(text: string, found: string): LabError {
  return new LabError({
    code: "scheme/bad-kv-cache",
    doing: `reading the KV cache scheme "${quote(text)}"`,
    found,
    allowed: ALLOWED,
    advice: "write it like int8:tensor, int8:attn_head:minmax or int8:token-head",
    fields: { kvCache: quote(text) },
  });
}
