import { type ErrorCode, type ErrorFields, LabError, quote } from "../../base/errors.ts";
import { DEFAULT_JSON_LIMITS, type JsonLimits, type JsonValue, parseJson } from "../../base/json.ts";
import type { ByteSource } from "../byte-source.ts";

/** File names that a checkpoint's tokenizer lies in. */
export const TOKENIZER_FILE = "tokenizer.json";
export const TOKENIZER_CONFIG_FILE = "tokenizer_config.json";
export const CHAT_TEMPLATE_FILE = "chat_template.jinja";

/** Gemma's tokenizer.json has 33 MB and 1.9 million values: the largest in wide use. */
export const TOKENIZER_LIMITS = { maxBytes: 100_000_000, maxValues: 8_000_000 };

const ADVICE = "take the tokenizer that belongs to the weights, or give the text as token ids";

/** What is wrong with a tokenizer's file, in words of that file. */
export interface TokenizerFault {
  readonly code: ErrorCode;
  /** K01–K13 of the rules for untrusted tokenizers. */
  readonly rule: string;
  readonly file: string;
  readonly found: string;
  readonly allowed: string;
  readonly advice?: string;
  readonly fields?: ErrorFields;
  readonly cause?: unknown;
}

/** A refusal of a tokenizer's file. `found` must be safe to print. */
export function tokenizerError({ code, rule, file, found, allowed, advice, fields, cause }: TokenizerFault): LabError {
  return new LabError({
    code,
    doing: `reading ${file}`,
    found,
    allowed,
    advice: advice ?? ADVICE,
    fields: { rule, file, ...fields },
    cause,
  });
}

/** Rules of the JSON's text that are not K11 (structure). */
const JSON_RULES: ReadonlyMap<string, string> = new Map([
  ["json/too-deep", "K12"],
  ["json/too-large", "K09"],
  ["json/too-many-values", "K09"],
]);

/**
 * A JSON file of a tokenizer, read strictly, and its text.
 * @throws LabError those of `parseJson` with the field `rule`, `source/…`
 */
export async function readTokenizerJson(
  source: ByteSource,
  file: string,
  limits: Partial<JsonLimits>,
): Promise<{ readonly json: JsonValue; readonly bytes: Uint8Array<ArrayBuffer> }> {
  try {
    checkSize(source, file, limits.maxBytes ?? DEFAULT_JSON_LIMITS.maxBytes);
    const bytes = await source.read(0, source.sizeBytes);
    return { json: parseJson(bytes, file, limits), bytes };
  } catch (thrown) {
    if (!(thrown instanceof LabError) || !thrown.code.startsWith("json/")) throw thrown;
    const rule = JSON_RULES.get(thrown.code) ?? "K11";
    throw new LabError({ ...thrown.toData(), fields: { ...thrown.fields, rule, file }, cause: thrown.cause });
  }
}

/** @throws LabError `tokenizer/too-large` before anything is read */
export function checkSize(source: ByteSource, file: string, maxBytes: number): void {
  if (source.sizeBytes <= maxBytes) return;
  const found = `${source.sizeBytes} bytes`;
  throw tokenizerError({ code: "tokenizer/too-large", rule: "K09", file, found, allowed: `at most ${maxBytes} bytes` });
}

/** A name or content from the file, as it may stand in a message. */
export function named(text: string): string {
  return `"${quote(text)}"`;
}
