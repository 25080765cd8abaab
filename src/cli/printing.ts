import type { LabErrorData } from "../base/errors.ts";

/** An error for people: its words, its code for who looks it up, and what to paste where it offers that. */
export function errorText({ message, code, fields }: Pick<LabErrorData, "message" | "code" | "fields">): string {
  const lines = [message, `(${code})`];
  const { modules, ignore } = fields;
  if (Array.isArray(modules)) lines.push("", ...modules.map((module) => `  ${module}`));
  if (Array.isArray(ignore)) lines.push("", "to leave them alone:", ...ignore.map((entry) => `  --ignore '${entry}'`));
  return lines.join("\n");
}

/**
 * A JSON document for a terminal or a pipe. Names from files may hold characters that turn a line around or steer a
 * terminal: they are written as escapes, which a JSON reader undoes.
 */
export function jsonDocument(value: unknown): string {
  return JSON.stringify(value, null, 1).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    // A string's own line feeds are escaped already: these lay the document out.
    character === "\n" ? character : [...units(character)].join(""),
  );
}

function* units(character: string): Generator<string> {
  for (let at = 0; at < character.length; at++) {
    yield `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
}
