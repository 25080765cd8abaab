// Whole files through the engine in a browser's worker, beside reading the same bytes there and doing nothing with them.
import { chromium } from "playwright";
import { CHROMIUM_ARGS } from "../../scripts/chromium.mjs";
import { processWithArgument, treeMemoryBytes, watchMemory } from "./process-memory.mjs";

const SAMPLE_EVERY_MS = 50;

/** A page of the bench in a browser of its own, whose processes can be told from others. */
export async function openBenchPage(address, executablePath) {
  const mark = `--lab-bench=${process.pid}-${Math.floor(performance.now())}`;
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_ARGS, mark] });
  const page = await browser.newPage();
  await page.goto(`${address}tests/bench/bench.html`);
  /** Calls a function of a module of the bench in the page. */
  const run = (module, name, ...args) =>
    page.evaluate(
      async ([path, called, given]) => {
        const loaded = await import(path);
        return loaded[called](...given);
      },
      [`/tests/bench/${module}`, name, args],
    );
  return { page, run, root: processWithArgument(mark), close: () => browser.close() };
}

/** The module of the page's side. */
export const PIPELINES = "pipeline-page.ts";

/** Picks a folder in the page, under a name. */
export async function pick(bench, id, folder) {
  await bench.run(PIPELINES, "addInput", id);
  await bench.page.locator(`input#${id}`).setInputFiles(folder);
}

/**
 * Rounds of reading alone and comparing, one right after the other, after one that is not counted.
 * @param jobs `{ name, file, device, schemes }` each; `file` is what `pick` named
 * @returns of each job and round the milliseconds of reading and of the comparison, and what it found
 */
export async function pipelineRounds(bench, jobs, rounds) {
  const found = Object.fromEntries(jobs.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const place of jobs.keys()) {
      const { name, file, device, schemes } = jobs[(place + round) % jobs.length];
      const readMs = await bench.run(PIPELINES, "read", file);
      const result = await bench.run(PIPELINES, "compare", file, device, schemes);
      if (round > 0) found[name].push({ readMs, ...result });
    }
  }
  return found;
}

/**
 * Peaks of a fresh browser's memory over what it held before, in bytes, of two passes: what is kept by mistake shows on the
 * second.
 */
export async function pipelineMemory(address, executablePath, folder, { device, schemes }) {
  const bench = await openBenchPage(address, executablePath);
  try {
    await pick(bench, "file", folder);
    await bench.page.waitForTimeout(1000);
    const idleBytes = treeMemoryBytes(bench.root);
    const rises = [];
    for (let pass = 0; pass < 2; pass++) {
      const watch = watchMemory(bench.root, SAMPLE_EVERY_MS);
      await bench.run(PIPELINES, "compare", "file", device, schemes);
      rises.push(watch.stop() - idleBytes);
    }
    return rises;
  } finally {
    await bench.close();
  }
}
