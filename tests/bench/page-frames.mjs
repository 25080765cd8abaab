// Whether the page stays quick while a comparison runs: gaps between frames, and from an interaction to its next paint.
import { chromium } from "playwright";
import { CHROMIUM_ARGS } from "../../scripts/chromium.mjs";

const JOB_LIMIT_MS = 5 * 60_000;

/** What a person does meanwhile: the name of each interaction, and how it is made. */
const INTERACTIONS = [
  ["go to Layers", (page) => page.getByRole("link", { name: "Layers", exact: true }).click()],
  [
    "walk the map",
    (page) => press(page, "lab-layer-map .mark[tabindex='0']", ["ArrowRight", "ArrowDown", "ArrowLeft"]),
  ],
  ["open a matrix", (page) => page.keyboard.press("Enter")],
  ["map as a table", (page) => page.keyboard.press("t")],
  ["map as a picture", (page) => page.keyboard.press("t")],
  ["change the recipe", (page) => page.keyboard.press("x")],
  ["go to Measure", (page) => page.getByRole("link", { name: "Measure", exact: true }).click()],
  ["choose a scheme", (page) => page.locator("lab-scheme-frontier .mark.pickable").first().click({ force: true })],
  ["sort the table", (page) => page.locator("lab-scheme-table th button").nth(1).click()],
  ["find", (page) => page.keyboard.press("Control+k")],
  ["type", (page) => page.keyboard.type("down", { delay: 40 })],
  ["close", (page) => page.keyboard.press("Escape")],
  ["go to Model", (page) => page.getByRole("link", { name: "Model", exact: true }).click()],
  ["search the tree", (page) => page.locator("lab-tensor-tree input").first().pressSequentially("proj", { delay: 40 })],
  ["back to Measure", (page) => page.getByRole("link", { name: "Measure", exact: true }).click()],
];

async function press(page, selector, keys) {
  await page.locator(selector).first().focus();
  for (const key of keys) await page.keyboard.press(key);
}

const ROUNDS = 4;

/** Uses the page for some rounds, or until it is over. @returns milliseconds, sorted: between frames, and of each interaction */
async function use(page, isOver) {
  const durations = [];
  for (let round = 0; round < ROUNDS && !(await isOver()); round++) {
    for (const [name, act] of INTERACTIONS) {
      await act(page);
      await page.waitForTimeout(250);
      durations.push({ name, ...(await page.evaluate(() => window.labWatch.takeLongest())) });
    }
  }
  const gaps = await page.evaluate(() => window.labWatch.end());
  return { gaps: gaps.sort((a, b) => a - b), interactions: durations.sort((a, b) => a.ms - b.ms) };
}

/**
 * Compares `folder` in the page and uses the page meanwhile.
 * @returns what was seen meanwhile and, for comparison, of the idle page after it
 */
export async function measurePageFrames(address, folder, executablePath) {
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_ARGS] });
  try {
    const page = await browser.newPage({ viewport: { width: 1440, height: 1000 } });
    await page.goto(address);
    const done = page.locator("lab-run-bar b", { hasText: "Done" });
    await done.waitFor({ timeout: JOB_LIMIT_MS });
    await page.evaluate(watch);
    await page.locator("lab-top-bar #folder").setInputFiles(folder);
    await done.waitFor({ state: "detached", timeout: JOB_LIMIT_MS });
    await page.locator("lab-scheme-frontier .mark").first().waitFor({ timeout: JOB_LIMIT_MS });
    await page.evaluate(() => window.labWatch.begin());
    const busy = await use(page, () => done.isVisible());
    await done.waitFor({ timeout: JOB_LIMIT_MS });
    await page.waitForTimeout(2000);
    await page.evaluate(() => window.labWatch.begin());
    const idle = await use(page, async () => false);
    return { busy, idle };
  } finally {
    await browser.close();
  }
}

/** Runs in the page. Event timing rounds to 8 ms. */
function watch() {
  let gaps = null;
  const none = { ms: 0, handledMs: 0 };
  let longest = none;
  let last = 0;
  const frame = (now) => {
    if (gaps !== null && last > 0) gaps.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.interactionId === 0 || entry.duration <= longest.ms) continue;
      // What comes after is the browser's: layout, and painting on a GPU process that computes on the same cores.
      longest = { ms: entry.duration, handledMs: entry.processingEnd - entry.startTime };
    }
  }).observe({ type: "event", durationThreshold: 16, buffered: false });
  window.labWatch = {
    begin: () => {
      gaps = [];
      longest = none;
    },
    takeLongest: () => {
      const found = longest;
      longest = none;
      return found;
    },
    end: () => {
      const found = gaps;
      gaps = null;
      return found;
    },
  };
}
