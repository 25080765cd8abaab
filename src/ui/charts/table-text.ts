import type { Caption, ChartTable } from "./chart.ts";

/** Rows end as RFC 4180 says. */
const LINE_END = "\r\n";

/**
 * A table twin as CSV (RFC 4180): units in the head, numbers unrounded with a dot, empty where there is none. A text that a
 * spreadsheet would take for a formula gets an apostrophe before it.
 */
export function toCsv({ columns, rows }: ChartTable): string {
  const head = columns.map(({ name, unit }) => field(unit === "" ? name : `${name} (${unit})`));
  const lines = rows.map((row) => row.map(({ value }) => (typeof value === "string" ? field(value) : number(value))));
  return [head, ...lines].map((line) => line.join(",") + LINE_END).join("");
}

/** Caption and table twin as Markdown. */
export function toMarkdown({ strong, plain }: Caption, { columns, rows }: ChartTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [
    `__${strong}__ ${plain}`.trim(),
    "",
    line(columns.map(({ name, unit }) => (unit === "" ? name : `${name}, ${unit}`))),
    line(columns.map((_, index) => (rows.some((row) => typeof row[index]?.value === "number") ? "---:" : "---"))),
    ...rows.map((row) => line(row.map(({ text }) => text))),
    "",
  ].join("\n");
}

function number(value: number | null): string {
  return value === null || !Number.isFinite(value) ? "" : String(value);
}

function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function escapeCell(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("|", "\\|")
    .replace(/[\r\n]+/g, " ");
}
