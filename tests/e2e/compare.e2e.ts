import { droppable, expect, test } from "./lab-page.ts";

const LOUD = "fixtures/models/quantlab-4m-loud";

test("opens on the bundled model, already compared under both schemes", async ({ lab }) => {
  await lab.done();
  await expect(lab.headline).toHaveText(/^W4A16 makes quantlab-4m 2\.74 × smaller and keeps its weights 19\.\d dB/);
  await expect(lab.row("original")).toContainText("7.349");
  await expect(lab.row("W8A8")).toContainText("4.227");
  await expect(lab.row("W4A16")).toContainText("2.686");
  await expect(lab.page.locator("lab-layer-map .cell.near, lab-layer-map .cell.far")).toHaveCount(28);
  await expect(lab.page.locator("lab-throughput tbody tr").first()).toContainText("B/s");
  await expect(lab.page.locator("lab-gpu-fit h3")).toContainText("fits on one");
  await expect(lab.page.locator("lab-matrix-sheet .histogram")).toBeVisible();
  await expect(lab.runBar).toContainText(/bit-exact on this adapter|CPU engine/);
});

test("picks a folder with two shards and shows the same", async ({ lab }) => {
  await lab.done();
  await lab.pickFolder(LOUD);
  await expect(lab.headline).toContainText("quantlab-4m-loud");
  await lab.done();
  await expect(lab.page.locator("lab-layer-map figcaption")).toContainText("One matrix stands out: o_proj of layer 0");
});

test("drops a folder anywhere on the page", async ({ lab }) => {
  await lab.done();
  await lab.drop(droppable("fixtures/models/quantlab-4m"));
  await expect(lab.page.locator("lab-top-bar .chip")).toContainText("3.67 M");
  await lab.done();
  await expect(lab.row("W4A16")).toContainText("2.686");
});

test("one selection rules all pictures", async ({ lab }) => {
  await lab.done();
  await lab.row("W8A8").getByRole("button").click();
  await expect(lab.headline).toHaveText(/^W8A8 makes quantlab-4m 1\.74 × smaller/);
  await expect(lab.page.locator("lab-scheme-summary h2")).toHaveText(/W8A8/);
  await expect(lab.page.locator("lab-layer-map .unit-line")).toContainText("W8A8");
  await expect(lab.page.locator("lab-matrix-sheet figcaption")).toContainText("256 levels");
});

test("arrows walk the map, each place says itself, Enter opens it", async ({ lab }) => {
  await lab.done();
  const focused = lab.page.locator("lab-layer-map .cell:focus");
  await lab.page.locator('lab-layer-map .cell[data-key="model.layers.0.self_attn.q_proj"]').focus();
  await lab.page.keyboard.press("ArrowRight");
  await lab.page.keyboard.press("ArrowDown");
  await expect(focused).toHaveAttribute("aria-label", /^k_proj of layer 1: 19\.\d dB, /);
  await lab.page.keyboard.press("Enter");
  await expect(lab.page.locator("lab-matrix-sheet h2")).toHaveText("model.layers.1.self_attn.k_proj");
  await expect(lab.page.locator("lab-layer-map [aria-live]")).toContainText("Opened k_proj of layer 1");
});

test("the plan's column follows GPU and context without measuring again", async ({ lab }) => {
  await lab.done();
  const before = await lab.page.locator("lab-throughput").innerText();
  await lab.page.locator("lab-gpu-fit #gpu").selectOption("H100 SXM 80 GB");
  await expect(lab.page.locator("lab-gpu-fit h3")).toContainText("H100 SXM 80 GB");
  const cache = lab.page.locator("lab-gpu-fit dd").nth(1);
  const small = await cache.innerText();
  await lab.page.locator("lab-gpu-fit #context").fill("131072");
  await lab.page.locator("lab-gpu-fit #context").press("Tab");
  await expect(cache).not.toHaveText(small);
  await lab.page.locator("lab-gpu-fit #context").fill("-5");
  await lab.page.locator("lab-gpu-fit #context").press("Tab");
  await expect(lab.page.locator("lab-gpu-fit [role=alert]")).toContainText("whole number");
  expect(await lab.page.locator("lab-throughput").innerText()).toBe(before);
});

test("a changed rule marks the result as old until it is compared again", async ({ lab }) => {
  await lab.done();
  await lab.page.locator("lab-compare-settings #arithmetic").selectOption("triton");
  await expect(lab.headline).toHaveText("These numbers are for eager arithmetic; you have chosen triton.");
  await expect(lab.page.locator("lab-export-panel")).toContainText("compare again first");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await lab.done();
  await expect(lab.page.locator("lab-headline p")).toContainText("triton arithmetic");
});

test("an own ignore list is kept to", async ({ lab }) => {
  await lab.done();
  await lab.page.locator("lab-compare-settings #ignore").fill("lm_head, re:.*embed_tokens, re:.*down_proj");
  await lab.page.locator("lab-compare-settings #ignore").press("Enter");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await expect(lab.page.locator("lab-headline p")).toContainText("24 matrices");
});

test("works offline once it is loaded", async ({ lab, context }) => {
  await lab.done();
  await context.setOffline(true);
  await lab.page.locator("lab-compare-settings #arithmetic").selectOption("triton");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await expect(lab.page.locator("lab-headline p")).toContainText("triton arithmetic");
  await lab.done();
  await lab.pickFolder(LOUD);
  await expect(lab.headline).toContainText("quantlab-4m-loud");
  await lab.done();
});
