import { LabError, quote } from "../base/errors.ts";
import { compareCodePoints } from "../base/json-text.ts";
import { customName, isCustom, parseCustom } from "./custom.ts";
import { beginsMethod, describeMethod, type Method, PLAIN_ROUNDING, parseMethod } from "./method.ts";
import { findPreset, unknownScheme } from "./presets.ts";
import {
  beginsPruning,
  describePruning,
  type Pruning,
  parsePruning,
  prunesByCalibration,
  pruningName,
  removesParts,
} from "./pruning.ts";
import { describeScheme, rangeSearcher, type Scheme } from "./scheme.ts";
import { moduleMatcher } from "./targets.ts";

/** A scheme and the modules that it is for. */
export interface ConfigGroup {
  readonly scheme: Scheme;
  /** Exact module names, or `re:` and a pattern matched at the start; empty: every module that no earlier group took. */
  readonly targets: readonly string[];
}

/** What a row of the comparison does to a checkpoint: pruning, then quantization, either of them alone, or both. */
export interface Recipe {
  /**
   * As its user writes it, in one canonical spelling: `W4A16`, `magnitude:2:4 | W4A16`, `W8A16@re:.*down_proj; W4A16`,
   * `wanda:2:4 | smoothquant:strength=0.8+gptq | W8A8`.
   */
  readonly name: string;
  readonly pruning: Pruning | null;
  /** How the weights that the groups take become codes; plain rounding where nothing is quantized. */
  readonly method: Method;
  /** In order; the first group that targets a module takes it. Empty: nothing is quantized (`none`). */
  readonly groups: readonly ConfigGroup[];
}

/** In LLM Compressor the class whose name means every module; a group that targets it takes all that is left. */
export const EVERY_LINEAR = "Linear";

/**
 * The recipe that a text means. Page and command line read this one grammar:
 * ```
 * recipe := [pruning "|"] [method "|"] ("none" | group (";" group)*)
 * group  := scheme ("@" target)*
 * ```
 * with a pruning as `parsePruning` reads it, a method as `parseMethod` does, a scheme as `parseScheme` does, and a target
 * that is an exact module name or `re:` and a pattern. White space around the parts does not count. A target holds neither
 * `;` nor `@`; a `|` ends a pruning or a method only where the text before it begins with the name of one, so that patterns
 * may use it. The target `Linear` says the same as no target. A group without targets takes all that is left, so it is the
 * last. The method `rtn` says the same as none.
 * @throws LabError `scheme/unknown`, `scheme/bad-custom`, `scheme/bad-pruning`, `scheme/bad-method`, `scheme/bad-pattern`,
 * `scheme/bad-recipe` (grammar; a method for `none`, which rounds nothing; AWQ's duo scaling of weights that share one scale
 * per matrix; a scheme after a pruning that removes parts), `scheme/unreachable-group`, `scheme/nothing-to-do` (`none` without a pruning)
 */
export function parseRecipe(spec: string): Recipe {
  return makeRecipe(readSpec(spec), spec);
}

/** The same, and `none` alone: a model that is changed by nothing but what is rounded while it runs. */
export function parseRunRecipe(spec: string): Recipe {
  const parts = readSpec(spec);
  const isUnchanged = parts.pruning === null && parts.groups.length === 0 && isPlain(parts.method);
  return isUnchanged ? { name: "none", ...parts } : makeRecipe(parts, spec);
}

/**
 * The canonical spelling of a recipe with this pruning in place of its own. `spec` may be `none`.
 * @param pruning null: without pruning
 * @throws LabError as `parseRecipe`
 */
export function withPruning(spec: string, pruning: Pruning | null): string {
  return makeRecipe({ ...readSpec(spec), pruning }, spec).name;
}

/**
 * The canonical spelling of a recipe with this method in place of its own.
 * @param method null: plain rounding
 * @throws LabError as `parseRecipe`
 */
export function withMethod(spec: string, method: Method | null): string {
  return makeRecipe({ ...readSpec(spec), method: method ?? PLAIN_ROUNDING }, spec).name;
}

