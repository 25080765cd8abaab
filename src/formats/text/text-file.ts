import { type ErrorCode, LabError, quote } from "../../base/errors.ts";
import { isJsonArray, isJsonNumber, isJsonObject, type JsonValue, parseJson } from "../../base/json.ts";
import type { ByteSource } from "../byte-source.ts";

/** One text of a file: plain, or a conversation that a chat template has yet to write out. */
export type TextDocument =
  | { readonly kind: "plain"; readonly text: string }
  /** Messages as plain data without prototypes; untrusted. */
  | { readonly kind: "conversation"; readonly messages: readonly unknown[] };

/** What a text file holds. */
export type TextContent =
  | { readonly kind: "documents"; readonly documents: readonly TextDocument[] }
  /** Token ids, window by window, to be used as they are. */
  | { readonly kind: "windows"; readonly windows: readonly (readonly number[])[] };

/** Four million tokens or so: eight thousand windows of 512, weeks of measuring on any machine that runs this lab. */
const MAX_TEXT_BYTES = 16_000_000;

/** The same for ids, which take up to seven characters each. */
const TOKEN_LIMITS = { maxBytes: 64_000_000, maxValues: 8_000_000 };

/** One line of a `.jsonl`: a book, or a conversation of a thousand turns. */
const LINE_LIMITS = { maxBytes: MAX_TEXT_BYTES, maxValues: 200_000 };

/** A shorter window has no position that both follows half of it and foretells a token. */
export const MIN_WINDOW_TOKENS = 3;

/**
 * Reads a text file by the end of its name: `.jsonl` (a `text` or `messages` a line), `.json` (token ids, `{"windows":
 * [[1, 2, …], …]}`), and plain UTF-8 text under any other name.
 * @throws LabError `text/too-large`, `text/not-utf8`, `text/empty`, `text/bad-line`, `text/bad-windows`, `json/…`, `source/…`
 */
export async function readTextFile(source: ByteSource): Promise<TextContent> {
  const name = source.name.toLowerCase();
  const maxBytes = name.endsWith(".json") ? TOKEN_LIMITS.maxBytes : MAX_TEXT_BYTES;
  if (source.sizeBytes > maxBytes) {
    const found = `${source.sizeBytes} bytes`;
    throw textError("text/too-large", source.name, found, `at most ${maxBytes} bytes`, "give a part of it");
  }
  const bytes = await source.read(0, source.sizeBytes);
  if (name.endsWith(".json")) return { kind: "windows", windows: readWindows(bytes, source.name) };
  if (name.endsWith(".jsonl")) return { kind: "documents", documents: readLines(bytes, source.name) };
  return { kind: "documents", documents: [plainDocument(decode(bytes, source.name), source.name)] };
}

/**
 * A text that was typed or pasted.
 * @param name what it is called in messages
 * @throws LabError `text/empty`, `text/too-large`
 */
export function plainText(text: string, name: string): TextContent {
  if (text.length > MAX_TEXT_BYTES) {
    const found = `${text.length} characters`;
    throw textError("text/too-large", name, found, `at most ${MAX_TEXT_BYTES}`, "give a part of it");
  }
  return { kind: "documents", documents: [plainDocument(text, name)] };
}

function plainDocument(text: string, name: string): TextDocument {
  if (text.trim() === "") throw textError("text/empty", name, "no text", "text", "choose another text");
  return { kind: "plain", text };
}

/** A byte order mark at the start is no part of the text. */
function decode(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const found = "bytes that are not valid UTF-8";
    throw textError("text/not-utf8", name, found, "UTF-8", "save it as UTF-8", {}, cause);
  }
}

function readLines(bytes: Uint8Array, name: string): readonly TextDocument[] {
  const documents: TextDocument[] = [];
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    line++;
    const own = bytes.subarray(start, end);
    if (own.some((byte) => byte > 0x20)) documents.push(readLine(own, name, line));
    start = end + 1;
  }
  if (documents.length === 0) throw textError("text/empty", name, "no lines", "text", "choose another text");
  return documents;
}

function readLine(bytes: Uint8Array, name: string, line: number): TextDocument {
  const allowed = '{"text": "…"} or {"messages": [{"role": "…", "content": "…"}, …]} on each line';
  const bad = (found: string, cause?: unknown) =>
    textError("text/bad-line", name, `line ${line}: ${found}`, allowed, "mend that line", { line }, cause);
  let value: JsonValue;
  try {
    value = parseJson(bytes, name, LINE_LIMITS);
  } catch (thrown) {
    throw thrown instanceof LabError ? bad(thrown.found, thrown) : thrown;
  }
  const [text, messages] = isJsonObject(value) ? [value.get("text"), value.get("messages")] : [];
  if (typeof text === "string" && messages === undefined) return { kind: "plain", text };
  if (isJsonArray(messages) && text === undefined && messages.length > 0 && messages.every(isMessage)) {
    return { kind: "conversation", messages: messages.map(plainOf) };
  }
  throw bad("neither a text nor messages");
}

function isMessage(value: JsonValue): boolean {
  return isJsonObject(value) && typeof value.get("role") === "string" && typeof value.get("content") === "string";
}

/** A JSON value as plain data whose objects have no prototype, so that no key of theirs means anything. */
function plainOf(value: JsonValue): unknown {
  if (isJsonNumber(value)) return value.asNumber();
  if (isJsonArray(value)) return value.map(plainOf);
  if (!isJsonObject(value)) return value;
  const object = Object.create(null);
  for (const [key, inner] of value) object[key] = plainOf(inner);
  return object;
}

function readWindows(bytes: Uint8Array, name: string): readonly (readonly number[])[] {
  const json = parseJson(bytes, name, TOKEN_LIMITS);
  const windows = isJsonObject(json) ? json.get("windows") : undefined;
  const bad = (found: string) => {
    const allowed = `{"windows": [[1, 2, …], …]} with ${MIN_WINDOW_TOKENS} ids or more in each window`;
    return textError("text/bad-windows", name, found, allowed, "write the ids that the model's tokenizer gives");
  };
  if (!isJsonArray(windows) || windows.length === 0) throw bad("no windows");
  return windows.map((window, place) => {
    if (!isJsonArray(window) || window.length < MIN_WINDOW_TOKENS) throw bad(`window ${place} is too short or no list`);
    return window.map((value) => {
      const id = isJsonNumber(value) ? value.asUnsignedInteger() : undefined;
      if (id === undefined || id > 0xffffffffn)
        throw bad(`an id in window ${place} that is no whole number of 32 bits`);
      return Number(id);
    });
  });
}

function textError(
  code: ErrorCode,
  name: string,
  found: string,
  allowed: string,
  advice: string,
  fields: Readonly<Record<string, number>> = {},
  cause?: unknown,
): LabError {
  const file = quote(name);
  return new LabError({
    code,
    doing: `reading the text ${file}`,
    found,
    allowed,
    advice,
    fields: { file, ...fields },
    cause,
  });
}
