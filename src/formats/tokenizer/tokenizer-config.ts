import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Folder } from "../byte-source.ts";
import {
  CHAT_TEMPLATE_FILE,
  checkSize,
  readTokenizerJson,
  TOKENIZER_CONFIG_FILE,
  tokenizerError,
} from "./tokenizer-errors.ts";

/** What stands beside a tokenizer.json: names of its special tokens and the chat template. */
export interface TokenizerConfig {
  /** `bos_token`, `eos_token`, `pad_token`, `unk_token` and their like, by that key. */
  readonly tokens: ReadonlyMap<string, string>;
  /** What the config says of a leading BOS; null where it says nothing. The post-processor decides. */
  readonly addsBos: boolean | null;
  /** Jinja text, never run in this thread; null where the model has none. */
  readonly chatTemplate: string | null;
}

/** The longest public configs list some thousand added tokens: below 1 MB. */
const MAX_CONFIG_BYTES = 10_000_000;

/** The longest public templates have some 20 kB. */
const MAX_TEMPLATE_BYTES = 1_000_000;

const TOKEN_KEYS = ["bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token"];

/**
 * tokenizer_config.json and chat_template.jinja of a folder; where both have a template, the file's own counts, as in
 * transformers (`PreTrainedTokenizerBase._from_pretrained`).
 * @throws LabError `tokenizer/too-large`, `tokenizer/bad-structure`, `json/…`, `source/…`
 */
export async function readTokenizerConfig(folder: Folder): Promise<TokenizerConfig> {
  const source = folder.files.get(TOKENIZER_CONFIG_FILE);
  const config = source
    ? (await readTokenizerJson(source, TOKENIZER_CONFIG_FILE, { maxBytes: MAX_CONFIG_BYTES })).json
    : new Map<string, JsonValue>();
  if (!isJsonObject(config)) throw badStructure("JSON that is not an object", "an object");
  const addsBos = config.get("add_bos_token");
  return {
    tokens: new Map(TOKEN_KEYS.flatMap((key) => tokenEntry(key, config.get(key)))),
    addsBos: typeof addsBos === "boolean" ? addsBos : null,
    chatTemplate: (await templateFile(folder)) ?? configTemplate(config),
  };
}

function tokenEntry(key: string, value: JsonValue | undefined): readonly [string, string][] {
  if (value === undefined || value === null) return [];
  const content = isJsonObject(value) ? value.get("content") : value;
  if (typeof content !== "string") throw badStructure(`${key} that is no text`, "a token's text");
  return [[key, content]];
}

async function templateFile(folder: Folder): Promise<string | null> {
  const source = folder.files.get(CHAT_TEMPLATE_FILE);
  if (!source) return null;
  checkSize(source, CHAT_TEMPLATE_FILE, MAX_TEMPLATE_BYTES);
  const bytes = await source.read(0, source.sizeBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const [found, allowed] = ["bytes that are not valid UTF-8", "Jinja text in UTF-8"];
    throw tokenizerError({ code: "tokenizer/not-utf8", rule: "K11", file: CHAT_TEMPLATE_FILE, found, allowed, cause });
  }
}

/** A text, or a list of named ones of which `default` counts. */
function configTemplate(config: JsonObject): string | null {
  const value = config.get("chat_template");
  if (value === undefined || value === null) return null;
  if (!isJsonArray(value)) return templateText(value);
  const named = value.find((entry) => isJsonObject(entry) && entry.get("name") === "default");
  return isJsonObject(named) ? templateText(named.get("template")) : null;
}

function templateText(value: JsonValue | undefined): string {
  if (typeof value === "string" && value.length <= MAX_TEMPLATE_BYTES) return value;
  throw badStructure("chat_template", `Jinja text of at most ${MAX_TEMPLATE_BYTES} characters`);
}

function badStructure(found: string, allowed: string) {
  return tokenizerError({ code: "tokenizer/bad-structure", rule: "K11", file: TOKENIZER_CONFIG_FILE, found, allowed });
}
