import type { LabError } from "../../base/errors.ts";
import { isJsonArray, isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import { named, TOKENIZER_FILE, tokenizerError } from "./tokenizer-errors.ts";

/** Ids that a tokenizer puts around one text when it adds its special tokens. */
export interface SequenceTemplate {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

type FieldKind = "string" | "boolean" | "pattern" | "behavior" | "scheme" | "steps";

/** A step of a pipeline: its fields, `?` where one may be absent or null. */
type StepFields = Readonly<Record<string, FieldKind | `${FieldKind}?`>>;

/** Normalizers that `text-thread.mjs` runs as the reference does. `Precompiled` is not among them: it needs a charsmap. */
const NORMALIZERS: ReadonlyMap<string, StepFields> = new Map<string, StepFields>([
  ["Sequence", { normalizers: "steps" }],
  ["Replace", { pattern: "pattern", content: "string" }],
  ["Prepend", { prepend: "string" }],
  ["Strip", { strip_left: "boolean?", strip_right: "boolean?" }],
  ["BertNormalizer", { clean_text: "boolean?", handle_chinese_chars: "boolean?", lowercase: "boolean?" }],
  ...["NFC", "NFD", "NFKC", "NFKD", "StripAccents", "Lowercase"].map((type) => [type, {}] as const),
]);

const PRE_TOKENIZERS: ReadonlyMap<string, StepFields> = new Map<string, StepFields>([
  ["Sequence", { pretokenizers: "steps" }],
  ["ByteLevel", { add_prefix_space: "boolean?", use_regex: "boolean?" }],
  ["Split", { pattern: "pattern", behavior: "behavior", invert: "boolean?" }],
  ["Punctuation", { behavior: "behavior?" }],
  ["Digits", { individual_digits: "boolean?" }],
  ["Metaspace", { replacement: "string?", prepend_scheme: "scheme?", split: "boolean?", add_prefix_space: "boolean?" }],
  ...["Whitespace", "WhitespaceSplit", "BertPreTokenizer"].map((type) => [type, {}] as const),
]);

const BEHAVIORS = new Set(["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]);
const SCHEMES = new Set(["always", "first", "never"]);

/** Steps of one pipeline. Public files have at most a dozen; each one walks the whole text. */
const MAX_STEPS = 64;

/**
 * Checks the normalizer, the pre-tokenizer and the post-processor of a tokenizer.json.
 * @param ids ids by token, added ones included
 * @throws LabError `tokenizer/bad-structure`, `tokenizer/unsupported`, `tokenizer/missing-token`
 */
export function checkPipeline(json: JsonObject, ids: ReadonlyMap<string, number>): SequenceTemplate {
  checkSteps(json.get("normalizer"), "normalizer", NORMALIZERS, { steps: 0 });
  checkSteps(json.get("pre_tokenizer"), "pre_tokenizer", PRE_TOKENIZERS, { steps: 0 });
  return readPostProcessor(json.get("post_processor"), ids, { steps: 0 });
}

interface Count {
  steps: number;
}

function checkSteps(
  step: JsonValue | undefined,
  place: string,
  known: ReadonlyMap<string, StepFields>,
  count: Count,
): void {
  if (step === undefined || step === null) return;
  const { type, object } = stepOf(step, place, count);
  const fields = known.get(type);
  if (!fields) throw unsupported(`the ${place} ${named(type)}`);
  for (const [name, kind] of Object.entries(fields)) {
    const value = object.get(name);
    if (kind === "steps" && isJsonArray(value)) {
      for (const inner of value) checkSteps(inner, place, known, count);
      continue;
    }
    if (!isOfKind(value, kind)) throw badStructure(`${name} of the ${place} ${type}`, `a ${kind.replace("?", "")}`);
  }
}

function stepOf(step: JsonValue, place: string, count: Count): { readonly type: string; readonly object: JsonObject } {
  count.steps++;
  if (count.steps > MAX_STEPS) throw badStructure(`more than ${MAX_STEPS} steps in the ${place}`, "fewer");
  const type = isJsonObject(step) ? step.get("type") : undefined;
  if (!isJsonObject(step) || typeof type !== "string") throw badStructure(`a ${place} without a type`, "an object");
  return { type, object: step };
}

function isOfKind(value: JsonValue | undefined, kind: string): boolean {
  if (value === undefined || value === null) return kind.endsWith("?");
  switch (kind.replace("?", "")) {
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "behavior":
      return typeof value === "string" && BEHAVIORS.has(value);
    case "scheme":
      return typeof value === "string" && SCHEMES.has(value);
    case "pattern":
      return isPattern(value);
    default:
      return false;
  }
}

/** `{"Regex": …}` or `{"String": …}`; no empty string, which stands between any two characters. */
function isPattern(value: JsonValue): boolean {
  if (!isJsonObject(value) || value.size !== 1) return false;
  const literal = value.get("String");
  return typeof value.get("Regex") === "string" || (typeof literal === "string" && literal !== "");
}

function readPostProcessor(
  step: JsonValue | undefined,
  ids: ReadonlyMap<string, number>,
  count: Count,
): SequenceTemplate {
  if (step === undefined || step === null) return { before: [], after: [] };
  const { type, object } = stepOf(step, "post_processor", count);
  switch (type) {
    case "ByteLevel":
      return { before: [], after: [] };
    case "BertProcessing":
    case "RobertaProcessing":
      return { before: [pairedId(object, "cls", ids)], after: [pairedId(object, "sep", ids)] };
    case "TemplateProcessing":
      return readTemplate(object, ids);
    case "Sequence": {
      const processors = object.get("processors");
      if (!isJsonArray(processors)) throw badStructure("a Sequence without processors", "an array");
      // Each wraps what the one before it made.
      return processors
        .map((inner) => readPostProcessor(inner, ids, count))
        .reduce((sum, { before, after }) => ({ before: [...before, ...sum.before], after: [...sum.after, ...after] }), {
          before: [],
          after: [],
        });
    }
    default:
      throw unsupported(`the post_processor ${named(type)}`);
  }
}

function readTemplate(object: JsonObject, ids: ReadonlyMap<string, number>): SequenceTemplate {
  const [single, tokens] = [object.get("single"), object.get("special_tokens")];
  if (!isJsonArray(single)) throw badStructure("a TemplateProcessing without single", "an array of pieces");
  const [before, after]: [number[], number[]] = [[], []];
  let sequences = 0;
  for (const piece of single) {
    const special = isJsonObject(piece) ? piece.get("SpecialToken") : undefined;
    const sequence = isJsonObject(piece) ? piece.get("Sequence") : undefined;
    if (isJsonObject(special) && typeof special.get("id") === "string") {
      (sequences === 0 ? before : after).push(specialId(String(special.get("id")), tokens, ids));
    } else if (isJsonObject(sequence) && sequence.get("id") === "A") sequences++;
    else throw badStructure("a piece of a template that is neither", "SpecialToken, or Sequence A");
  }
  if (sequences !== 1) throw badStructure(`a template with ${sequences} places for the text`, "one");
  return { before, after };
}

/** The library takes a template's token by its name: that must give the ids that the file promises. */
function specialId(name: string, tokens: JsonValue | undefined, ids: ReadonlyMap<string, number>): number {
  const id = ids.get(name);
  const entry = isJsonObject(tokens) ? tokens.get(name) : undefined;
  if (id === undefined || !isJsonObject(entry)) throw missingToken(`${named(name)} in the template`);
  const promised = entry.get("ids");
  const [first] = isJsonArray(promised) ? promised : [];
  if (
    !isJsonArray(promised) ||
    promised.length !== 1 ||
    !isJsonNumber(first) ||
    first.asUnsignedInteger() !== BigInt(id)
  ) {
    throw unsupported(`other ids for ${named(name)} in the template than in the vocabulary`);
  }
  return id;
}

/** `["[CLS]", 101]` */
function pairedId(object: JsonObject, key: string, ids: ReadonlyMap<string, number>): number {
  const pair = object.get(key);
  const [name] = isJsonArray(pair) ? pair : [];
  const id = typeof name === "string" ? ids.get(name) : undefined;
  if (id === undefined) throw missingToken(`${key} of the post_processor`);
  return id;
}

function missingToken(found: string): LabError {
  const allowed = "names of tokens that the vocabulary has";
  return tokenizerError({ code: "tokenizer/missing-token", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}

function badStructure(found: string, allowed: string): LabError {
  return tokenizerError({ code: "tokenizer/bad-structure", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}

function unsupported(found: string): LabError {
  const allowed = "steps that the lab runs exactly as the reference does";
  return tokenizerError({ code: "tokenizer/unsupported", rule: "K11", file: TOKENIZER_FILE, found, allowed });
}
