import { asLabError } from "../../base/errors.ts";
import { MAX_RECIPES } from "../../engine/api.ts";
import { PRESETS } from "../../schemes/presets.ts";
import { parsePruning } from "../../schemes/pruning.ts";
import { describeRecipe, parseRecipe, withPruning } from "../../schemes/recipe.ts";
import type { Scheme } from "../../schemes/scheme.ts";
import { type RecipeLook, recipeLook } from "../parts/scheme-mark.ts";

/** What a text means: a recipe under its one spelling with its meaning in words, or why it is none. */
export type Reading =
  | { readonly isGood: true; readonly name: string; readonly words: string }
  | { readonly isGood: false; readonly words: string };

/** Reads a recipe as the engine does. */
export function readRecipe(spec: string): Reading {
  try {
    const recipe = parseRecipe(spec);
    return { isGood: true, name: recipe.name, words: describeRecipe(recipe) };
  } catch (thrown) {
    const { found, allowed, advice } = asLabError(thrown, "reading a recipe");
    return { isGood: false, words: `${upper(found)}. Allowed: ${allowed}. ${upper(advice)}.` };
  }
}

/** What to prune before anything is quantized, as the fields have it. Texts are what a person typed. */
export interface PruningFields {
  readonly form: "none" | "2:4" | "n:m" | "share" | "rows" | "columns";
  readonly n: string;
  readonly m: string;
  readonly share: string;
}

/** A scheme of one's own, as the fields have it. */
export interface OwnFields {
  readonly bits: number;
  readonly isSymmetric: boolean;
  /** What shares one scale; a number is a group of that many, `other` the group of `size`. */
  readonly per: "tensor" | "channel" | "32" | "64" | "128" | "other";
  readonly size: string;
}

/** What the picker opens with. */
export const FIRST_PRUNING: PruningFields = { form: "none", n: "4", m: "8", share: "0.5" };
export const FIRST_OWN: OwnFields = { bits: 4, isSymmetric: true, per: "32", size: "256" };

/** The forms of pruning in words. */
export const PRUNING_FORMS: readonly { readonly form: PruningFields["form"]; readonly words: string }[] = [
  { form: "none", words: "nothing" },
  { form: "2:4", words: "2 of every 4 neighbours" },
  { form: "n:m", words: "n of every m neighbours" },
  { form: "share", words: "a share of each matrix" },
  { form: "rows", words: "whole rows" },
  { form: "columns", words: "whole columns" },
];

/** What may share one scale, in words. */
export const SCALES_PER: readonly { readonly per: OwnFields["per"]; readonly words: string }[] = [
  { per: "tensor", words: "matrix" },
  { per: "channel", words: "output row" },
  { per: "32", words: "group of 32" },
  { per: "64", words: "group of 64" },
  { per: "128", words: "group of 128" },
  { per: "other", words: "group of another size" },
];

/** The name of the pruning that the fields mean, unchecked; null without one. */
function pruningText({ form, n, m, share }: PruningFields): string | null {
  const texts = {
    none: null,
    "2:4": "magnitude:2:4",
    "n:m": `magnitude:${n.trim()}:${m.trim()}`,
    share: `magnitude:${share.trim()}`,
    rows: `magnitude:rows:${share.trim()}`,
    columns: `magnitude:columns:${share.trim()}`,
  };
  return texts[form];
}

/** What the fields of pruning mean: in words, or why they mean nothing. */
export function readPruning(fields: PruningFields): Reading {
  const text = pruningText(fields);
  if (text === null) return { isGood: true, name: "", words: "" };
  const reading = readRecipe(`${text} | none`);
  return reading.isGood ? { ...reading, words: reading.words.replace(", nothing is quantized", "") } : reading;
}

/** `scheme` after that pruning; `none` for pruning alone. What cannot be read comes back as it was put together. */
export function prunedRecipe(scheme: string, pruning: PruningFields): string {
  const text = pruningText(pruning);
  if (text === null) return scheme;
  try {
    return withPruning(scheme, parsePruning(text));
  } catch {
    return `${text} | ${scheme}`;
  }
}

/** What the fields of an own scheme mean after that pruning. */
export function readOwn({ bits, isSymmetric, per, size }: OwnFields, pruning: PruningFields): Reading {
  const scale = per === "tensor" || per === "channel" ? per : `group=${per === "other" ? size.trim() : per}`;
  const own = readRecipe(`int${bits}:${scale}${isSymmetric ? "" : ":asym"}`);
  if (!own.isGood) return own;
  return readPruning(pruning).isGood ? readRecipe(prunedRecipe(own.name, pruning)) : PRUNING_IS_WRONG;
}

const PRUNING_IS_WRONG: Reading = { isGood: false, words: "What is to be pruned first cannot be read." };

/** A recipe that one press chooses or takes out. */
export interface Offer {
  readonly label: string;
  /** In its one spelling. */
  readonly recipe: string;
  readonly words: string;
  readonly look: RecipeLook;
  readonly isChosen: boolean;
  /** Why it cannot be added, or null. */
  readonly blocked: string | null;
}

/** The presets in groups that people look for, each after the given pruning; with a pruning, also that pruning alone. */
export function offers(
  chosen: readonly string[],
  pruning: PruningFields,
): readonly { readonly title: string; readonly offers: readonly Offer[] }[] {
  const group = (title: string, belongs: (scheme: Scheme) => boolean) => ({
    title,
    offers: PRESETS.filter(belongs).map(({ name }) => offer(name, name, chosen, pruning)),
  });
  const alone = { title: "Pruned alone", offers: [offer("not quantized", "none", chosen, pruning)] };
  return [
    ...(pruning.form === "none" ? [] : [alone]),
    group("Weights alone", ({ inputActivations }) => inputActivations === null),
    group("Activations to 8 bits too", ({ inputActivations }) => inputActivations?.bits === 8),
    group("Activations to 4 bits too", ({ inputActivations }) => inputActivations?.bits === 4),
  ];
}

function offer(label: string, scheme: string, chosen: readonly string[], pruning: PruningFields): Offer {
  const recipe = prunedRecipe(scheme, pruning);
  const reading = readPruning(pruning).isGood ? readRecipe(recipe) : PRUNING_IS_WRONG;
  const isChosen = chosen.includes(recipe);
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

/** The chosen ones with this recipe at their end. */
export function withRecipe(chosen: readonly string[], recipe: string): readonly string[] {
  return chosen.includes(recipe) || chosen.length >= MAX_RECIPES ? chosen : [...chosen, recipe];
}

/** The chosen ones without this recipe; one always stays. */
export function withoutRecipe(chosen: readonly string[], recipe: string): readonly string[] {
  const rest = chosen.filter((other) => other !== recipe);
  return rest.length === 0 ? chosen : rest;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
