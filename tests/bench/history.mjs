// The last runs of the bench on record, one after the other: date, machine and figures.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "history.json");
const MOST_RUNS = 20;

/** Adds a run; the oldest of more than twenty is dropped. */
export function remember({ date, machine }, rows) {
  const runs = existsSync(FILE) ? JSON.parse(readFileSync(FILE, "utf8")).runs : [];
  const figures = rows
    .filter(({ median }) => median !== null)
    .map(({ id, unit, min, median, max, rounds }) => [
      id,
      { unit, min: short(min), median: short(median), max: short(max), rounds },
    ]);
  const kept = [...runs, { date, machine, figures: Object.fromEntries(figures) }].slice(-MOST_RUNS);
  writeFileSync(FILE, `{\n  "runs": [\n${kept.map(textOf).join(",\n")}\n  ]\n}\n`);
}

function short(value) {
  return Number(value.toPrecision(4));
}

/** A run with a line for each figure, so that a difference between two runs can be read. */
function textOf({ date, machine, figures }) {
  const lines = Object.entries(figures).map(([id, figure]) => {
    const parts = Object.entries(figure).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
    return `        ${JSON.stringify(id)}: { ${parts.join(", ")} }`;
  });
  return [
    "    {",
    `      "date": ${JSON.stringify(date)},`,
    `      "machine": ${JSON.stringify(machine)},`,
    `      "figures": {\n${lines.join(",\n")}\n      }`,
    "    }",
  ].join("\n");
}
