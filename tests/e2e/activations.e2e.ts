import { readFileSync } from "node:fs";
import { faults } from "./axe.ts";
import { droppable, expect, test } from "./lab-page.ts";

test("what is rounded is chosen; the error is followed; loud channels are found, saved, and read back", async ({
  lab,
}) => {
  test.setTimeout(240_000);
  const { page } = lab;
  await lab.done();
  await lab.settle(() => lab.drop(droppable("fixtures/models/quantlab-4m-loud")));
  await lab.done();
  await page.locator("lab-text-picker #windows").fill("2");
  await page.locator("lab-text-picker #windows").press("Tab");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("Choose W8A8");
  await page.keyboard.press("Enter");

  // Both, then the weights alone: the loud channels cost far more than the weights do.
  const kld = page
    .locator("lab-divergence-table tbody tr")
    .filter({ hasText: "Mean KLD" })
    .first()
    .locator("td")
    .last();
  await lab.settle(() => page.keyboard.press("m"));
  await lab.done();
  const whole = Number.parseFloat(await kld.innerText());
  await page
    .locator("lab-rounding-switches")
    .getByRole("checkbox", { name: /^Activations/ })
    .uncheck();
  await lab.settle(() => page.keyboard.press("m"));
  await lab.done();
  await expect(lab.headline).toHaveText(/W8A8/);
  await expect(page.locator("lab-divergence-table")).toContainText(/weights (are )?rounded|weights alone/i);
  expect(whole).toBeGreaterThan(0.01);
  await page
    .locator("lab-rounding-switches")
    .getByRole("checkbox", { name: /^Activations/ })
    .check();

  await lab.goTo("Layers");
  await page.getByRole("button", { name: "Follow the error" }).click();
  await expect(page.locator("lab-depth-panel figcaption")).toContainText(/W8A8: layers 1 and 2 add most/, {
    timeout: 60_000,
  });
  await lab.done();
  const panel = page.locator("lab-activation-panel");
  await panel.getByRole("button", { name: "Collect", exact: true }).click();
  await expect(panel).toContainText(/channels 30 and 83 tower/, { timeout: 60_000 });
  await lab.done();
  await panel.getByRole("button", { name: "layers.1.self_attn.q_proj" }).click();
  await panel.getByRole("button", { name: "Token by token" }).click();
  await expect(panel).toContainText(/Channels 30 and 83 are loud at/, { timeout: 60_000 });
  await lab.done();
  expect(await faults(page)).toEqual([]);

  const download = page.waitForEvent("download");
  await panel.getByRole("button", { name: "Save statistics" }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toMatch(/-activations\.safetensors$/);
  const path = await saved.path();
  expect(readFileSync(path).byteLength).toBeGreaterThan(100_000);
  await panel.locator('input[type="file"]').setInputFiles(path);
  await expect(panel).toContainText("from a file", { timeout: 30_000 });
  await lab.done();
});
