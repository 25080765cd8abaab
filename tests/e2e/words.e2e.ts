import type { Locator, Page } from "@playwright/test";
import { faults } from "./axe.ts";
import { expect, type LabPage, test } from "./lab-page.ts";

/** Sets how many windows are measured. */
async function setWindows(page: Page, windows: number): Promise<void> {
  await page.locator("lab-text-picker #windows").fill(String(windows));
  await page.locator("lab-text-picker #windows").press("Tab");
}

const chosen = (page: Page): Locator => page.locator('lab-word-text [data-place][aria-pressed="true"]');
const caption = (page: Page, panel: string): Locator => page.locator(`${panel} figcaption, ${panel} .caption`).first();

/** Measures some windows and goes to the words. */
async function measured(lab: LabPage, windows: number): Promise<void> {
  const { page } = lab;
  await lab.done();
  await setWindows(page, windows);
  await lab.settle(() => page.keyboard.press("m"));
  await lab.done();
  await page.keyboard.press("g");
  await page.keyboard.press("w");
  await expect(page.getByRole("link", { name: "Words", exact: true })).toHaveAttribute("aria-current", "page");
}

test("by keys alone: from flip to flip, into a token, what heals it, another window, another scheme", async ({
  lab,
}) => {
  test.setTimeout(240_000);
  const { page } = lab;
  // Nothing is measured yet: the surface says what will be here, and offers to.
  await lab.done();
  await page.keyboard.press("g");
  await page.keyboard.press("w");
  await expect(page.locator("lab-word-text")).toContainText("each word by how far it moved");
  expect(await faults(page)).toEqual([]);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await measured(lab, 4);

  await expect(lab.headline).toHaveText(
    /changes the most likely token at \d+ of 508 positions; half of its divergence lies in/,
  );
  await expect(page.locator("lab-word-text")).toContainText("predictions flip");
  await page.keyboard.press("n");
  await page.keyboard.press("Enter");
  await expect(chosen(page)).toHaveCount(1);
  const first = await chosen(page).getAttribute("aria-label");
  expect(first).toMatch(/predicted by the original .*, by .*W4A16.*, KL .* nats, Δp .*, flipped$/s);
  // The ten most likely words of both models come by themselves.
  await expect(page.locator("lab-token-facts .lists ol > li")).toHaveCount(20, { timeout: 30_000 });
  await lab.done();
  await page.keyboard.press("h");
  await expect(caption(page, "lab-healing")).toContainText(
    /Layer \d put back removes [\d.]+ % of the divergence here|put back/,
    {
      timeout: 60_000,
    },
  );
  await lab.done();
  expect(await faults(page)).toEqual([]);

  await page.keyboard.press("n");
  await page.keyboard.press("Enter");
  expect(await chosen(page).getAttribute("aria-label")).not.toBe(first);
  await lab.done();
  await page.keyboard.press("]");
  await expect(page.locator("lab-word-text select")).toHaveValue(/.*/);
  await expect(page.locator("lab-word-text select option:checked")).toHaveText(/^Window 2 of 4/);
  const before = await lab.headline.innerText();
  await page.keyboard.press("x");
  await expect(lab.headline).not.toHaveText(before);

  // The list leads to the place, wherever it is.
  await page.locator("lab-flip-list tbody button").first().focus();
  await page.keyboard.press("Enter");
  await expect(chosen(page)).toHaveCount(1);
  await lab.done();
  await expect(page.locator("lab-survival figcaption")).toContainText(
    /one prediction in ten moves by [\d.]+ nats or more/,
  );
});

test("greedy text and multiple choice are measured and say how sure they are", async ({ lab }) => {
  test.setTimeout(240_000);
  const { page } = lab;
  await measured(lab, 2);
  const generation = page.locator("lab-generation");
  await generation.getByLabel("Prompts").fill("6");
  await generation.getByLabel("Tokens").fill("12");
  await generation.getByRole("button", { name: "Generate" }).click();
  await expect(generation.locator("tbody tr")).toHaveCount(5, { timeout: 90_000 });
  await lab.done();
  const tasks = page.locator("lab-tasks");
  await tasks.getByRole("button", { name: "Answer" }).click();
  await expect(tasks).toContainText(/Of 120 items a scheme must lose \d+/, { timeout: 120_000 });
  await lab.done();
  expect(await faults(page)).toEqual([]);
});

test("ten thousand tokens: only those near the view are elements, and all are reached", async ({ lab }) => {
  test.setTimeout(300_000);
  const { page } = lab;
  await lab.done();
  // One scheme, and a text of one's own in windows as long as the model takes: 20 × 512.
  const text = page.locator("lab-text-picker");
  await text.locator('input[type="file"]').first().setInputFiles("fixtures/text/scripture.txt");
  await expect(text.locator("li")).toContainText("scripture.txt");
  await setWindows(page, 20);
  await lab.settle(() => page.keyboard.press("m"));
  await lab.done();
  await lab.goTo("Words");
  await expect(page.locator("lab-word-text select option")).toHaveCount(20);
  const elements = () => page.locator("lab-word-text [data-place]").count();
  expect(await elements()).toBeLessThan(1200);
  for (let turn = 0; turn < 19; turn++) await page.keyboard.press("]");
  await expect(page.locator("lab-word-text select option:checked")).toHaveText(/^Window 20 of 20/);
  expect(await elements()).toBeLessThan(1200);
  await page.keyboard.press("n");
  await page.keyboard.press("Enter");
  await expect(chosen(page)).toHaveCount(1);
  await lab.done();
});
