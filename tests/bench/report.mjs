// The tables of tests/bench/README.md, between its marks: a part for each section, of which a run replaces those it ran.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isGated } from "./gate.mjs";

const README = join(import.meta.dirname, "README.md");
const MARKS = ["<!-- results: written by npm run bench -->", "<!-- end of results -->"];

/** A section's part. `words` come after its table. */
export function partOf(title, { rows, words }, { date, machine }) {
  const lines = [
    `### ${title}`,
    "",
    `${date}, ${machine}`,
    "",
    "| goal | what | on | min / median / max | limit | rounds | |",
    "|---|---|---|---|---|---|---|",
    ...rows.map(line),
  ];
  return [...lines, ...(words ? ["", words] : [])].join("\n");
}

function line(row) {
  const { id, what, device, unit, min, median, max, rounds, note } = row;
  const figures = median === null ? "–" : `${[min, median, max].map((value) => rounded(value)).join(" / ")} ${unit}`;
  return `| ${id} | ${what} | ${device} | ${figures} | ${limitOf(row)} | ${rounds || "–"} | ${note} |`;
}

function limitOf(row) {
  const { limit, direction, unit } = row;
  if (limit === null) return "–";
  const text = `${direction === "most" ? "≤" : "≥"} ${limit}${unit === "×" ? "" : ` ${unit}`}`;
  return isGated(row) || row.median === null ? text : `${text}, not gated`;
}

/** Three digits, more where there are more before the point. */
export function rounded(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 0.001) return value.toExponential(1);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/**
 * Replaces the parts of sections in the file, and leaves the others.
 * @param parts of each section its name and its text
 * @param order names and titles of all sections
 */
export function writeParts(parts, order) {
  const text = readFileSync(README, "utf8");
  const [before, rest] = text.split(MARKS[0]);
  const [between, after] = rest?.split(MARKS[1]) ?? [];
  if (after === undefined) throw new Error(`${README} has lost its marks`);
  const known = new Map(
    between
      .split(/^(?=### )/m)
      .map((part) => part.trim())
      .filter((part) => part.startsWith("### "))
      .map((part) => [part.split("\n")[0].slice(4), part]),
  );
  const all = order.map(({ name, title }) => parts.get(name) ?? known.get(title)).filter(Boolean);
  writeFileSync(README, `${before}${MARKS[0]}\n${all.join("\n\n")}\n${MARKS[1]}${after}`);
}
