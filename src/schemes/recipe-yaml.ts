import { Document } from "yaml";
import { quote } from "../base/errors.ts";
import { groupNames, isPlainPreset } from "./compression-config.ts";
import { pruningName } from "./pruning.ts";
import { type ConfigGroup, describeRecipe, EVERY_LINEAR, needsCalibration, type Recipe } from "./recipe.ts";
import { type ActivationScheme, ARITHMETIC_EVIDENCE, type Arithmetic, type WeightScheme } from "./scheme.ts";

/** The LLM Compressor version whose recipe dialect is written. */
export const RECIPE_DIALECT = "LLM Compressor 0.14";

/**
 * `recipe.yaml` that makes `oneshot` write the same tensors, from a checkpoint that is pruned already where the recipe
 * prunes: LLM Compressor has no data-free modifier that does. Its `MagnitudePruningModifier` applies its masks after the
 * steps of an optimizer, so `oneshot` runs it and leaves every weight as it was; it has no N:M mask at all, and those of
 * channels and filters want convolutions.
 * The arithmetic stands in the comment and not in a key: the tool takes it from the device, not from the recipe.
 * @returns null where the recipe quantizes nothing: no modifier is left to write
 * Source: LLM Compressor 0.14 `modifiers/quantization/quantization/mixin.py`, `modifiers/pruning/magnitude/base.py`.
 */
export function recipeYaml(recipe: Recipe, ignore: readonly string[], arithmetic: Arithmetic): string | null {
  const { groups } = recipe;
  const [first] = groups;
  if (!first) return null;
  const modifier = isPlainPreset(groups)
    ? { targets: [EVERY_LINEAR], scheme: first.scheme.name }
    : { config_groups: Object.fromEntries(groupNames(groups).map(({ name, group }) => [name, groupFields(group)])) };
  const document = new Document({
    quant_stage: { quant_modifiers: { QuantizationModifier: { ...modifier, ignore: [...ignore] } } },
  });
  document.commentBefore = comment(recipe, arithmetic)
    .map((line) => ` ${line}`)
    .join("\n");
  return document.toString({ lineWidth: 0 });
}

function groupFields({ scheme: { weights, inputActivations }, targets }: ConfigGroup) {
  return {
    targets: targets.length === 0 ? [EVERY_LINEAR] : [...targets],
    weights: quantizationFields(weights),
    ...(inputActivations && {
      input_activations: {
        ...quantizationFields(inputActivations),
        dynamic: inputActivations.dynamic,
        ...(inputActivations.observer && { observer: inputActivations.observer }),
      },
    }),
  };
}

function quantizationFields({ type, bits, symmetric, granularity }: WeightScheme | ActivationScheme) {
  return {
    num_bits: bits,
    type,
    symmetric,
    strategy: granularity.strategy,
    ...(granularity.strategy === "group" && { group_size: granularity.groupSize }),
  };
}

function comment(recipe: Recipe, arithmetic: Arithmetic): readonly string[] {
  const lines = [
    `${quote(recipe.name)}: ${quote(describeRecipe(recipe))}.`,
    `For ${RECIPE_DIALECT}, oneshot(recipe="recipe.yaml").`,
    `arithmetic: ${arithmetic} (${ARITHMETIC_EVIDENCE[arithmetic]})`,
    `To get these bytes on a GPU: ${arithmetic === "eager" ? "set CT_ENFORCE_EAGER=1" : "leave CT_ENFORCE_EAGER unset"}.`,
    "oneshot picks modules by class: a weight of another class than Linear that the checkpoint beside this recipe",
    "quantized by name stays as it is there.",
  ];
  if (needsCalibration(recipe)) {
    lines.push("Its static activations take their ranges from a calibration text: give oneshot a dataset.");
  }
  if (recipe.groups.filter(({ targets }) => targets.length > 0).length > 1) {
    lines.push(
      "Where targets overlap, oneshot takes exact names first, then patterns in the order of their letters; the checkpoint",
      "beside this recipe follows the order of the groups.",
    );
  }
  if (recipe.pruning) {
    lines.push(
      "PRUNE FIRST: LLM Compressor prunes by magnitude only while it trains, so this recipe cannot. Export",
      `"${pruningName(recipe.pruning)} | none" from the lab and run this recipe on that checkpoint.`,
    );
  }
  return lines;
}
