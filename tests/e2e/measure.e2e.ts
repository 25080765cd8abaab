import type { Locator, Page } from "@playwright/test";
import { faults } from "./axe.ts";
import { droppable, droppableFile, expect, type LabPage, test } from "./lab-page.ts";

const MODEL = "fixtures/models/quantlab-4m";
/** A text of one's own, long enough for some windows. */
const OWN_TEXT = droppableFile("fixtures/text/scripture.txt", "my notes.txt");

/** Presses Tab until something within `where` has focus that `name` fits. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 250; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      let node: Element | null = document.activeElement;
      while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
      const label =
        node instanceof HTMLInputElement ? (node.labels?.[0]?.textContent ?? "") : (node?.textContent ?? "");
      return (node?.getAttribute("aria-label") ?? label).replace(/\s+/g, " ").trim();
    });
    if (name.test(focused)) return;
  }
  throw new Error(`nothing called ${name} is reached by Tab`);
}

/** Types a number of windows into the field, by keys. */
async function typeWindows(page: Page, windows: number): Promise<void> {
  await tabTo(page, /^Windows$/);
  await page.keyboard.press("Control+a");
  await page.keyboard.type(String(windows));
  await page.keyboard.press("Tab");
}

const evidence = (lab: LabPage): Locator => lab.page.locator("lab-headline p");
const statistic = (lab: LabPage, name: string): Locator =>
  lab.page.locator("lab-divergence-table tbody tr").filter({ has: lab.page.locator(`th bdi:text-is("${name}")`) });

test("by keys alone: a dropped folder and text are measured, the table is read, a stop loses nothing", async ({
  lab,
}) => {
  test.setTimeout(240_000);
  const { page } = lab;
  await lab.done();
  await lab.settle(() => lab.drop(droppable(MODEL)));
  await lab.done();
  await lab.drop([OWN_TEXT]);
  const picker = page.locator("lab-text-picker");
  await expect(picker.locator("li")).toContainText("my notes.txt");
  await expect(picker.locator(".plan")).toContainText("tokens at most");

  await typeWindows(page, 3);
  await expect(picker.locator(".plan")).toContainText(/^3 windows × 512 tokens/);
  await page.keyboard.press("m");
  await expect(lab.runBar.locator("b")).toHaveText(/Preparing text|Running the models/);
  await lab.done();
  await expect(lab.headline).toHaveText(/^W8A8 is nearest to the original: mean KLD .*; W3A16 is smallest/);
  await expect(evidence(lab)).toContainText("my notes.txt: 3 windows of");
  await expect(picker.locator(".facts")).toContainText(/Every window has 512 tokens/);
  await expect(picker.locator(".facts")).toContainText("BOS <|begin|> (0)");

  await tabTo(page, /^Statistics of the divergence$/);
  await expect(statistic(lab, "Mean KLD").locator("td")).toHaveCount(6);
  await expect(statistic(lab, "99.0 % KLD").locator("td").first()).toHaveText(/^[\d.]+/);
  await expect(statistic(lab, "Same top p").locator("td").nth(1)).toHaveText(/^[\d.]+± [\d.]+/);
  await expect(page.locator("lab-scheme-frontier figcaption")).toContainText("on the line");
  await page.keyboard.press("y");
  await expect(page.locator("lab-scheme-frontier figcaption")).toContainText("errs less");
  await page.keyboard.press("y");

  await typeWindows(page, 12);
  await expect(picker.locator(".start button")).toContainText("Add windows");
  await page.keyboard.press("m");
  await expect(evidence(lab)).toContainText(/of 12 windows so far · 3 measured before/, { timeout: 60_000 });
  await page.keyboard.press("Escape");
  await expect(lab.runBar.locator("b")).toHaveText("Stopped by you");
  await expect(lab.headline).toHaveText(/^Stopped by you after \d+ of 12 windows; what was measured stands\.$/);
  const stopped = Number(/after (\d+) of/.exec(await lab.headline.innerText())?.[1]);
  expect(stopped).toBeGreaterThan(3);
  const before = await statistic(lab, "Mean PPL(base)").innerText();
  await page.keyboard.press("m");
  await expect(lab.runBar.locator("b")).toHaveText(/Preparing text|Running the models/);
  await lab.done();
  await expect(evidence(lab)).toContainText(`${stopped} measured before`);
  expect(await statistic(lab, "Mean PPL(base)").innerText()).not.toBe(before);
  await expect(page.locator("lab-scheme-table thead").first()).toContainText("over 12 windows");
});

