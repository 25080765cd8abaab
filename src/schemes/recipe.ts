import { LabError, quote } from "../base/errors.ts";
import { compareCodePoints } from "../base/json-text.ts";
import { isCustom, parseCustom } from "./custom.ts";
import { findPreset, unknownScheme } from "./presets.ts";
import { describePruning, type Pruning, parsePruning, pruningName } from "./pruning.ts";
import { describeScheme, type Scheme } from "./scheme.ts";
import { moduleMatcher } from "./targets.ts";

/** A scheme and the modules that it is for. */
export interface ConfigGroup {
  readonly scheme: Scheme;
  /** Exact module names, or `re:` and a pattern matched at the start; empty: every module that no earlier group took. */
  readonly targets: readonly string[];
}

/** What a row of the comparison does to a checkpoint: pruning, then quantization, either of them alone, or both. */
export interface Recipe {
  /** As its user writes it, in one canonical spelling: `W4A16`, `magnitude:2:4 | W4A16`, `W8A16@re:.*down_proj; W4A16`. */
  readonly name: string;
  readonly pruning: Pruning | null;
  /** In order; the first group that targets a module takes it. Empty: nothing is quantized (`none`). */
  readonly groups: readonly ConfigGroup[];
}

/** In LLM Compressor the class whose name means every module; a group that targets it takes all that is left. */
export const EVERY_LINEAR = "Linear";

/**
 * The recipe that a text means. Page and command line read this one grammar:
 * ```
 * recipe := [pruning "|"] ("none" | group (";" group)*)
 * group  := scheme ("@" target)*
 * ```
 * with a pruning as `parsePruning` reads it, a scheme as `parseScheme` does, and a target that is an exact module name or
 * `re:` and a pattern. White space around the parts does not count. A target holds neither `;` nor `@`; the first `|`
 * ends the pruning only where the text begins with `magnitude:`, so that patterns may use it. The target `Linear` says the
 * same as no target. A group without targets takes all that is left, so it is the last.
 * @throws LabError `scheme/unknown`, `scheme/bad-custom`, `scheme/bad-pruning`, `scheme/bad-pattern`, `scheme/bad-recipe`
 * (grammar), `scheme/unreachable-group`, `scheme/nothing-to-do` (`none` without a pruning)
 */
export function parseRecipe(spec: string): Recipe {
  const { pruning, groups } = readSpec(spec);
  return makeRecipe(pruning, groups);
}

/** The same, and `none` alone: a model that is changed by nothing but what is rounded while it runs. */
export function parseRunRecipe(spec: string): Recipe {
  const { pruning, groups } = readSpec(spec);
  return pruning === null && groups.length === 0 ? { name: "none", pruning, groups } : makeRecipe(pruning, groups);
}

/**
 * The canonical spelling of a recipe with this pruning in place of its own. `spec` may be `none`.
 * @param pruning null: without pruning
 * @throws LabError as `parseRecipe`
 */
export function withPruning(spec: string, pruning: Pruning | null): string {
  return makeRecipe(pruning, readSpec(spec).groups).name;
}

/**
 * A preset under any letter case, or a custom scheme. A preset's name wins: `int8` is LLM Compressor's INT8, which rounds
 * activations too; `int8:group=128` is the custom scheme.
 * @throws LabError `scheme/unknown`, `scheme/bad-custom`
 */
export function parseScheme(text: string): Scheme {
  const preset = findPreset(text);
  if (preset) return preset;
  if (isCustom(text)) return parseCustom(text);
  throw unknownScheme(text);
}

function readSpec(spec: string): Pick<Recipe, "pruning" | "groups"> {
  const { pruning, rest } = splitPruning(spec);
  if (rest.toLowerCase() === "none") return { pruning, groups: [] };
  const groups = rest.split(";").map((text) => parseGroup(text.trim(), spec));
  requireReachable(groups, spec);
  return { pruning, groups };
}

function splitPruning(spec: string): { readonly pruning: Pruning | null; readonly rest: string } {
  const bar = spec.indexOf("|");
  const head = (bar < 0 ? spec : spec.slice(0, bar)).trim();
  if (!/^magnitude:/i.test(head)) return { pruning: null, rest: spec.trim() };
  const pruning = parsePruning(head);
  if (bar < 0) {
    throw badRecipe(spec, "a pruning and nothing after it", 'a scheme or "none" after "|"', `write "${head} | none"`);
  }
  return { pruning, rest: spec.slice(bar + 1).trim() };
}

function parseGroup(text: string, spec: string): ConfigGroup {
  const [name = "", ...targets] = text.split("@").map((part) => part.trim());
  if (name === "" || name.toLowerCase() === "none") {
    throw badRecipe(
      spec,
      name === "" ? "a group without a scheme" : `"${quote(text)}" as a group`,
      "scheme@target; scheme@target; …",
      name === "" ? 'name a scheme before each "@" and ";"' : "leave modules alone with the ignore list",
    );
  }
  const scheme = parseScheme(name);
  if (targets.includes("")) {
    throw badRecipe(
      spec,
      'an empty target after "@"',
      "a module's name, or re: and a pattern",
      'write it or drop the "@"',
    );
  }
  moduleMatcher(targets);
  return { scheme, targets: targets.includes(EVERY_LINEAR) ? [] : targets };
}

