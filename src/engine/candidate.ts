import type { Checkpoint } from "../formats/huggingface/checkpoint.ts";
import { type KvCacheScheme, kvCacheName, kvCacheWords, parseKvCache } from "../schemes/kv-cache.ts";
import { type ActivationScheme, activationWords } from "../schemes/scheme.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { Roundings } from "./roundings.ts";

/** What of a recipe a variant has, besides the recipe itself. */
export interface Applied {
  readonly weights: boolean;
  readonly activations: boolean;
  readonly kvCache: KvCacheScheme | null;
  /** How activations are rounded that vLLM rounds otherwise than the tool simulates it. */
  readonly rule: "simulated" | "served";
  /** Modules that stay as the original has them; null: none beyond those of the recipe. */
  readonly restored: RestoredModules | null;
  /** Columns whose weights stay as the original has them; absent: none. */
  readonly kept?: KeptColumns;
}

export interface RestoredModules {
  /** Differs where the modules differ. */
  readonly name: string;
  has(module: string): boolean;
}

/** Input channels of matrices that a recipe leaves alone. */
export interface KeptColumns {
  /** Differs where the columns differ. */
  readonly name: string;
  /** float32 [cols], 1 for a column that stays and 0 for one that does not; null: none stays. */
  of(module: string): Float32Array<ArrayBuffer> | null;
}

/** A model to be held against the original. */
export type Candidate =
  | { readonly kind: "recipe"; readonly plan: CheckpointPlan; readonly applied: Applied }
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  /** The original, every result rounded to bf16. */
  | { readonly kind: "rounded" };

/** @throws LabError `scheme/bad-kv-cache` */
export function appliedOf({ weights, activations, kvCache }: Roundings): Applied {
  return {
    weights,
    activations,
    kvCache: kvCache === null ? null : parseKvCache(kvCache),
    rule: "simulated",
    restored: null,
  };
}

/** What goes into a layer is rounded so; null: it stays. */
export function activationsOf(candidate: Candidate, module: string): ActivationScheme | null {
  if (candidate.kind !== "recipe") return null;
  const { plan, applied } = candidate;
  if (!applied.activations || applied.restored?.has(module)) return null;
  return plan.matrices.find((matrix) => matrix.module === module)?.scheme?.inputActivations ?? null;
}

/** Everything that is rounded besides weights, in `measure.py`'s words and order. */
export function roundedWords(candidate: Candidate): readonly string[] {
  if (candidate.kind !== "recipe") return [];
  const { plan, applied } = candidate;
  const words = new Set<string>();
  if (applied.activations) {
    for (const { module } of plan.matrices) {
      const scheme = activationsOf(candidate, module);
      if (scheme) words.add(activationWords(scheme));
    }
  }
  if (applied.kvCache) words.add(kvCacheWords(applied.kvCache));
  return [...words].sort();
}

/** Whether vLLM's int8 kernel rounds some of its activations by another rule than the one that the tool simulates. */
export function isServedOtherwise(candidate: Candidate): boolean {
  if (candidate.kind !== "recipe" || !candidate.applied.activations) return false;
  return candidate.plan.matrices.some(
    ({ scheme }) => scheme?.inputActivations && hasServedRule(scheme.inputActivations),
  );
}

/** How sure the lab is of vLLM's rule. */
export const SERVED_EVIDENCE =
  "vLLM's dynamic_scaled_int8_quant_kernel: absmax / 127 in float32; followed from its source, not compared with a run";

/** Of symmetric int8 codes with a scale a token, which is what vLLM's `dynamic_scaled_int8_quant_kernel` is for. */
export function hasServedRule({ bits, symmetric, granularity, dynamic }: ActivationScheme): boolean {
  return bits === 8 && symmetric && dynamic && granularity.strategy === "token";
}

/** Different where anything of it is that changes a result. */
export function appliedKey({ weights, activations, kvCache, rule, restored, kept }: Applied): string {
  const parts = [weights, activations, kvCache === null ? "" : kvCacheName(kvCache), rule, restored?.name ?? ""];
  return [...parts, ...(kept ? [kept.name] : [])].join(" ");
}
