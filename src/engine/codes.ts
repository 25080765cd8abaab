import type { IntCodes } from "../kernels/int-params.ts";
import type { Arithmetic } from "../schemes/scheme.ts";
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
