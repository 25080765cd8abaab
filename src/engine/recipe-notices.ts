import { quote } from "../base/errors.ts";
import { removesParts } from "../schemes/pruning.ts";
import { precedenceDiffers } from "../schemes/recipe.ts";
import type { CheckpointPlan } from "./checkpoint-plan.ts";
import { VECTOR } from "./decoder-of.ts";
import { IMPORTANCE_STAGE } from "./methods/method-report.ts";
import type { Notice } from "./result.ts";

/** What a recipe's user should know before taking its checkpoint further. */
export function recipeNotices(plan: CheckpointPlan): readonly Notice[] {
  const { recipe, unmatched } = plan;
  const notices: Notice[] = [];
  if (recipe.pruning && !removesParts(recipe.pruning)) {
    notices.push({
      code: "recipe/dense-zeros",
      severity: "info",
      text:
        recipe.pruning.structure === "n-of-m"
          ? "Stored dense, with zeros: as of November 2026 no release of LLM Compressor or vLLM stores or serves 2:4 sparsity, so it saves no bytes and no time there."
          : "Stored dense, with zeros: nothing downstream saves bytes or time by them.",
    });
  }
  const odd = plan.shrunk?.tensors.find(({ columns, shape }) => columns !== null && (shape[1] ?? 0) % VECTOR !== 0);
  if (odd) {
    notices.push({
      code: "recipe/odd-width",
      severity: "warning",
      text: `${odd.shape[1]} columns are left in ${quote(odd.name)}, no multiple of ${VECTOR}: the lab measures this pruning, but cannot run the smaller model. A slightly other share avoids it.`,
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
  return [...notices, ...methodNotices(plan)];
}

/** What a method could not do, and where it did worse than nothing. */
function methodNotices({ method }: CheckpointPlan): readonly Notice[] {
  return (method?.stages ?? []).flatMap(({ stage, matrices, smoothings, worse }): Notice[] => {
    const fallbacks = matrices.flatMap(({ module, fallback }) => (fallback === null ? [] : [{ module, fallback }]));
    const refused = new Map<string, string[]>();
    for (const { name, refused: reason } of smoothings) {
      if (reason !== null) refused.set(reason, [...(refused.get(reason) ?? []), name]);
    }
    const [first] = fallbacks;
    return [
      ...(first
        ? [
            {
              code: "method/fallback",
              severity: "warning" as const,
              text: `${stage} was not possible for ${listed(fallbacks.map(({ module }) => module))} (${first.fallback}): ${stage === IMPORTANCE_STAGE ? "all columns count alike" : "plain rounding"} instead.`,
            },
          ]
        : []),
      ...(worse.length > 0
        ? [
            {
              code: "method/worse",
              severity: "warning" as const,
              text: `${stage} made the outputs of ${listed(worse)} worse than without it.`,
            },
          ]
        : []),
      ...[...refused].map(([reason, names]) => ({
        code: "method/refused-mapping",
        severity: "info" as const,
        text: `${stage} leaves ${listed(names)} alone: ${reason}.`,
      })),
    ];
  });
}

/** The first names of a list, and how many more there are. */
function listed(names: readonly string[]): string {
  return `${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}`;
}

/** Modules that the loader in transformers would read under another group than the one that quantized them. */
export function disputedModules({ recipe, matrices }: CheckpointPlan): readonly string[] {
  const differs = precedenceDiffers(recipe);
  return matrices.map(({ module }) => module).filter(differs);
}
