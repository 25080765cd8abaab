import { type ErrorFields, LabError, quote } from "./errors.ts";

/** Escapes of one letter, which Python and most writers use where there is one. */
const ESCAPE_OF_CHARACTER: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** The character of each one-letter escape of RFC 8259, by its letter. */
export const CHARACTER_OF_ESCAPE: ReadonlyMap<string, string> = new Map([
  ...[...ESCAPE_OF_CHARACTER].map(([character, written]) => [written.charAt(1), character] as const),
  ["/", "/"],
]);

/**
 * A JSON string token in ASCII, its quotes included, as Python's `ensure_ascii` writes it.
 * @throws LabError `json/lone-surrogate` for text that no UTF-8 file can hold
 */
export function quoteJsonString(text: string): string {
  if (/\p{Cs}/u.test(text)) {
    throw jsonError("lone-surrogate", "writing JSON", `"${quote(text)}"`, "text without lone surrogates", {});
  }
  const escaped = text.replace(
    /["\\]|[^ -~]/g,
    (unit) => ESCAPE_OF_CHARACTER.get(unit) ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return `"${escaped}"`;
}

/** Order of two texts by code point, as Python and UTF-8 bytes order them; JavaScript's `<` puts U+10000 before U+E000. */
export function compareCodePoints(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const [x, y] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (x !== y) return rankOfUnit(x) - rankOfUnit(y);
  }
  return a.length - b.length;
}

/** Surrogates, which begin at U+10000 and up, rank above every other unit. */
function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/**
 * Where the number token that begins at `start` ends; `start` where there is none. By hand, because a regular expression
 * keeps one backtracking entry per digit and a token may have millions.
 */
export function endOfJsonNumber(text: string, start: number): number {
  const afterDigits = (from: number): number => {
    let at = from;
    while (isDigit(text.charCodeAt(at))) at++;
    return at;
  };
  const first = text[start] === "-" ? start + 1 : start;
  let end = text[first] === "0" ? first + 1 : afterDigits(first);
  if (end === first) return start;
  if (text[end] === ".") {
    const fraction = afterDigits(end + 1);
    if (fraction === end + 1) return start;
    end = fraction;
  }
  if (text[end] === "e" || text[end] === "E") {
    const sign = text[end + 1] === "+" || text[end + 1] === "-" ? 1 : 0;
    const exponent = afterDigits(end + 1 + sign);
    if (exponent === end + 1 + sign) return start;
    end = exponent;
  }
  return end;
}

/** An error of reading or writing JSON text; `kind` becomes the second half of its code. */
export function jsonError(
  kind: string,
  doing: string,
  found: string,
  allowed: string,
  fields: ErrorFields,
  cause?: unknown,
): LabError {
  const advice = "get an undamaged copy of the file, or mend it with the tool that wrote it";
  return new LabError({ code: `json/${kind}`, doing, found, allowed, advice, fields, cause });
}
