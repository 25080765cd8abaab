// Holds the lab's exports and figures against the real tools, through the conformance kit.
//   npm run conformance             the cases marked for continuous integration
//   npm run conformance -- --all    all cases          -- --keep    keeps the exports
// The kit is found by QUANTLAB_SHARED, default ../shared; references are kept in .cache/conformance.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { CASES } from "../tests/conformance/cases.mjs";
import { checkMutants } from "../tests/conformance/mutants.mjs";
import { kitPython } from "../tests/conformance/processes.mjs";
import { Run } from "../tests/conformance/run.mjs";
import { Tally } from "../tests/conformance/tally.mjs";
import { ensurePackages, ROOT } from "./bootstrap.mjs";
import { secondsSince } from "./steps.mjs";

const started = performance.now();
const tally = new Tally();

async function main() {
  const { values } = parseArgs({ options: { all: { type: "boolean" }, keep: { type: "boolean" } } });
  ensurePackages();
  const kit = resolve(ROOT, process.env.QUANTLAB_SHARED ?? "../shared", "conformance");
  if (!existsSync(join(kit, "reference.py"))) {
    throw new Error(`No conformance kit in ${kit}; QUANTLAB_SHARED names the folder that holds it`);
  }
  const cases = CASES.filter(({ ci }) => values.all || ci);
  const folder = mkdtempSync(join(tmpdir(), "lab-conformance-"));
  const clean = () => {
    if (values.keep) console.log(`exports are kept in ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      clean();
      process.exit(130);
    });
  }
  try {
    const python = await kitPython(kit);
    await checkMutants({ python, folder, tally, count: values.all ? 200_000 : 20_000 });
    await new Run({ kit, python, folder, cases, tally }).all();
  } finally {
    clean();
  }
  if (tally.passed + tally.failed === 0) throw new Error("nothing was checked");
  console.log(`\n${cases.length} cases in ${secondsSince(started)}`);
  console.log(`${CASES.length - cases.length} cases not marked ci were not run`);
}

try {
  await main();
} catch (error) {
  tally.report("conformance", error.message, (performance.now() - started) / 1000);
}
console.log(`${tally}`);
process.exitCode = tally.failed > 0 ? 1 : 0;
