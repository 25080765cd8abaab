// The fast part of the tests: types, lint and the laws of the house. A step's own output is shown where it fails.
import { ensurePackages } from "./bootstrap.mjs";
import { runTool, secondsSince } from "./steps.mjs";

const STEPS = [
  ["types", "tsc", ["--noEmit"]],
  ["lint", "biome", ["check"]],
  ["law", "vitest", ["run", "--project", "unit", "tests/law"]],
];

ensurePackages();
for (const [name, tool, args] of STEPS) {
  const started = performance.now();
  const passed = (await runTool(tool, args, { quietly: true })) === 0;
  console.log(`${passed ? "ok  " : "FAIL"}  ${name.padEnd(6)} ${secondsSince(started)}`);
  if (!passed) process.exitCode = 1;
}
