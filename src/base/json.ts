import { type ErrorFields, type LabError, quote } from "./errors.ts";
import { CHARACTER_OF_ESCAPE, compareCodePoints, endOfJsonNumber, jsonError, quoteJsonString } from "./json-text.ts";

/** A JSON object in the order of its file. A `Map`, because a key such as `__proto__` must stay a plain key. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Any JSON value. Numbers keep their text. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** Nested plain data, as literals are written in code. */
export type PlainJsonValue =
  | null
  | boolean
  | number
  | string
  | readonly PlainJsonValue[]
  | { readonly [key: string]: PlainJsonValue };

const NUMBER_RANGE = "magnitudes up to 1.8e308";

/** A JSON number as it was written: `16`, `16.0` and `1.6e1` stay apart, and nothing is rounded. */
export class JsonNumber {
  readonly text: string;

  /**
   * @param text one number token of RFC 8259
   * @throws LabError `json/syntax` for anything else, `json/number-range` for a token that rounds to infinity
   */
  constructor(text: string) {
    if (text === "" || endOfJsonNumber(text, 0) !== text.length) {
      throw jsonError("syntax", "writing a JSON number", `"${quote(text)}"`, "one number as RFC 8259 writes it", {});
    }
    if (!Number.isFinite(Number(text))) {
      throw jsonError("number-range", "writing a JSON number", quote(text), NUMBER_RANGE, {});
    }
    this.text = text;
  }

  /** The exact value of a token of digits alone; undefined for signs, fractions and exponents, `16.0` and `-0` included. */
  asUnsignedInteger(): bigint | undefined {
    return /^[0-9]+$/.test(this.text) ? BigInt(this.text) : undefined;
  }

  /** The nearest double; always finite. */
  asNumber(): number {
    return Number(this.text);
  }
}

/** What a hostile text may cost. */
export interface JsonLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxValues: number;
}

/**
 * The limits where a caller sets no others.
 * - bytes: the safetensors reference's cap on a header, the largest JSON that the lab meets;
 * - depth: that of the reference's parser (serde_json), far below what overflows a stack here or in `structuredClone`;
 * - values: 100 MB of `{},{},…` would become gigabytes of objects. A header of 100 000 tensors holds 0.8 million.
 */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 100_000_000, maxDepth: 127, maxValues: 2_000_000 };

/**
 * Exactly one RFC 8259 value in UTF-8. Stricter than `JSON.parse`: no byte order mark, no lone surrogate escapes, no
 * number beyond a double's range, no key twice in one object, nesting and size bounded.
 * @param what the text's name for messages, `config.json`; may be untrusted
 * @throws LabError `json/too-large`, `json/not-utf8`, `json/byte-order-mark`, `json/syntax`, `json/control-character`,
 *   `json/lone-surrogate`, `json/number-range`, `json/too-deep`, `json/too-many-values`, `json/duplicate-key` (fields
 *   `path`, the keys that lead to it, and `key`)
 */
export function parseJson(bytes: Uint8Array, what: string, limits: Partial<JsonLimits> = {}): JsonValue {
  const doing = `reading ${quote(what)}`;
  const bounds = { ...DEFAULT_JSON_LIMITS, ...limits };
  if (bytes.byteLength > bounds.maxBytes) {
    throw jsonError("too-large", doing, `${bytes.byteLength} bytes of JSON`, `at most ${bounds.maxBytes}`, {});
  }
  let text: string;
  try {
    // `ignoreBOM: true` keeps a byte order mark in the text; by default it would vanish unseen.
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw jsonError("not-utf8", doing, "bytes that are not valid UTF-8", "JSON text in UTF-8", {}, cause);
  }
  if (text.startsWith("\ufeff")) {
    throw jsonError("byte-order-mark", doing, "a byte order mark before the JSON", "UTF-8 without one", { offset: 0 });
  }
  return new JsonScanner(text, doing, bounds).document();
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export function isJsonNumber(value: JsonValue | undefined): value is JsonNumber {
  return value instanceof JsonNumber;
}

/**
 * Plain data as a `JsonValue`. Numbers take JavaScript's shortest text.
 * @throws LabError `json/syntax` for NaN and infinities
 */
export function jsonFromPlain(value: PlainJsonValue): JsonValue {
  if (typeof value === "number") return new JsonNumber(String(value));
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: PlainJsonValue) => jsonFromPlain(item));
  return new Map(Object.entries(value).map(([key, inner]) => [key, jsonFromPlain(inner)]));
}

/** How JSON is laid out. */
export interface JsonStyle {
  /** Spaces per level, each item on its own line; 0 (the default) writes no white space at all. */
  readonly indent?: number;
  /** Keys in the order of their code points instead of the map's. Default false. */
  readonly sortKeys?: boolean;
}

/**
 * JSON text in ASCII. With `{ indent: 2, sortKeys: true }` it is what Python's
 * `json.dumps(value, indent=2, sort_keys=True)` writes, but that numbers keep their text.
 * @throws LabError `json/lone-surrogate` for text that no UTF-8 file can hold
 */
