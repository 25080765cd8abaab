import { Document } from "yaml";
import { ARITHMETIC_EVIDENCE, type Arithmetic, describeWeights, type Scheme } from "./scheme.ts";

/** The LLM Compressor version whose recipe dialect is written. */
export const RECIPE_DIALECT = "LLM Compressor 0.14";

/**
 * `recipe.yaml` that makes `oneshot` write the same tensors.
 * The arithmetic stands in its comment and not in a key: the tool takes it from the device, not from the recipe.
 * Source: LLM Compressor 0.14 `modifiers/quantization/quantization/mixin.py`.
 */
export function recipeYaml(scheme: Scheme, ignore: readonly string[], arithmetic: Arithmetic): string {
  const document = new Document({
    quant_stage: {
      quant_modifiers: { QuantizationModifier: { targets: ["Linear"], scheme: scheme.name, ignore: [...ignore] } },
    },
  });
  document.commentBefore = [
    ` ${scheme.name}: weights ${describeWeights(scheme)}. For ${RECIPE_DIALECT}, oneshot(recipe="recipe.yaml").`,
    ` arithmetic: ${arithmetic} (${ARITHMETIC_EVIDENCE[arithmetic]})`,
    ` To get these bytes on a GPU: ${arithmetic === "eager" ? "set CT_ENFORCE_EAGER=1" : "leave CT_ENFORCE_EAGER unset"}.`,
    " oneshot picks modules by class: a weight of another class than Linear that the checkpoint beside this recipe",
    " quantized by name stays as it is there.",
  ].join("\n");
  return document.toString({ lineWidth: 0 });
}
