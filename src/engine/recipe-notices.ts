import { quote } from "../base/errors.ts";
import { precedenceDiffers } from "../schemes/recipe.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import type { Notice } from "./result.ts";

/** What a recipe's user should know before taking its checkpoint further. */
export function recipeNotices(plan: CheckpointPlan): readonly Notice[] {
  const { recipe, unmatched } = plan;
  const notices: Notice[] = [];
  if (recipe.pruning) {
    notices.push({
      code: "recipe/dense-zeros",
      severity: "info",
      text:
        recipe.pruning.structure === "n-of-m"
          ? "Stored dense, with zeros: as of November 2026 no release of LLM Compressor or vLLM stores or serves 2:4 sparsity, so it saves no bytes and no time there."
          : "Stored dense, with zeros: nothing downstream saves bytes or time by them.",
    });
  }
  const disputed = disputedModules(plan);
  if (disputed.length > 0) {
    const names = disputed.slice(0, 3).map(quote);
    const more = disputed.length > 3 ? ` and ${disputed.length - 3} more` : "";
    notices.push({
      code: "recipe/overlapping-targets",
      severity: "warning",
      text: `Several targets match ${names.join(", ")}${more}. Here the first group wins, as in model_free_ptq; the loader in transformers and oneshot choose another one, so that this is not exported. Write targets that do not overlap.`,
    });
  }
  for (const { scheme, targets } of unmatched) {
    notices.push({
      code: "recipe/unmatched-group",
      severity: "warning",
      text: `No module belongs to ${scheme.name}${targets.length > 0 ? ` for ${targets.map(quote).join(", ")}` : ""}.`,
    });
  }
  return notices;
}

/** Modules that the loader in transformers would read under another group than the one that quantized them. */
export function disputedModules({ recipe, matrices }: CheckpointPlan): readonly string[] {
  const differs = precedenceDiffers(recipe);
  return matrices.map(({ module }) => module).filter(differs);
}
