import { type FitResult, fitOnGpu } from "../planner/fit.ts";
import type { PlanSettings } from "./api.ts";
import type { CompareResult, ModelSummary } from "./result.ts";

/** The planner's column for the original checkpoint. */
export function originalFit(summary: ModelSummary, plan: PlanSettings): FitResult {
  return schemeFit(summary.tensorBytes.value, summary, plan);
}

/**
 * The planner's column for stored weights of `tensorBytes`.
 * @throws LabError `plan/bad-assumption`
 */
export function schemeFit(tensorBytes: number, summary: ModelSummary, plan: PlanSettings): FitResult {
  return fitOnGpu(tensorBytes, typeof summary.kvCache === "string" ? null : summary.kvCache, plan);
}

/**
 * A comparison under other assumptions of the plan; nothing is measured again.
 * @throws LabError `plan/bad-assumption`
 */
export function applyPlan(result: CompareResult, plan: PlanSettings): CompareResult {
  return {
    ...result,
    original: { fit: originalFit(result.model, plan) },
    schemes: result.schemes.map((row) => ({
      ...row,
      fit: schemeFit(row.fit.weightBytes.value, result.model, plan),
    })),
  };
}
