import { faults } from "./axe.ts";
import { expect, test } from "./lab-page.ts";

/** Beside the five that the page opens with. */
const LONG_RECIPES = [
  "magnitude:2:4 | int4:group=32:asym",
  "W8A16@re:.*down_proj; W8A8@re:.*self_attn.*; int3:group=64",
  "magnitude:rows:0.25 | none",
];

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1440, 768, 375]) {
    test.describe(`${colorScheme}, ${width} px`, () => {
      test.use({ colorScheme, viewport: { width, height: 900 } });

      test("nothing is wider than the page and axe finds nothing", async ({ lab }) => {
        await lab.done();
        for (const surface of ["Model", "Layers", "Words", "Measure"] as const) {
          await lab.goTo(surface);
          const beyond = await lab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          expect(beyond, surface).toBe(0);
          expect(await faults(lab.page), surface).toEqual([]);
        }
      });

      test("so it is with eight recipes of long names and the tray open", async ({ lab }) => {
        await lab.done();
        const picker = lab.page.locator("lab-scheme-picker");
        await picker.getByRole("button", { name: "Add schemes" }).click();
        for (const recipe of LONG_RECIPES) {
          await picker.locator("#text").fill(recipe);
          await picker.locator("#text").press("Enter");
        }
        await picker.locator("#text").fill("not a recipe");
        await picker.locator("#text").press("Enter");
        expect(await faults(lab.page)).toEqual([]);
        await picker.getByRole("button", { name: "Compare these 8" }).click();
        await lab.done();
        const beyond = await lab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(beyond).toBe(0);
        expect(await faults(lab.page)).toEqual([]);
      });
    });
  }
}

test("the theme can be turned, and stays turned", async ({ lab }) => {
  await lab.done();
  const paper = (): Promise<string> =>
    lab.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const before = await paper();
  await lab.page.getByRole("button", { name: "Light or dark" }).click();
  const after = await paper();
  expect(after).not.toBe(before);
  await lab.page.reload();
  expect(await paper()).toBe(after);
});

test("keys are listed on ?, and the list closes on Escape", async ({ lab }) => {
  await lab.done();
  await lab.page.keyboard.press("?");
  await expect(lab.page.getByRole("dialog")).toBeVisible();
  expect(await faults(lab.page)).toEqual([]);
  await lab.page.keyboard.press("Escape");
  await expect(lab.page.getByRole("dialog")).toBeHidden();
});

test("the words of a mark show on focus and go on Escape", async ({ lab }) => {
  await lab.done();
  const tip = lab.page.locator("lab-tip-layer div");
  await lab.page.locator("lab-scheme-summary .kind").first().hover();
  await expect(tip).toContainText("Computed");
  await lab.page.keyboard.press("Escape");
  await expect(tip).toBeHidden();
});

test("axe finds nothing while a comparison runs, after an export and in the list of commands", async ({ lab }) => {
  await expect(lab.page.locator("lab-run-bar .cancel")).toBeVisible();
  expect(await faults(lab.page)).toEqual([]);
  await lab.done();
  await lab.page.getByRole("button", { name: /^Export/ }).click();
  await expect(lab.page.locator("lab-export-panel .note")).toBeVisible();
  await lab.page.keyboard.press("Control+k");
  await lab.page.keyboard.type("proj");
  expect(await faults(lab.page)).toEqual([]);
});

test.describe("forced colours", () => {
  test.use({ contextOptions: { forcedColors: "active" } });
  test("the figures are still there", async ({ lab }) => {
    await lab.done();
    await expect(lab.row("W4A16")).toContainText("2.686");
    await lab.goTo("Layers");
    await expect(lab.page.locator("lab-layer-map .mark").first()).toBeVisible();
  });
});
