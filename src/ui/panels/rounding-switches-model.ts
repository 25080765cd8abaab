import type { Roundings } from "../../engine/roundings.ts";
import { describeKvCache, KV_EVIDENCE, parseKvCache } from "../../schemes/kv-cache.ts";

/** What is asked of a run: what is rounded, and whether also by the rule of the engine that serves. */
export interface RoundingChoice {
  readonly roundings: Roundings;
  readonly served: boolean;
}

/** A way to round keys and values: its name, null for none, and its words. */
export interface KvOption {
  readonly name: string | null;
  readonly words: string;
}

const OPTIONS: readonly KvOption[] = [
  { name: null, words: "as it is" },
  { name: "int8:tensor", words: "int8 per tensor" },
  { name: "int8:attn_head", words: "int8 per head" },
  { name: "int8:token-head", words: "int8 per token and head (vLLM’s rule)" },
];

/** What can be chosen; a way that came from elsewhere, with another observer, stands at the end. */
export function kvOptions(current: string | null): readonly KvOption[] {
  if (OPTIONS.some(({ name }) => name === current)) return OPTIONS;
  const words = describeKvCache(parseKvCache(current ?? "")).replace("keys and values ", "");
  return [...OPTIONS, { name: current, words }];
}

/** What a way to round keys and values does, and how sure the lab is of it. */
export function kvAbout(name: string | null): string {
  if (name === null) return "Keys and values stay as the model computes them.";
  const scheme = parseKvCache(name);
  const described = describeKvCache(scheme);
  return `${described.charAt(0).toUpperCase()}${described.slice(1)}: ${KV_EVIDENCE[scheme.rule]}.`;
}

/** What is to be known of a choice; empty as a rule. */
export function roundingNotes({
  roundings,
  needsText,
}: {
  roundings: Roundings;
  needsText: boolean;
}): readonly string[] {
  const { weights, activations, kvCache } = roundings;
  return [
    ...(!weights && !activations && kvCache === null ? ["Nothing is rounded: every scheme is the original."] : []),
    ...(needsText ? ["Static ranges come from the calibration text."] : []),
  ];
}
