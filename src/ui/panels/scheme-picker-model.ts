import { quote } from "../../base/errors.ts";
import { MAX_RECIPES } from "../../engine/api.ts";
import { PRESETS } from "../../schemes/presets.ts";
import { plainTwin, withPlainTwins } from "../../schemes/recipe.ts";
import type { Scheme } from "../../schemes/scheme.ts";
import { listWords } from "../parts/list-words.ts";
import { type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";
import { type Reading, readSteps, type StepFields } from "./scheme-picker-words.ts";

/** A recipe that one press chooses or takes out. */
export interface Offer {
  readonly label: string;
  /** In its one spelling; the bare scheme where it cannot be read. */
  readonly recipe: string;
  readonly words: string;
  readonly look: RecipeLook;
  readonly isChosen: boolean;
  /** Why it cannot be added, or null. */
  readonly blocked: string | null;
}

/** The presets in groups that people look for, each after the given steps; with a pruning, also that pruning alone. */
export function offers(
  chosen: readonly string[],
  steps: StepFields,
): readonly { readonly title: string; readonly offers: readonly Offer[] }[] {
  const group = (title: string, belongs: (scheme: Scheme) => boolean) => ({
    title,
    offers: PRESETS.filter(belongs).map(({ name }) => offer(name, name, chosen, steps)),
  });
  const alone = { title: "Pruned alone", offers: [offer("not quantized", "none", chosen, steps)] };
  return [
    ...(steps.pruning.form === "none" ? [] : [alone]),
    group("Weights alone", ({ inputActivations }) => inputActivations === null),
    group("Activations to 8 bits too", ({ inputActivations }) => inputActivations?.bits === 8),
    group("Activations to 4 bits too", ({ inputActivations }) => inputActivations?.bits === 4),
  ];
}

function offer(label: string, scheme: string, chosen: readonly string[], steps: StepFields): Offer {
  const reading = readSteps(scheme, steps);
  const recipe = reading.isGood ? reading.name : scheme;
  const isChosen = reading.isGood && chosen.includes(recipe);
  return {
    label,
    recipe,
    words: reading.words,
    look: recipeLook(recipe),
    isChosen,
    blocked: isChosen ? null : blockedWords(reading, chosen),
  };
}

/** Why nothing can be added, or null. */
export function fullWords(chosen: readonly string[]): string | null {
  if (chosen.length < MAX_RECIPES) return null;
  return `${MAX_RECIPES} recipes are as many as one pass over the weights measures: take one out to add another.`;
}

/** Why this recipe cannot be added, or null. */
export function blockedWords(reading: Reading, chosen: readonly string[]): string | null {
  if (!reading.isGood) return reading.words;
  if (chosen.includes(reading.name)) return "It is among the chosen ones.";
  return fullWords(chosen);
}

/** The chosen ones with this recipe at their end; where it has a method, its plain twin before it if there is room. */
export function withRecipe(chosen: readonly string[], recipe: string): readonly string[] {
  if (chosen.includes(recipe) || chosen.length >= MAX_RECIPES) return chosen;
  const added = withPlainTwins([recipe], MAX_RECIPES - chosen.length);
  return [...chosen, ...added.filter((name) => !chosen.includes(name))];
}

/** What was added: `Added W4A16 and gptq | W4A16`. */
export function addedWords(before: readonly string[], after: readonly string[], recipe: string): string {
  const added = after.filter((name) => !before.includes(name)).map(quote);
  const twin = plainTwin(recipe);
  const lack = twin === null || after.includes(twin) ? "" : `; there is no room for ${quote(twin)} beside it`;
  return `Added ${listWords(added)}${lack}`;
}

/** The chosen ones without this recipe; one always stays. */
export function withoutRecipe(chosen: readonly string[], recipe: string): readonly string[] {
  const rest = chosen.filter((other) => other !== recipe);
  return rest.length === 0 ? chosen : rest;
}
