// Peak memory of the page over the idle page while it compares a large checkpoint, two passes: leaks show on the second.
import { performance } from "node:perf_hooks";
import { chromium } from "playwright";
import { CHROMIUM_ARGS } from "../../scripts/chromium.mjs";
import { processWithArgument, treeMemoryBytes, watchMemory } from "./process-memory.mjs";

const SAMPLE_EVERY_MS = 50;
const PASS_LIMIT_MS = 10 * 60_000;

/**
 * Opens the page, waits for the bundled comparison, and picks `folder` twice.
 * @returns bytes of the idle tree, bytes of the peaks and milliseconds of the passes
 */
export async function measurePageMemory(address, folder, executablePath) {
  // Chromium ignores the flag; it tells this browser's process from others. A browser behind a socket would show its
  // process at once, but is given a copy of every picked file through that socket.
  const mark = `--lab-bench=${process.pid}`;
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, mark] });
  try {
    const root = processWithArgument(mark);
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    await page.goto(address);
    const done = page.locator("lab-run-bar b", { hasText: "Done" });
    await done.waitFor({ timeout: PASS_LIMIT_MS });
    // Two schemes: the weights of a GiB are read and measured as with five, in a fraction of the time.
    for (const name of ["W3A16", "W4A16_ASYM", "W6A16"]) {
      await page.getByRole("button", { name: `Take out ${name}`, exact: true }).click();
    }
    await page.waitForTimeout(2000);
    const idleBytes = treeMemoryBytes(root);
    const passes = [];
    for (let pass = 0; pass < 2; pass++) {
      const watch = watchMemory(root, SAMPLE_EVERY_MS);
      const started = performance.now();
      await page.locator("lab-top-bar #folder").setInputFiles(folder);
      await done.waitFor({ state: "detached", timeout: PASS_LIMIT_MS });
      await done.waitFor({ timeout: PASS_LIMIT_MS });
      passes.push({ elapsedMs: performance.now() - started, peakBytes: watch.stop() });
    }
    const rows = await page.locator("lab-scheme-table tbody tr").allInnerTexts();
    return { idleBytes, passes, rows };
  } finally {
    await browser.close();
  }
}