/** Whether a recipe says itself how it rounds, if only by `rtn`, which its canonical spelling leaves out. */
export function namesMethod(spec: string): boolean {
  const { rest } = splitHead(spec, beginsPruning, "a pruning");
  return beginsMethod(splitHead(rest, beginsMethod, "a method").head ?? "");
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

type RecipeParts = Omit<Recipe, "name">;

function readSpec(spec: string): RecipeParts {
  const { head: pruningText, rest: afterPruning } = splitHead(spec, beginsPruning, "a pruning");
  const { head: methodText, rest } = splitHead(afterPruning, beginsMethod, "a method");
  const pruning = pruningText === null ? null : parsePruning(pruningText);
  const method = methodText === null ? PLAIN_ROUNDING : parseMethod(methodText);
  if (rest.toLowerCase() === "none") return { pruning, method, groups: [] };
  const groups = rest.split(";").map((text) => parseGroup(text.trim(), spec));
  requireReachable(groups, spec);
  return { pruning, method, groups };
}

/** What stands before the first `|` where `begins` takes it for one of its own, and what comes after that. */
function splitHead(
  spec: string,
  begins: (text: string) => boolean,
  what: string,
): { readonly head: string | null; readonly rest: string } {
  const bar = spec.indexOf("|");
  const head = (bar < 0 ? spec : spec.slice(0, bar)).trim();
  if (!begins(head)) return { head: null, rest: spec.trim() };
  if (bar >= 0) return { head, rest: spec.slice(bar + 1).trim() };
  throw badRecipe(
    spec,
    `${what} and nothing after it`,
    'a scheme or "none" after "|"',
    `write "${quote(head)} | W4A16"`,
  );
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

function makeRecipe(parts: RecipeParts, spec: string): Recipe {
  const { pruning, method, groups } = parts;
  if (pruning && removesParts(pruning) && groups.length > 0) {
    throw badRecipe(
      spec,
      `${pruningName(pruning)}, which makes a smaller model, and a scheme`,
      '"none" after it',
      `export "${pruningName(pruning)} | none", then open the smaller model and quantize that`,
    );
  }
  if (!isPlain(method)) requireMethodFits(method, groups, spec);
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
  const heads = [...(pruning ? [pruningName(pruning)] : []), ...(isPlain(method) ? [] : [method.name])];
  return { name: [...heads, texts.join("; ") || "none"].join(" | "), ...parts };
}

function isPlain(method: Method): boolean {
  return method.name === PLAIN_ROUNDING.name;
}

/** Source: LLM Compressor 0.14 `modifiers/transform/awq/base.py :: on_calibration_start`, a ValueError for duo scaling. */
function requireMethodFits(method: Method, groups: readonly ConfigGroup[], spec: string): void {
  if (groups.length === 0) {
    throw badRecipe(
      spec,
      `the method ${quote(method.name)} and no scheme: nothing is rounded`,
      "a scheme after a method",
      `write "${quote(method.name)} | W4A16", or leave the method out`,
    );
  }
  const isDuo = method.transforms.some((transform) => transform.kind === "awq" && transform.duoScaling !== false);
  const whole = groups.find(({ scheme }) => scheme.weights.granularity.strategy === "tensor");
  if (isDuo && whole) {
    throw badRecipe(
      spec,
      `AWQ with duo scaling, and ${whole.scheme.name} with one scale per matrix, which LLM Compressor refuses`,
      "duo scaling where rows or groups have scales of their own",
      "write awq:duo=no, or take a scheme with scales per channel or group",
    );
  }
}

/**
 * A recipe in words: `of every 4 neighbours the 2 smallest become zero, then int4, symmetric, groups of 128`; with a method
 * other than plain rounding that before the schemes, as `describeMethod` says it.
 */
export function describeRecipe({ pruning, method, groups }: Recipe): string {
  const pruned = pruning && describePruning(pruning);
  const quantized = isPlain(method) ? describeGroups(groups) : `${describeMethod(method)}: ${describeGroups(groups)}`;
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
export function hasStaticActivations(recipe: Recipe): boolean {
  return recipe.groups.some(({ scheme }) => scheme.inputActivations?.dynamic === false);
}

/**
 * Whether the weights themselves depend on a calibration text: by a method other than plain rounding, by such a pruning, or
 * by ranges that are weighed by what goes into the layers.
 */
export function needsMethodRun(recipe: Pick<Recipe, "method" | "pruning" | "groups">): boolean {
  return !isPlain(recipe.method) || prunesByCalibration(recipe.pruning) || weighsRanges(recipe);
}

/** Whether what goes into some layers decides the ranges of their weights. */
export function weighsRanges({ groups }: Pick<Recipe, "groups">): boolean {
  return groups.some(({ scheme }) => rangeSearcher(scheme.weights) === "imatrix_mse");
}

/**
 * What a recipe is held against to see what its method buys: the same schemes rounded plainly, a calibrated pruning by
 * magnitude instead, and ranges from smallest to largest where inputs weighed them. Null where it is plain itself, or
 * removes parts, for which no plain rule stands.
 */
export function plainTwin(spec: string): string | null {
  const { pruning, groups, method } = parseRunRecipe(spec);
  if (!needsMethodRun({ pruning, groups, method }) || (pruning && removesParts(pruning))) return null;
  const plainPruning =
    prunesByCalibration(pruning) && pruning ? { ...pruning, criterion: "magnitude" as const } : pruning;
  const plainGroups = groups.map(({ scheme, targets }) => ({ scheme: withoutImportance(scheme), targets }));
  return makeRecipe({ pruning: plainPruning, method: PLAIN_ROUNDING, groups: plainGroups }, spec).name;
}

function withoutImportance(scheme: Scheme): Scheme {
  if (rangeSearcher(scheme.weights) !== "imatrix_mse") return scheme;
  const plain = { ...scheme, weights: { ...scheme.weights, observer: null } };
  return { ...plain, name: customName(plain) };
}

/**
 * Recipes with the plain twin of each before the first that has it, each recipe once.
 * @param most of those that are added, so that there are no more than this in all; those of the last recipes are left out
 */
export function withPlainTwins(specs: readonly string[], most: number): readonly string[] {
  const names: string[] = [];
  let room = most - specs.length;
  for (const spec of specs) {
    const twin = plainTwin(spec);
    if (twin !== null && !specs.includes(twin) && !names.includes(twin) && room > 0) {
      names.push(twin);
      room--;
    }
    if (!names.includes(spec)) names.push(spec);
  }
  return names;
}

/** Whether a calibration text is needed for anything: for the weights, or for the scales of static activations. */
export function needsCalibration(recipe: Recipe): boolean {
  return needsMethodRun(recipe) || hasStaticActivations(recipe);
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
