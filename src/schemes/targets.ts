import { LabError, quote } from "../base/errors.ts";

/** Modules that LLM Compressor's examples leave alone in Llama-like models, and the lab unless told otherwise. */
export const DEFAULT_IGNORE: readonly string[] = ["lm_head", "re:.*embed_tokens"];

/** Syntax that Python's `re` and JavaScript read differently, or that only one of them knows. */
const NOT_SHARED_SYNTAX: readonly { readonly pattern: RegExp; readonly name: string }[] = [
  { pattern: /\(\?P/, name: "(?P…)" },
  { pattern: /\(\?[aiLmsux-]+[:)]/, name: "inline flags" },
  { pattern: /\(\?#/, name: "comments" },
  { pattern: /\(\?\(/, name: "conditionals" },
  { pattern: /\(\?<(?![=!])/, name: "(?<…>)" },
  { pattern: /\\(?![dDsSwWbBtnrfv])[A-Za-z]/, name: "a letter after \\ other than d D s S w W b B t n r f v" },
  { pattern: /\[\^?\]/, name: "a class that begins with ]" },
  { pattern: /\{,/, name: "{,…}" },
  { pattern: /[*+?}]\+/, name: "possessive quantifiers" },
  { pattern: /\(\?>/, name: "atomic groups" },
];

/** Tells whether a module is among those that a list of entries means. */
export type ModuleMatcher = (module: string) => boolean;

/**
 * A matcher of the entries of an `ignore` list or of a group's targets: an exact module name, or `re:` and a pattern that
 * must match from the start of the name, though not to its end (Python's `re.match`). No entries match nothing.
 * Source: compressed-tensors 0.19 `utils/match.py :: match_name`.
 * @throws LabError `scheme/bad-pattern` where a pattern would mean something else in Python, or nothing at all
 */
export function moduleMatcher(entries: readonly string[]): ModuleMatcher {
  const names = new Set(entries.filter((entry) => !entry.startsWith("re:")));
  const patterns = entries.filter((entry) => entry.startsWith("re:")).map(compilePattern);
  return (module) => names.has(module) || patterns.some((pattern) => pattern.test(module));
}

function compilePattern(entry: string): RegExp {
  const source = entry.slice("re:".length);
  const foreign = NOT_SHARED_SYNTAX.find(({ pattern }) => pattern.test(source));
  if (foreign) throw badPattern(entry, `it uses ${foreign.name}`);
  try {
    return new RegExp(`^(?:${source})`);
  } catch (cause) {
    throw badPattern(entry, "it is not a regular expression", cause);
  }
}

function badPattern(entry: string, found: string, cause?: unknown): LabError {
  return new LabError({
    code: "scheme/bad-pattern",
    doing: `reading the pattern "${quote(entry)}"`,
    found,
    allowed: "the syntax that Python's re and JavaScript share",
    advice: "write it with plain groups, classes and quantifiers, or give exact module names",
    fields: { entry: quote(entry) },
    cause,
  });
}

/**
 * Whether `model_free_ptq` takes a tensor: a parameter named `weight` of a module whose name does not end in "norm".
 * Source: compressed-tensors 0.19 `utils/match.py :: match_quantizable_tensors`.
 * @returns the module's name, or null
 */
export function quantizableModule(tensorName: string): string | null {
  const dot = tensorName.lastIndexOf(".");
  const module = dot < 0 ? "" : tensorName.slice(0, dot);
  if (tensorName.slice(dot + 1) !== "weight" || module.endsWith("norm")) return null;
  return module;
}
