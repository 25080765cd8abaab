// Measures the lab beside itself and others, and writes down what it saw with the machine and the date.
//   npm run bench                     all sections        -- --only kernels,files    some of them
//   npm run bench -- --gate           ends with 1 where a figure misses its limit by more than a fifth, twice
//   npm run bench -- --quick          one round on small data, to see that all of it works; nothing is written down
// Sections, rows and the gate: tests/bench/README.md.
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureChromium, ensurePackages } from "./bootstrap.mjs";
import { secondsSince } from "./steps.mjs";

const NAMES = ["kernels", "files", "memory", "frames", "node", "export", "peers", "model", "methods"];
const ROUNDS = 9;

const { values } = parseArgs({
  options: { only: { type: "string" }, gate: { type: "boolean" }, quick: { type: "boolean" } },
});
const only = values.only?.split(",") ?? NAMES;
const unknown = only.filter((name) => !NAMES.includes(name));
if (unknown.length > 0) throw new Error(`no section ${unknown.join(", ")}; there are ${NAMES.join(", ")}`);

ensurePackages();
const executablePath = ensureChromium();
const { startBenchServer } = await import("../tests/bench/bench-server.mjs");
const { openKit } = await import("../tests/bench/kit.mjs");
const { partOf, rounded, writeParts } = await import("../tests/bench/report.mjs");
const { remember } = await import("../tests/bench/history.mjs");
const { keepsLimit, missed } = await import("../tests/bench/gate.mjs");
const { stopAll } = await import("../tests/conformance/processes.mjs");
const sections = await Promise.all(
  NAMES.map(async (name) => ({ name, ...(await import(`../tests/bench/sections/${name}.mjs`)) })),
);

const machine = {
  date: new Date().toISOString().slice(0, 16).replace("T", " "),
  machine: `${cpus()[0]?.model ?? "unknown processor"} × ${cpus().length}, ${(totalmem() / 1e9).toFixed(0)} GB, Node ${process.versions.node}, no GPU but SwiftShader`,
};
const folder = mkdtempSync(join(tmpdir(), "lab-bench-"));
const clean = () => rmSync(folder, { recursive: true, force: true });
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await stopAll();
    clean();
    process.exit(130);
  });
}

const server = await startBenchServer();
let kit = null;
try {
  const setting = {
    server,
    executablePath,
    folder,
    openKit: () => (kit ??= openKit(folder)),
    rounds: values.quick ? 1 : ROUNDS,
    isQuick: values.quick === true,
  };
  const done = [];
  const failures = [];
  for (const section of sections.filter(({ name }) => only.includes(name))) {
    const { result, wrong } = await measured(section, setting);
    if (result) done.push({ section, result });
    failures.push(...wrong.map((words) => `${section.name}: ${words}`));
  }
  if (!values.quick && done.length > 0) {
    writeParts(
      new Map(done.map(({ section, result }) => [section.name, partOf(section.title, result, machine)])),
      sections,
    );
    remember(
      machine,
      done.flatMap(({ result }) => result.rows),
    );
  }
  for (const words of failures) console.log(`FAILED  ${words}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  await server.close();
  clean();
}

/**
 * Runs a section, under `--gate` once more where a figure of it misses its limit.
 * @returns what it found, or null where it broke; and in words what fails the run
 */
async function measured(section, setting) {
  const first = await attempt(section, setting);
  if (!values.gate) return { result: first.result, wrong: first.error ? [first.error] : [] };
  const missing = new Set(missed(first.result?.rows ?? []).map(({ id }) => id));
  if (!first.error && missing.size === 0) return { result: first.result, wrong: [] };
  console.log(`        ${section.name} once more: ${first.error ?? [...missing].join(", ")}`);
  const second = await attempt(section, setting);
  if (second.error) return { result: first.result, wrong: [second.error] };
  const again = missed(second.result.rows).filter(({ id }) => first.error || missing.has(id));
  return { result: second.result, wrong: again.map((row) => `${row.id} ${figures(row)}, twice beyond the limit`) };
}

async function attempt(section, setting) {
  const started = performance.now();
  console.log(`\n${section.title}`);
  try {
    const result = await section.run({ ...setting, say: (words) => console.log(`      … ${words}`) });
    for (const row of result.rows) console.log(`${mark(row)}  ${row.id.padEnd(26)} ${figures(row)}  ${row.note}`);
    if (result.words) console.log(result.words);
    console.log(`      ${secondsSince(started)}`);
    return { result, error: null };
  } catch (thrown) {
    return { result: null, error: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

function mark(row) {
  const keeps = keepsLimit(row);
  if (keeps === null) return "    ";
  return keeps ? "ok  " : "MISS";
}

function figures({ min, median, max, unit, limit, direction }) {
  if (median === null) return "–";
  const goal = limit === null ? "" : ` (${direction === "most" ? "≤" : "≥"} ${limit})`;
  return `${[min, median, max].map(rounded).join(" / ")} ${unit}${goal}`;
}
