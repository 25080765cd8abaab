import type { LabErrorData } from "../base/errors.ts";
import type { Quantity } from "../base/quantity.ts";
import type { KernelReport } from "../engine/result.ts";

/** The sign of a number's kind, as on the page. */
const GLYPH = { measured: "●", computed: "ƒ", "looked-up": "§", assumed: "✎" } as const;
export const LEGEND = "● measured  ƒ computed  § looked up  ✎ assumed";

/** A figure with the sign of its kind, a dash where there is none. */
export function quantityCell(quantity: Quantity | undefined, text: (value: number) => string): string {
  return quantity ? `${text(quantity.value)} ${GLYPH[quantity.kind]}` : "–";
}

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

/** Columns as wide as their widest cell; the first and one without a head are left-aligned, the others right-aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  // One by one: a model may have more tensors than a call takes arguments.
  const widths = head.map((title, column) =>
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? "").length), title.length),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 || head[column] === "" ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].join("\n");
}

/** Where kernels ran, and why there. */
export function kernelsText(result: { readonly kernels: readonly KernelReport[] }): string {
  const lines = new Set(
    result.kernels.map(({ device, adapter, fallback, choice }) =>
      [`ran on ${device} (${adapter})`, fallback ?? choice].filter((words) => words !== null).join(": "),
    ),
  );
  return [...lines].join("; ");
}
