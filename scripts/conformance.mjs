// Holds the lab's exports and figures against the real tools, through the conformance kit.
//   npm run conformance             the cases marked for continuous integration
//   npm run conformance -- --all    all cases          -- --keep    keeps the exports
//   npm run conformance -- --only P    of all cases those whose name the pattern P matches
// The kit is found by QUANTLAB_SHARED, default ../shared; references are kept in .cache/conformance.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runnerImport } from "vite";
import { CALIBRATED_CASES } from "../tests/conformance/calibrated-cases.mjs";
import { CASES, tableError } from "../tests/conformance/cases.mjs";
import { FAMILY_RUNS, MEASUREMENTS } from "../tests/conformance/measure-cases.mjs";
import { checkMutants } from "../tests/conformance/mutants.mjs";
import { kitPython, stopAll } from "../tests/conformance/processes.mjs";
import { Run } from "../tests/conformance/run.mjs";
import { Tally } from "../tests/conformance/tally.mjs";
import { ensurePackages, ROOT } from "./bootstrap.mjs";
import { secondsSince } from "./steps.mjs";

const started = performance.now();
const tally = new Tally();

async function main() {
  const { values } = parseArgs({
    options: { all: { type: "boolean" }, keep: { type: "boolean" }, only: { type: "string" } },
  });
  ensurePackages();
  const kit = resolve(ROOT, process.env.QUANTLAB_SHARED ?? "../shared", "conformance");
  if (!existsSync(join(kit, "reference.py"))) {
    throw new Error(`No conformance kit in ${kit}; QUANTLAB_SHARED names the folder that holds it`);
  }
  const only = values.only === undefined ? null : new RegExp(values.only);
  const isChosen = ({ ci, name }) => (only ? only.test(name) : values.all || ci);
  const tables = [CASES, MEASUREMENTS, FAMILY_RUNS, CALIBRATED_CASES];
  const [cases, measurements, familyRuns, calibrated] = tables.map((rows) => rows.filter(isChosen));
  const folder = mkdtempSync(join(tmpdir(), "lab-conformance-"));
  const clean = () => {
    if (values.keep) console.log(`exports are kept in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await stopAll();
      clean();
      process.exit(130);
    });
  }
  try {
    const python = await kitPython(kit);
    if (!only) await checkRest({ python, folder, isAll: values.all === true });
    const chosen = { cases, measurements, familyRuns, calibrated };
    await new Run({ kit, python, folder, ...chosen, tally, isPart: only !== null }).all();
  } finally {
    clean();
  }
  if (tally.passed + tally.failed === 0) throw new Error("nothing was checked");
  const countOf = (lists) => lists.reduce((sum, { length }) => sum + length, 0);
  const run = countOf([cases, measurements, familyRuns, calibrated]);
  const left = countOf(tables) - run;
  console.log(`\n${run} cases in ${secondsSince(started)}`);
  console.log(`${left} cases ${only ? "of another name" : "not marked ci"} were not run`);
}

/** What is checked besides the cases. */
async function checkRest({ python, folder, isAll }) {
  await tally.check("self-check: every preset has a case", async () => {
    const options = { configFile: false, root: ROOT, logLevel: "error" };
    const { module } = await runnerImport(join(ROOT, "src/schemes/presets.ts"), options);
    return { wrong: tableError(module.PRESETS.map(({ name }) => name)) };
  });
  await checkMutants({ python, folder, tally, count: isAll ? 200_000 : 20_000 });
}

try {
  await main();
} catch (error) {
  tally.report("conformance", error.message, (performance.now() - started) / 1000);
}
console.log(`${tally}`);
process.exitCode = tally.failed > 0 ? 1 : 0;