export function stringifyJson(value: JsonValue, style: JsonStyle = {}): string {
  const { indent = 0, sortKeys = false } = style;
  const parts: string[] = [];
  const line = (level: number): string => (indent > 0 ? `\n${" ".repeat(indent * level)}` : "");

  const write = (inner: JsonValue, level: number): void => {
    if (isJsonObject(inner)) {
      if (inner.size === 0) return void parts.push("{}");
      const entries = [...inner];
      if (sortKeys) entries.sort(([a], [b]) => compareCodePoints(a, b));
      entries.forEach(([key, child], at) => {
        parts.push(at === 0 ? "{" : ",", line(level + 1), quoteJsonString(key), indent > 0 ? ": " : ":");
        write(child, level + 1);
      });
      parts.push(line(level), "}");
    } else if (isJsonArray(inner)) {
      if (inner.length === 0) return void parts.push("[]");
      inner.forEach((child, at) => {
        parts.push(at === 0 ? "[" : ",", line(level + 1));
        write(child, level + 1);
      });
      parts.push(line(level), "]");
    } else if (isJsonNumber(inner)) parts.push(inner.text);
    else parts.push(typeof inner === "string" ? quoteJsonString(inner) : String(inner));
  };

  write(value, 0);
  return parts.join("");
}

/** One pass over one text. */
class JsonScanner {
  readonly #text: string;
  readonly #doing: string;
  readonly #limits: JsonLimits;
  /** Keys of the open objects, for messages. */
  readonly #path: string[] = [];
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string, doing: string, limits: JsonLimits) {
    this.#text = text;
    this.#doing = doing;
    this.#limits = limits;
  }

  document(): JsonValue {
    this.#skipSpace();
    const value = this.#value();
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected("the end of the text");
    return value;
  }

  #value(): JsonValue {
    this.#values++;
    if (this.#values > this.#limits.maxValues) {
      throw this.#error("too-many-values", "more values than that", `at most ${this.#limits.maxValues} JSON values`);
    }
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #nested(read: () => JsonValue): JsonValue {
    this.#depth++;
    if (this.#depth > this.#limits.maxDepth) {
      throw this.#error("too-deep", `${this.#depth} nested containers`, `at most ${this.#limits.maxDepth}`);
    }
    this.#at++;
    this.#skipSpace();
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    const object = new Map<string, JsonValue>();
    if (this.#take("}")) return object;
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#unexpected("a key in double quotes");
      const key = this.#string();
      if (object.has(key)) {
        throw this.#error("duplicate-key", `the key "${quote(key)}" twice in one object`, "each key once", {
          key: quote(key),
        });
      }
      this.#skipSpace();
      if (!this.#take(":")) throw this.#unexpected('":"');
      this.#skipSpace();
      this.#path.push(key);
      object.set(key, this.#value());
      this.#path.pop();
      this.#skipSpace();
      if (this.#take("}")) return object;
      if (!this.#take(",")) throw this.#unexpected('"," or "}"');
      this.#skipSpace();
    }
  }

  #array(): readonly JsonValue[] {
    const array: JsonValue[] = [];
    if (this.#take("]")) return array;
    for (;;) {
      array.push(this.#value());
      this.#skipSpace();
      if (this.#take("]")) return array;
      if (!this.#take(",")) throw this.#unexpected('"," or "]"');
      this.#skipSpace();
    }
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected("a JSON value");
    this.#at += word.length;
    return value;
  }

  #number(): JsonNumber {
    const end = endOfJsonNumber(this.#text, this.#at);
    if (end === this.#at) throw this.#unexpected("a JSON value");
    const token = this.#text.slice(this.#at, end);
    if (!Number.isFinite(Number(token))) {
      throw this.#error("number-range", `the number ${quote(token)}`, NUMBER_RANGE);
    }
    this.#at = end;
    return new JsonNumber(token);
  }

  #string(): string {
    const text = this.#text;
    let plain = this.#at + 1;
    let value = "";
    for (let at = plain; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit === 0x22) {
        this.#at = at + 1;
        return value + text.slice(plain, at);
      }
      if (unit < 0x20) {
        this.#at = at;
        const found = `the control character U+${unit.toString(16).toUpperCase().padStart(4, "0")} inside a string`;
        throw this.#error("control-character", found, "control characters as escapes");
      }
      if (unit === 0x5c) {
        value += text.slice(plain, at);
        this.#at = at;
        value += this.#escape();
        plain = this.#at;
        at = plain - 1;
      }
    }
    this.#at = text.length;
    throw this.#unexpected("the closing quote of a string");
  }

  #escape(): string {
    const letter = this.#text.charAt(this.#at + 1);
    if (letter !== "u") {
      const character = CHARACTER_OF_ESCAPE.get(letter);
      if (character === undefined) throw this.#unexpected("an escape of RFC 8259");
      this.#at += 2;
      return character;
    }
    const high = this.#hexEscape();
    if (high < 0xd800 || high > 0xdfff) return String.fromCharCode(high);
    const isPair = high < 0xdc00 && this.#text.startsWith("\\u", this.#at);
    const low = isPair ? this.#hexEscape() : 0;
    if (low < 0xdc00 || low > 0xdfff) {
      throw this.#error("lone-surrogate", `the escape \\u${high.toString(16)} without its pair`, "paired surrogates");
    }
    return String.fromCharCode(high, low);
  }

  #hexEscape(): number {
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#unexpected("four hexadecimal digits after \\u");
    this.#at += 6;
    return Number.parseInt(digits, 16);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at++;
    }
  }

  #unexpected(wanted: string): LabError {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    const found = rest === "" ? "the end of the text" : `"${quote(rest)}"`;
    return this.#error("syntax", `${found} at character ${this.#at}`, wanted);
  }

  #error(kind: string, found: string, allowed: string, fields: ErrorFields = {}): LabError {
    const path = this.#path.map(quote);
    // The innermost key is enough for people; the whole path is in the fields.
    const place = path.length === 0 ? "" : ` inside "${path.at(-1)}"`;
    return jsonError(kind, this.#doing, found + place, allowed, { offset: this.#at, path, ...fields });
  }
}
