import type { DecoderGraph } from "../architectures/graph.ts";
import { LabError, quote } from "../base/errors.ts";
import type { ActivationRounding, CacheRounding, InputRounding } from "../models/activation-rounding.ts";
import type { Variant } from "../models/run-setup.ts";
import { kvNeedsCalibration } from "../schemes/kv-cache.ts";
import type { ActivationScheme, Arithmetic } from "../schemes/scheme.ts";
import type { Bench } from "./bench.ts";
import type { CalibrationRanges } from "./calibration.ts";
import { activationsOf, type Candidate, hasServedRule } from "./candidate.ts";
import { ORIGINAL_SOURCE, type VariantSource } from "./model-parameters.ts";
import { leftMatrix, type MatrixRecipe, prepareMatrix } from "./restore-tile.ts";
import { cacheScales, inputScale } from "./static-scales.ts";

/** A candidate as a run takes it: where its weights come from, and what else it rounds. */
export interface RunVariant {
  readonly source: VariantSource;
  readonly variant: Variant;
}

export const ORIGINAL: RunVariant = { source: ORIGINAL_SOURCE, variant: { roundsTo: null } };

/**
 * Makes a candidate ready to run: looks at whole matrices where its recipe asks for it, and computes static scales.
 * @param ranges null where no candidate needs any
 */
export async function variantOf(
  bench: Bench,
  graph: DecoderGraph,
  candidate: Candidate,
  arithmetic: Arithmetic,
  ranges: CalibrationRanges | null,
): Promise<RunVariant> {
  switch (candidate.kind) {
    case "rounded":
      return { source: ORIGINAL_SOURCE, variant: { roundsTo: "bf16" } };
    case "checkpoint":
      return { source: { ...ORIGINAL_SOURCE, checkpoint: candidate.checkpoint }, variant: { roundsTo: null } };
    case "recipe":
      return {
        source: await sourceOf(bench, candidate, arithmetic),
        variant: { roundsTo: null, rounding: await roundingOf(bench, graph, candidate, ranges) },
      };
  }
}

type RecipeCandidate = Extract<Candidate, { readonly kind: "recipe" }>;

async function sourceOf(
  bench: Bench,
  { plan, applied }: RecipeCandidate,
  arithmetic: Arithmetic,
): Promise<VariantSource> {
  const matrices = new Map<string, MatrixRecipe>();
  for (const matrix of plan.matrices) {
    if (applied.weights && !applied.restored?.has(matrix.module)) {
      const recipe = await prepareMatrix(bench, plan, matrix, arithmetic);
      const keptColumns = applied.kept?.of(matrix.module);
      matrices.set(matrix.tensor.name, keptColumns ? { ...recipe, keptColumns } : recipe);
    } else if (matrix.original !== matrix.source) {
      matrices.set(matrix.tensor.name, leftMatrix(matrix, arithmetic));
    }
  }
  return { checkpoint: plan.checkpoint, matrices };
}

async function roundingOf(
  bench: Bench,
  graph: DecoderGraph,
  candidate: RecipeCandidate,
  ranges: CalibrationRanges | null,
): Promise<ActivationRounding> {
  const { applied } = candidate;
  const inputs = new Map<string, InputRounding>();
  const dynamic = new Map<string, InputRounding>();
  for (const { module } of candidate.plan.matrices) {
    const scheme = activationsOf(candidate, module);
    if (!scheme) continue;
    if (!scheme.dynamic) {
      if (!ranges) throw new Error("static scales without ranges");
      const fixed = await inputScale(bench, ranges, module, scheme);
      inputs.set(module, { ...inputRounding(scheme, applied.rule), fixed });
      continue;
    }
    // One object for what rounds equally, so that layers with one input round it once.
    const key = JSON.stringify(scheme);
    const rounding = dynamic.get(key) ?? inputRounding(scheme, applied.rule);
    dynamic.set(key, rounding);
    inputs.set(module, rounding);
  }
  const caches = new Map<string, CacheRounding>();
  if (applied.kvCache) {
    for (const module of attentionsOf(graph)) {
      if (applied.restored?.has(module)) continue;
      if (applied.kvCache.rule === "vllm") caches.set(module, { rule: "served" });
      else if (ranges) caches.set(module, await cacheScales(bench, ranges, module, applied.kvCache));
      else throw new Error("static scales without ranges");
    }
  }
  return { input: (module) => inputs.get(module) ?? null, cache: (module) => caches.get(module) ?? null };
}

function inputRounding(scheme: ActivationScheme, rule: "simulated" | "served"): InputRounding {
  const { bits, symmetric, granularity, dynamic } = scheme;
  return {
    rule: rule === "served" && hasServedRule(scheme) ? "served" : "simulated",
    bits,
    symmetric,
    groupSize: granularity.strategy === "group" ? granularity.groupSize : null,
    isWholeWindow: dynamic && granularity.strategy === "tensor",
    fixed: null,
  };
}

/** Modules of the attentions of a graph, in order. */
export function attentionsOf({ layers }: DecoderGraph): readonly string[] {
  return layers.flat().flatMap((step) => (step.kind === "attend" ? [step.module] : []));
}

/**
 * Refuses a KV cache scheme of compressed-tensors for a model whose attentions it does not know by their projections.
 * @throws LabError `config/no-kv-cache-scheme`
 * Source: compressed-tensors 0.19 `quantization/lifecycle/initialize.py :: _is_attention_module`.
 */
export function requireKnownAttentions(graph: DecoderGraph, candidates: readonly Candidate[]): void {
  const isAsked = candidates.some(
    (candidate) =>
      candidate.kind === "recipe" &&
      candidate.applied.kvCache !== null &&
      kvNeedsCalibration(candidate.applied.kvCache),
  );
  if (!isAsked) return;
  const linears = new Set(graph.layers.flat().flatMap((step) => (step.kind === "linear" ? [step.module] : [])));
  const unknown = attentionsOf(graph).find(
    (module) => !["k_proj", "v_proj", "qkv_proj"].some((projection) => linears.has(`${module}.${projection}`)),
  );
  if (unknown === undefined) return;
  throw new LabError({
    code: "config/no-kv-cache-scheme",
    doing: "preparing the KV cache scheme",
    found: `${quote(unknown)}, whose projections have other names`,
    allowed:
      "attentions with k_proj, v_proj or qkv_proj, the only ones that compressed-tensors gives a KV cache scheme",
    advice: "take int8:token-head, which is vLLM's own and asks for no names",
    fields: { module: quote(unknown) },
  });
}