function requireReachable(groups: readonly ConfigGroup[], spec: string): void {
  const all = groups.findIndex(({ targets }) => targets.length === 0);
  const shadowed = groups[all + 1];
  if (all >= 0 && shadowed) {
    throw new LabError({
      code: "scheme/unreachable-group",
      doing: reading(spec),
      found: `${groups[all]?.scheme.name} for all modules, and ${shadowed.scheme.name} after it`,
      allowed: "one group without targets at most, the last",
      advice: "move the group without targets to the end, or give it targets",
      fields: { recipe: quote(spec), scheme: shadowed.scheme.name },
    });
  }
  const targets = groups.flatMap((group) => group.targets);
  const twice = targets.find((target, at) => targets.indexOf(target) < at);
  // model_free_ptq would follow the first of the two groups, oneshot and the loaders the second.
  if (twice !== undefined) {
    throw badRecipe(spec, `the target "${quote(twice)}" twice`, "each target once", "drop one of the two");
  }
}

function makeRecipe(pruning: Pruning | null, groups: readonly ConfigGroup[]): Recipe {
  if (pruning === null && groups.length === 0) {
    throw new LabError({
      code: "scheme/nothing-to-do",
      doing: reading("none"),
      found: "neither a pruning nor a scheme",
      allowed: "a scheme, a pruning, or both",
      advice: 'choose a scheme, or prune: "magnitude:2:4 | none"',
    });
  }
  const texts = groups.map(({ scheme, targets }) => [scheme.name, ...targets].join("@"));
  const schemes = texts.join("; ") || "none";
  return { name: pruning ? `${pruningName(pruning)} | ${schemes}` : schemes, pruning, groups };
}

/** A recipe in words: `of every 4 neighbours the 2 smallest become zero, then int4, symmetric, groups of 128`. */
export function describeRecipe({ pruning, groups }: Recipe): string {
  const pruned = pruning && describePruning(pruning);
  const quantized = describeGroups(groups);
  if (!pruned) return quantized;
  return quantized === "" ? `${pruned}, nothing is quantized` : `${pruned}, then ${quantized}`;
}

function describeGroups(groups: readonly ConfigGroup[]): string {
  const [only] = groups;
  if (only && groups.length === 1 && only.targets.length === 0) return describeScheme(only.scheme);
  const parts = groups.map(({ scheme, targets }) => `${targets.join(", ") || "the rest"}: ${describeScheme(scheme)}`);
  if (groups.length > 0 && groups.at(-1)?.targets.length !== 0) parts.push("the rest: as it is");
  return parts.join("; ");
}

/** Whether the inputs of some layers are rounded too. */
export function roundsActivations(recipe: Recipe): boolean {
  return recipe.groups.some(({ scheme }) => scheme.inputActivations !== null);
}

/** Whether the inputs of some layers are rounded by static scales, which only running a calibration text can give. */
export function needsCalibration(recipe: Recipe): boolean {
  return recipe.groups.some(({ scheme }) => scheme.inputActivations?.dynamic === false);
}

/**
 * Which group takes a module by its name: the first in order with a target that matches; null where none does. Ignored
 * modules are the caller's to leave out.
 * Source: LLM Compressor 0.14 `entrypoints/model_free/converter.py :: _match_tensors_to_schemes`.
 */
export function groupFor(recipe: Recipe): (module: string) => ConfigGroup | null {
  const matchers = recipe.groups.map((group) => ({
    group,
    matches: group.targets.length === 0 ? () => true : moduleMatcher(group.targets),
  }));
  return (module) => matchers.find(({ matches }) => matches(module))?.group ?? null;
}

/**
 * Whether `oneshot`, and whatever loads the checkpoint through compressed-tensors, gives a module another scheme than
 * `groupFor`: they do not go by the order of the groups but take exact names first, then patterns in the order of their
 * letters, the class last. Such a checkpoint does not load as it was written.
 * Source: compressed-tensors 0.19 `quantization/lifecycle/apply.py :: apply_quantization_config`, `utils/match.py ::
 * match_targets`.
 */
export function precedenceDiffers(recipe: Recipe): (module: string) => boolean {
  const first = groupFor(recipe);
  // "re:" anywhere in it, as the tool's sorting key has it.
  const isPattern = (target: string) => Number(target.includes("re:"));
  const byTarget = recipe.groups
    .flatMap((group) => group.targets.map((target) => ({ group, target, matches: moduleMatcher([target]) })))
    .sort((a, b) => isPattern(a.target) - isPattern(b.target) || compareCodePoints(a.target, b.target));
  const rest = recipe.groups.find(({ targets }) => targets.length === 0);
  return (module) => {
    const other = byTarget.find(({ matches }) => matches(module))?.group ?? rest;
    return other?.scheme.name !== first(module)?.scheme.name;
  };
}

function reading(spec: string): string {
  return `reading the recipe "${quote(spec)}"`;
}

function badRecipe(spec: string, found: string, allowed: string, advice: string): LabError {
  return new LabError({
    code: "scheme/bad-recipe",
    doing: reading(spec),
    found,
    allowed,
    advice,
    fields: { recipe: quote(spec) },
  });
}
