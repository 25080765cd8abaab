import { readdirSync } from "node:fs";
import { droppableFile, expect, test } from "./lab-page.ts";

test("cancel settles within 100 ms and what was measured stands", async ({ lab }) => {
  await lab.done();
  await lab.page.locator("lab-compare-settings #arithmetic").selectOption("triton");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await expect(lab.page.locator("lab-run-bar .cancel")).toBeVisible();
  const waited = await lab.page.evaluate(async () => {
    const bar = document.querySelector("lab-app")?.shadowRoot?.querySelector("lab-run-bar")?.shadowRoot;
    const asked = performance.now();
    dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    while (bar?.querySelector(".cancel") !== null) await new Promise((resolve) => requestAnimationFrame(resolve));
    return performance.now() - asked;
  });
  // The page stops waiting after 70 ms; the rest are frames of a software renderer on a busy machine.
  expect(waited).toBeLessThan(150);
  await expect(lab.runBar.locator("b")).toHaveText("Stopped by you");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await lab.done();
});

test("a worker that hangs is noticed, ended and replaced", async ({ lab }) => {
  await lab.done();
  const [worker] = lab.page.workers();
  void worker?.evaluate("for (;;) {}").catch(() => undefined);
  await expect(lab.headline).toContainText("gave no sign of life", { timeout: 20_000 });
  await expect(lab.row("W4A16")).toContainText("2.686");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await lab.done();
});

test.describe("a worker whose script is missing", () => {
  test.use({ mayComplain: true });
  test("is reported, not waited for", async ({ page, lab }) => {
    await page.route(/engine\.worker/, (route) => route.abort());
    await page.reload();
    await expect(lab.headline).toContainText("Running the engine's worker", { timeout: 20_000 });
  });
});

test("a broken file says what failed; the comparison before stands", async ({ lab }) => {
  await lab.done();
  await lab.drop([droppableFile("fixtures/hostile/safetensors/size_too_small.safetensors")]);
  await expect(lab.page.locator("lab-headline .failed h1")).toContainText("✕");
  await expect(lab.page.locator("lab-headline p")).toContainText("The comparison of quantlab-4m below stands.");
  await expect(lab.row("W4A16")).toContainText("2.686");
  await lab.page.getByRole("button", { name: "Close" }).click();
  await expect(lab.headline).toHaveText(/^W4A16 makes quantlab-4m/);
  await lab.goTo("Layers");
  await lab.matrix("model.layers.3.mlp.up_proj").click();
  await expect(lab.page.locator("lab-matrix-facts h2")).toHaveText("model.layers.3.mlp.up_proj");
  await expect(lab.page.locator("lab-matrix-sheet lab-chart")).toHaveCount(4);
});

test("files that are no model are refused with words", async ({ lab }) => {
  await lab.done();
  await lab.drop([{ name: "holiday.jpg", base64: "/9j/4AAQ" }]);
  await expect(lab.page.locator("lab-headline .failed h1")).toBeVisible();
});

test("hostile headers never break the page", async ({ lab }) => {
  await lab.done();
  const folder = "fixtures/hostile/safetensors";
  const named = readdirSync(folder).filter((name) => name.startsWith("name_"));
  expect(named.length).toBeGreaterThan(3);
  const config = droppableFile("fixtures/models/quantlab-4m/config.json");
  for (const name of named) {
    await lab.settle(() => lab.drop([droppableFile(`${folder}/${name}`, "model.safetensors"), config]));
    await expect(lab.page.locator("lab-run-bar b")).toHaveText(/Done|Failed/);
    for (const surface of ["Model", "Layers", "Measure"] as const) {
      await lab.goTo(surface);
      expect(await lab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth), surface).toBe(0);
    }
    expect(await lab.page.locator("lab-app img, lab-app script, lab-app [onload], lab-app [onerror]").count()).toBe(0);
  }
});
