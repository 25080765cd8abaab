// Peak memory of the page over the idle page while it compares a large checkpoint, two passes: leaks show on the second.
import { performance } from "node:perf_hooks";
import { chromium } from "playwright";
import { CHROMIUM_ARGS } from "../../scripts/chromium.mjs";
import { treeMemoryBytes, watchMemory } from "./process-memory.mjs";

const SAMPLE_EVERY_MS = 50;
const PASS_LIMIT_MS = 10 * 60_000;

/** Longest gap between two animation frames, kept by the page itself from now on. */
function watchFrames() {
  globalThis.labLongestGapMs = 0;
  let last = performance.now();
  const frame = (now) => {
    globalThis.labLongestGapMs = Math.max(globalThis.labLongestGapMs, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/**
 * Opens the page, waits for the bundled comparison, and picks `folder` twice.
 * @returns bytes of the idle tree, of the peaks, milliseconds of the passes, and the longest gap between frames
 */
export async function measurePageMemory(address, folder, executablePath) {
  const server = await chromium.launchServer({ executablePath, args: [...CHROMIUM_ARGS] });
  try {
    const browser = await chromium.connect(server.wsEndpoint());
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    await page.goto(address);
    const done = page.locator("lab-run-bar b", { hasText: "Done" });
    await done.waitFor({ timeout: PASS_LIMIT_MS });
    await page.waitForTimeout(2000);
    const root = server.process().pid;
    const idleBytes = treeMemoryBytes(root);
    await page.evaluate(watchFrames);
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
    const longestGapMs = await page.evaluate(() => globalThis.labLongestGapMs);
    return { idleBytes, passes, longestGapMs, rows };
  } finally {
    await server.close();
  }
}
