import type { Page } from "@playwright/test";
import { expect, test } from "./lab-page.ts";

/** What has focus, as a screen reader would name it. */
async function focusedName(page: Page): Promise<string> {
  return page.evaluate(() => {
    let node: Element | null = document.activeElement;
    while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
    return (node?.getAttribute("aria-label") ?? node?.textContent ?? "").replace(/\s+/g, " ").trim();
  });
}

/** Presses Tab until something of that name has focus. */
async function tabTo(page: Page, name: RegExp): Promise<string> {
  for (let presses = 0; presses < 250; presses++) {
    await page.keyboard.press("Tab");
    const found = await focusedName(page);
    if (name.test(found)) return found;
  }
  throw new Error(`nothing called ${name} is reached by Tab`);
}

test("by keys alone: open, choose schemes, read the frontier, find the worst layer, open its sheet, export", async ({
  lab,
}) => {
  const { page } = lab;
  await lab.done();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("bundled loud");
  await page.keyboard.press("Enter");
  await expect(page.locator("lab-top-bar .chip")).toContainText("quantlab-4m-loud");
  await lab.done();

  await tabTo(page, /^Add schemes/);
  await page.keyboard.press("Enter");
  await tabTo(page, /^W5A16$/);
  await page.keyboard.press("Space");
  await tabTo(page, /^Compare these 6/);
  await page.keyboard.press("Enter");
  await expect(lab.headline).not.toContainText("not measured yet");
  await lab.done();

  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await tabTo(page, /: [\d.]+ bits,/);
  await page.keyboard.press("Home");
  const points = new Set<string>();
  // Six schemes, and the mark of a crowd that is enlarged.
  for (let step = 0; step < 8; step++) {
    const name = await focusedName(page);
    if (/: [\d.]+ bits,/.test(name)) points.add(name);
    await page.keyboard.press("ArrowRight");
  }
  expect(points.size).toBe(6);
  expect([...points].filter((point) => point.includes("on the line")).length).toBeGreaterThan(2);
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect(page.locator("lab-scheme-summary h2")).toHaveText(/W4A16/);

  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(lab.headline).toContainText("o_proj of layer 0");
  const worst = await tabTo(page, /, worst of 28/);
  expect(worst).toMatch(/^o_proj of layer 0: .* dB, worst of 28/);
  await page.keyboard.press("Enter");
  await expect(page.locator("lab-matrix-facts h2")).toHaveText("model.layers.0.self_attn.o_proj");
  await tabTo(page, /^level −8/);
  await page.keyboard.press("End");
  expect(await focusedName(page)).toMatch(/^level 7: .* weights$/);
  await page.keyboard.press("]");
  await expect(page.locator("lab-matrix-facts h2")).toHaveText("model.layers.1.self_attn.o_proj");

  await page.keyboard.press("g");
  await page.keyboard.press("e");
  const download = page.waitForEvent("download");
  await tabTo(page, /^Export /);
  await page.keyboard.press("Enter");
  expect((await download).suggestedFilename()).toMatch(/^quantlab-4m-loud-W4A16.*\.tar$/);
});

test("by the accessibility tree: each step has its role and name", async ({ lab }) => {
  const { page } = lab;
  await lab.done();
  const surfaces = page.getByRole("navigation", { name: "Surfaces" });
  await expect(surfaces.getByRole("link")).toHaveText(["Model", "Measure", "Layers", "Words"]);
  await expect(page.getByRole("main")).toHaveCount(1);
  await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);

  const frontier = page.getByRole("group", { name: "Schemes by size and error", exact: true });
  const chosen = frontier.getByRole("button", { name: /^W4A16: 5\.85 bits/ });
  await expect(chosen).toHaveAttribute("aria-pressed", "true");
  await frontier.getByRole("button", { name: /^W8A8: / }).click();
  await expect(page.getByRole("heading", { name: "W8A8", exact: true })).toBeVisible();

  const table = page.getByRole("region", { name: "Schemes side by side" }).getByRole("table");
  await table.getByRole("button", { name: /file/ }).first().click();
  await expect(table.locator("th[aria-sort]")).toHaveCount(1);
  await expect(table.getByRole("row")).toHaveCount(8);

  await surfaces.getByRole("link", { name: "Layers" }).click();
  const map = page.getByRole("group", { name: "Error by layer and module", exact: true });
  await expect(map.getByRole("button")).toHaveCount(28);
  await map.getByRole("button", { name: /, worst of 28/ }).click();
  await expect(page.getByRole("group", { name: "Histogram of levels", exact: true })).toBeVisible();
  await expect(page.getByRole("group", { name: "Zoom of the error map" }).getByRole("button")).toHaveCount(4);
  await page
    .getByRole("group", { name: "Error by layer and module: other forms" })
    .getByRole("button", { name: "Table" })
    .click();
  await expect(
    page.getByRole("region", { name: "Error by layer and module, as a table" }).getByRole("row"),
  ).toHaveCount(1 + 28 + 4 + 7);

  await surfaces.getByRole("link", { name: "Model" }).click();
  const tree = page.getByRole("tree");
  await expect(tree.getByRole("treeitem").first()).toHaveAttribute("aria-expanded", "true");
});

test("single keys can be switched off, and stay off", async ({ lab }) => {
  const { page } = lab;
  await lab.done();
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toContainText("Layers: where it hurts");
  await page.getByRole("checkbox", { name: /Keys of one letter/ }).uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("x");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeHidden();
  await expect(lab.headline).toContainText("W4A16 makes");
  await page.reload();
  await lab.done();
  await page.keyboard.press("x");
  await expect(lab.headline).toContainText("W4A16 makes");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog", { name: "Find" })).toBeVisible();
});
