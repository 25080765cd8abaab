import type { IntCodes } from "../kernels/int-params.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
import { activationsOf, type Candidate } from "./candidate.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";

/** The different codes that a plan has computed, each of which a device must be exact in. */
export function codesOf({ matrices }: CheckpointPlan, arithmetic: Arithmetic): readonly IntCodes[] {
  const codes = new Map<string, IntCodes>();
  for (const { element, scheme } of matrices) {
    if (!scheme) continue;
    const { bits, symmetric } = scheme.weights;
    codes.set(`${element} ${bits} ${symmetric}`, { element, bits, symmetric, arithmetic });
  }
  return [...codes.values()];
}

/** The same of a model that is run: what it rounds on the way counts, too. */
export function codesOfCandidate(candidate: Candidate, arithmetic: Arithmetic): readonly IntCodes[] {
  if (candidate.kind !== "recipe") return [];
  const { plan, applied } = candidate;
  // Activations are float32 wherever the lab runs a model.
  const rounded = new Map<string, IntCodes>();
  const add = (bits: number, symmetric: boolean) =>
    rounded.set(`${bits} ${symmetric}`, { element: "f32", bits, symmetric, arithmetic: "eager" });
  for (const { module } of plan.matrices) {
    const scheme = activationsOf(candidate, module);
    if (scheme) add(scheme.bits, scheme.symmetric);
  }
  if (applied.kvCache) add(applied.kvCache.bits, true);
  return [...(applied.weights ? codesOf(plan, arithmetic) : []), ...rounded.values()];
}
