// All tests: types, lint, laws, units, kernels in a real Chromium, the build, and the page end to end.
// A failing step does not keep the others from running; the last line adds up what all of them counted.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureChromium, ensurePackages } from "./bootstrap.mjs";
import { runTool, secondsSince } from "./steps.mjs";

/** A step without counts of its own is one check. */
const asOne = (code) => (code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/** A test that did not run must not look like one that passed. */
const asCounts = ({ passed, failed, skipped }) => ({ passed, failed: failed + skipped });

/** What vitest's reporter of this project left. */
const unitCounts = (file) => asCounts(JSON.parse(readFileSync(file, "utf8")));

/** What Playwright's JSON reporter left. */
function endToEndCounts(file) {
  const { stats, errors } = JSON.parse(readFileSync(file, "utf8"));
  const { expected, unexpected, flaky, skipped } = stats;
  return asCounts({ passed: expected, failed: unexpected + flaky + errors.length, skipped });
}

/** The counts of a step; where they are missing, or contradict its exit code, it failed once. */
function countsOf(name, code, read) {
  let counts;
  try {
    counts = read();
  } catch (error) {
    console.error(`${name} left no counts: ${error.message}`);
    return asOne(1);
  }
  if (code === 0 && counts.passed + counts.failed > 0) return counts;
  return counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

const total = { passed: 0, failed: 0 };

async function step(name, run) {
  const started = performance.now();
  console.log(`\n── ${name}`);
  const { passed, failed } = await run().catch((error) => {
    console.error(error);
    return asOne(1);
  });
  total.passed += passed;
  total.failed += failed;
  console.log(`── ${name}: ${passed} passed, ${failed} failed, ${secondsSince(started)}`);
}

const folder = mkdtempSync(join(tmpdir(), "lab-test-"));
const env = {
  LAB_TEST_COUNTS: join(folder, "unit.json"),
  LAB_E2E_JSON: join(folder, "end-to-end.json"),
  // What was measured before this run proves nothing.
  XDG_CACHE_HOME: join(folder, "cache"),
};
try {
  await step("packages and Chromium", async () => {
    ensurePackages();
    env.LAB_CHROMIUM = ensureChromium();
    return { passed: 0, failed: 0 };
  });
  await step("types", async () => asOne(await runTool("tsc", ["--noEmit"])));
  await step("lint", async () => asOne(await runTool("biome", ["check"])));
  await step("laws, units and kernels", async () => {
    const code = await runTool("vitest", ["run"], { env });
    return countsOf("vitest", code, () => unitCounts(env.LAB_TEST_COUNTS));
  });
  await step("build", async () => asOne(await runTool("vite", ["build", "--logLevel", "warn"])));
  await step("end to end", async () => {
    const code = await runTool("playwright", ["test"], { env });
    return countsOf("playwright", code, () => endToEndCounts(env.LAB_E2E_JSON));
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