test("without a tokenizer an own text cannot be read, the bundled token ids can; what is kept can be let go", async ({
  lab,
}) => {
  test.setTimeout(180_000);
  const { page } = lab;
  await lab.done();
  await lab.settle(() => lab.drop(droppable(MODEL).filter(({ name }) => !name.startsWith("tokenizer"))));
  await lab.done();
  await lab.drop([OWN_TEXT]);
  await lab.settle(() => page.keyboard.press("m"));
  await expect(lab.headline).toContainText("no tokenizer.json beside the weights");
  await expect(evidence(lab)).toContainText("The comparison of the weights");
  expect(await faults(page)).toEqual([]);
  await page.getByRole("button", { name: "Use the bundled texts" }).click();
  await page.locator("lab-text-picker #windows").fill("2");
  await page.locator("lab-text-picker #windows").press("Tab");
  await lab.settle(() => page.keyboard.press("m"));
  await expect(evidence(lab)).toContainText("scripture, jargon, satire: 2 windows");
  await expect(page.locator("lab-text-picker .facts .warning")).toContainText("no tokenizer");
  const kept = page.locator("lab-compare-settings .kept");
  await expect(kept).toContainText(/^\s*6 results kept here/);
  await kept.getByRole("button", { name: "forget" }).click();
  await expect(kept).toBeHidden();
  await expect(lab.headline).toContainText("is nearest to the original");
});

test("a model that the lab cannot run keeps the comparison of its weights", async ({ lab }) => {
  const { page } = lab;
  await lab.done();
  const files = droppable(MODEL).map((file) => {
    if (file.name !== "config.json") return file;
    const config = JSON.parse(Buffer.from(file.base64, "base64").toString());
    return { ...file, base64: Buffer.from(JSON.stringify({ ...config, hidden_act: "mystery" })).toString("base64") };
  });
  await lab.settle(() => lab.drop(files));
  await lab.settle(() => page.keyboard.press("m"));
  await expect(page.locator("lab-headline .failed")).toContainText("mystery");
  await expect(evidence(lab)).toContainText("The comparison of the weights");
  await expect(page.locator("lab-headline").getByRole("button", { name: "Measure again" })).toHaveCount(0);
  await expect(lab.row("W4A16")).toContainText("2.686");
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`${colorScheme}: axe finds nothing in the states of a measurement, nor is anything wider than the page`, () => {
    test.use({ colorScheme });
    test.setTimeout(240_000);

    test("preparing, growing, stopped, finished, old, failed, at 1440, 768 and 375", async ({ lab }) => {
      const { page } = lab;
      const look = async (state: string): Promise<void> => {
        expect(await faults(page), state).toEqual([]);
        for (const width of [768, 375, 1440]) {
          await page.setViewportSize({ width, height: 900 });
          const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(beyond, `${state} at ${width}`).toBe(0);
          if (width === 375) expect(await faults(page), `${state} at ${width}`).toEqual([]);
        }
      };
      await lab.done();
      await page.locator("lab-text-picker .opener").click();
      await look("with its tray open");
      await page.locator("lab-text-picker .opener").click();

      // As many as still run when axe is done.
      await page.locator("lab-text-picker #windows").fill("60");
      await page.locator("lab-text-picker #windows").press("Tab");
      await page.keyboard.press("m");
      await expect(page.locator("lab-divergence-table td.hatched").first()).toBeVisible();
      expect(await faults(page), "waiting").toEqual([]);
      await expect(evidence(lab)).toContainText("windows so far", { timeout: 60_000 });
      expect(await faults(page), "growing").toEqual([]);
      await page.keyboard.press("Escape");
      await expect(lab.headline).toContainText("Stopped by you");
      await look("stopped");

      await page.locator("lab-text-picker #windows").fill("4");
      await page.locator("lab-text-picker #windows").press("Tab");
      await page.keyboard.press("m");
      await lab.done();
      await look("finished");
      await page.locator("lab-text-picker").getByRole("checkbox", { name: "scripture" }).click();
      await expect(lab.headline).toContainText("These divergences are of scripture, jargon and satire");
      await look("old");
      await page.getByRole("button", { name: "Back to what is shown" }).click();

      await lab.drop([{ name: "broken.jsonl", base64: Buffer.from("not json\n").toString("base64") }]);
      await lab.settle(() => page.keyboard.press("m"));
      await expect(page.locator("lab-headline .failed")).toBeVisible();
      await look("failed");
    });
  });
}
