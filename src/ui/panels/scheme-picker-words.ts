import { asLabError } from "../../base/errors.ts";
import { describeMethod, type Method, parseMethod } from "../../schemes/method.ts";
import { type PruningCriterion, parsePruning } from "../../schemes/pruning.ts";
import { describeRecipe, parseRecipe, withMethod, withPruning } from "../../schemes/recipe.ts";

/** What a text means: a recipe under its one spelling with its meaning in words, or why it is none. */
export type Reading =
  | { readonly isGood: true; readonly name: string; readonly words: string }
  | { readonly isGood: false; readonly words: string };

/** Reads a recipe as the engine does. */
export function readRecipe(spec: string): Reading {
  return read(() => {
    const recipe = parseRecipe(spec);
    return { name: recipe.name, words: describeRecipe(recipe) };
  });
}

function read(parse: () => { readonly name: string; readonly words: string }): Reading {
  try {
    return { isGood: true, ...parse() };
  } catch (thrown) {
    const { found, allowed, advice } = asLabError(thrown, "reading a recipe");
    return { isGood: false, words: `${upper(found)}. Allowed: ${allowed}. ${upper(advice)}.` };
  }
}

/** What to prune before anything is quantized, as the fields have it. Texts are what a person typed. */
export interface PruningFields {
  readonly form: "none" | "2:4" | "n:m" | "share" | "rows" | "columns";
  /** Whole rows and columns go by magnitude whatever it says. */
  readonly criterion: PruningCriterion;
  readonly n: string;
  readonly m: string;
  readonly share: string;
}

/** How weights become codes, as the fields have it. */
export interface MethodFields {
  readonly form: "rtn" | "gptq" | "awq" | "smoothquant" | "smoothquant+gptq" | "own";
  /** Of SmoothQuant. */
  readonly strength: string;
  /** Of AWQ. */
  readonly duo: "yes" | "no" | "both";
  readonly clips: boolean;
  /** In the grammar of `parseMethod`. */
  readonly text: string;
}

/** What is done before and while a scheme rounds. */
export interface StepFields {
  readonly pruning: PruningFields;
  readonly method: MethodFields;
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
export const FIRST_PRUNING: PruningFields = { form: "none", criterion: "magnitude", n: "4", m: "8", share: "0.5" };
export const FIRST_METHOD: MethodFields = {
  form: "rtn",
  strength: usualStrength(),
  duo: "yes",
  clips: false,
  text: "",
};
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

/** What ranks the weights to prune, in words. */
export const PRUNING_CRITERIA: readonly { readonly criterion: PruningCriterion; readonly words: string }[] = [
  { criterion: "magnitude", words: "by magnitude" },
  { criterion: "wanda", words: "by Wanda" },
  { criterion: "sparsegpt", words: "by SparseGPT" },
];

/** The methods in words. */
export const METHOD_FORMS: readonly { readonly form: MethodFields["form"]; readonly words: string }[] = [
  { form: "rtn", words: "Plain rounding" },
  { form: "gptq", words: "GPTQ" },
  { form: "awq", words: "AWQ" },
  { form: "smoothquant", words: "SmoothQuant" },
  { form: "smoothquant+gptq", words: "SmoothQuant, then GPTQ" },
  { form: "own", words: "as text" },
];

/** Whether AWQ goes by weights too, in words. */
export const DUO_SCALINGS: readonly { readonly duo: MethodFields["duo"]; readonly words: string }[] = [
  { duo: "yes", words: "factors of activations and weights" },
  { duo: "no", words: "factors of activations alone" },
  { duo: "both", words: "half of the grid each" },
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
function pruningText({ form, criterion, n, m, share }: PruningFields): string | null {
  const texts = {
    none: null,
    "2:4": `${criterion}:2:4`,
    "n:m": `${criterion}:${n.trim()}:${m.trim()}`,
    share: `${criterion}:${share.trim()}`,
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

/** Whether what is pruned can be ranked by something else than magnitude. */
export function hasCriterion({ form }: PruningFields): boolean {
  return form === "2:4" || form === "n:m" || form === "share";
}

/** The strength that SmoothQuant has where none is given. */
function usualStrength(): string {
  const [transform] = parseMethod("smoothquant").transforms;
  return transform?.kind === "smoothquant" ? String(transform.strength) : "";
}

/** The method that the fields mean. @throws LabError `scheme/bad-method` */
function methodOf({ form, strength, duo, clips, text }: MethodFields): Method {
  const smooth = `smoothquant:strength=${strength.trim()}`;
  const texts = {
    rtn: "rtn",
    gptq: "gptq",
    awq: `awq:duo=${duo}${clips ? ":clip" : ""}`,
    smoothquant: smooth,
    "smoothquant+gptq": `${smooth}+gptq`,
    own: text,
  };
  return parseMethod(texts[form]);
}

/** What the fields of the method mean: in words, or why they mean nothing. */
export function readMethod(fields: MethodFields): Reading {
  if (fields.form === "rtn") return { isGood: true, name: "", words: "" };
  return read(() => {
    const method = methodOf(fields);
    return { name: method.name, words: describeMethod(method) };
  });
}

/** Whether the fields ask for something that a calibration text decides. */
export function needsText({ pruning, method }: StepFields): boolean {
  return method.form !== "rtn" || (hasCriterion(pruning) && pruning.criterion !== "magnitude");
}

/**
 * `scheme` after that pruning and by that method; `none` for pruning alone, which needs no method.
 * @returns why it means nothing, where it does not
 */
export function readSteps(scheme: string, { pruning, method }: StepFields): Reading {
  if (!readPruning(pruning).isGood) return { isGood: false, words: "What is to be pruned first cannot be read." };
  if (!readMethod(method).isGood) return { isGood: false, words: "The method cannot be read." };
  const text = pruningText(pruning);
  return read(() => {
    const pruned = text === null ? scheme : withPruning(scheme, parsePruning(text));
    const recipe = parseRecipe(scheme === "none" ? pruned : withMethod(pruned, methodOf(method)));
    return { name: recipe.name, words: describeRecipe(recipe) };
  });
}

/** What the fields of an own scheme mean after those steps. */
export function readOwn({ bits, isSymmetric, per, size }: OwnFields, steps: StepFields): Reading {
  const scale = per === "tensor" || per === "channel" ? per : `group=${per === "other" ? size.trim() : per}`;
  const own = readRecipe(`int${bits}:${scale}${isSymmetric ? "" : ":asym"}`);
  return own.isGood ? readSteps(own.name, steps) : own;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
