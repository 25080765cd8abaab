import { droppable, expect, test } from "./lab-page.ts";

const LOUD = "fixtures/models/quantlab-4m-loud";

test("opens on the bundled model, already compared under five schemes", async ({ lab }) => {
  await lab.done();
  await expect(lab.headline).toHaveText(/^W4A16 makes quantlab-4m 2\.74 × smaller and keeps its weights 19\.\d dB/);
  await expect(lab.row("original")).toContainText("7.349");
  await expect(lab.row("W8A8")).toContainText("4.227");
  await expect(lab.row("W4A16")).toContainText("2.686");
  await expect(lab.page.locator("lab-scheme-frontier .mark.pickable")).toHaveCount(5);
  await expect(lab.page.locator("lab-throughput tbody tr").first()).toContainText("B/s");
  await expect(lab.page.locator("lab-gpu-fit figcaption")).toContainText("fits on one");
  await expect(lab.runBar).toContainText(/bit-exact here/);
  await lab.goTo("Layers");
  await expect(lab.page.locator("lab-layer-map lab-chart .mark.pickable")).toHaveCount(28);
  await expect(lab.page.locator("lab-layer-map .mark[data-key]")).toHaveCount(28 + 4 + 7);
  await expect(lab.page.locator("lab-matrix-sheet lab-chart")).toHaveCount(4);
  await expect(lab.page.locator("lab-error-map canvas")).toBeVisible();
  await lab.goTo("Model");
  await expect(lab.headline).toContainText("quantlab-4m holds 3.67 M weights in 7.35 MB");
  await expect(lab.page.locator("lab-tensor-tree")).toContainText("38 tensors");
});

test("picks a folder with two shards and shows the same", async ({ lab }) => {
  await lab.done();
  await lab.goTo("Layers");
  await lab.pickFolder(LOUD);
  await expect(lab.page.locator("lab-top-bar .chip")).toContainText("quantlab-4m-loud");
  await lab.done();
  await expect(lab.headline).toContainText("W4A16: one matrix stands out: o_proj of layer 0");
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
  await lab.goTo("Layers");
  await expect(lab.headline).toHaveText(/^W8A8: /);
  await expect(lab.page.locator("lab-layer-map .note, lab-layer-map [slot=note]").first()).toContainText("W8A8");
  await expect(lab.page.locator("lab-matrix-sheet figcaption").first()).toContainText("levels are taken");
  await lab.page.locator("lab-layer-map").getByRole("button", { name: "W3A16" }).click();
  await lab.goTo("Measure");
  await expect(lab.headline).toHaveText(/^W3A16 makes/);
  await expect(lab.page.locator('lab-scheme-frontier .mark[aria-pressed="true"]')).toHaveAttribute("data-key", "W3A16");
});

test("arrows walk the map, each place says itself, Enter opens it", async ({ lab }) => {
  await lab.done();
  await lab.goTo("Layers");
  const focused = lab.page.locator("lab-layer-map .mark:focus");
  await lab.matrix("model.layers.0.self_attn.q_proj").focus();
  await lab.page.keyboard.press("ArrowRight");
  await lab.page.keyboard.press("ArrowDown");
  await expect(focused).toHaveAttribute("aria-label", /^k_proj of layer 1: 19\.\d dB, /);
  await lab.page.keyboard.press("Enter");
  await expect(lab.page.locator("lab-matrix-facts h2")).toHaveText("model.layers.1.self_attn.k_proj");
  await expect(focused).toHaveAttribute("aria-pressed", "true");
});

test("x changes between two recipes and keeps what is looked at; 2 shows both", async ({ lab }) => {
  await lab.done();
  await lab.goTo("Layers");
  const largest = lab.page.locator("lab-error-map figcaption").first();
  await expect(largest).toContainText("Largest error");
  const before = await largest.innerText();
  const view = lab.page.locator("lab-error-map output").first();
  await lab.page.keyboard.press("0");
  await expect(view).toHaveText("1:1");
  await lab.page.keyboard.press("x");
  await expect(lab.headline).not.toContainText("W4A16:");
  await expect(largest).not.toHaveText(before);
  await expect(view).toHaveText("1:1");
  await lab.page.keyboard.press("x");
  await expect(lab.headline).toContainText("W4A16:");
  await expect(largest).toHaveText(before);
  await lab.page.keyboard.press("2");
  await expect(lab.page.locator("lab-matrix-sheet")).toHaveCount(2);
  await lab.page.keyboard.press("f");
  await expect(lab.page.locator("lab-error-map output").nth(1)).toHaveText("whole");
  await lab.page.keyboard.press("1");
  await expect(lab.page.locator("lab-matrix-sheet")).toHaveCount(1);
});

test("the plan's column follows GPU and context without measuring again", async ({ lab }) => {
  await lab.done();
  const before = await lab.page.locator("lab-throughput").innerText();
  await lab.page.locator("lab-gpu-fit #gpu").selectOption("H100 SXM 80 GB");
  await expect(lab.page.locator("lab-gpu-fit figcaption")).toContainText("H100 SXM 80 GB");
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

test("a scheme is added by one press, measured, and taken out again", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  await picker.getByRole("button", { name: "W2A16", exact: true }).click();
  await expect(lab.headline).toHaveText("W2A16 is not measured yet.");
  await picker.getByRole("button", { name: "Compare these 6" }).click();
  await lab.done();
  await expect(lab.row("W2A16").locator("td").nth(5)).toHaveText(/^\d/);
  await picker.getByRole("button", { name: "Take out W2A16" }).click();
  await expect(lab.headline).toHaveText("You have taken out W2A16.");
  await lab.page.getByRole("button", { name: "Back to what is shown" }).click();
  await expect(lab.headline).toHaveText(/^W4A16 makes/);
});

test("a recipe of several schemes after pruning is written as text, and each matrix says what applies to it", async ({
  lab,
}) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  const recipe = "magnitude:2:4 | W8A16@re:.*down_proj; int4:group=32:asym";
  await picker.getByRole("button", { name: "Add schemes" }).click();
  await picker.locator("#text").fill("W4A16; W8A8");
  await picker.locator("#text").press("Enter");
  await expect(picker.getByRole("alert")).toContainText("Move the group without targets to the end");
  await picker.locator("#text").fill(recipe);
  await picker.locator("#text").press("Enter");
  await picker.getByRole("button", { name: "Compare these 6" }).click();
  await lab.done();
  await lab.row(recipe).getByRole("button").click();
  await expect(lab.page.locator("lab-scheme-table .notes")).toContainText("Stored dense, with zeros");
  await lab.goTo("Layers");
  await lab.matrix("model.layers.0.mlp.down_proj").click();
  await expect(lab.page.locator("lab-matrix-facts p").first()).toContainText("pruned first, then W8A16");
  await lab.matrix("model.layers.0.mlp.up_proj").click();
  await expect(lab.page.locator("lab-matrix-facts p").first()).toContainText("pruned first, then int4:group=32:asym");
  await expect(lab.page.locator("lab-matrix-sheet figcaption").first()).toContainText("moved by their zero point");
});

test("pruning alone has no levels to count, and is exported", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  await picker.locator("#prune").selectOption("2:4");
  await picker.getByRole("button", { name: "not quantized" }).click();
  await picker.getByRole("button", { name: "Compare these 6" }).click();
  await lab.done();
  await lab.row("magnitude:2:4 | none").getByRole("button").click();
  await lab.goTo("Layers");
  await expect(lab.page.locator("lab-matrix-sheet .caption").first()).toContainText("No levels here.");
  await lab.goTo("Measure");
  await expect(lab.headline).toContainText("does not make quantlab-4m smaller");
  await lab.page.getByRole("button", { name: /^Export/ }).click();
  await expect(lab.page.locator("lab-export-panel .note")).toContainText("28 matrices pruned");
  await expect(lab.page.locator("lab-export-panel .note")).toContainText("To the byte what the table says.");
});

test("eight recipes are the most", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  for (const name of ["W2A16", "W5A16", "W8A16"]) {
    await picker.getByRole("button", { name, exact: true }).click();
  }
  await expect(picker).toContainText("take one out to add another");
  await expect(picker.getByRole("button", { name: "W4A4", exact: true })).toHaveAttribute("aria-disabled", "true");
  await picker.getByRole("button", { name: "Compare these 8" }).click();
  await lab.done();
  await expect(lab.page.locator("lab-scheme-table tbody tr")).toHaveCount(9);
  await expect(lab.runBar).toContainText("28 matrices under 8 schemes");
});

test("the tray of schemes is used by keys alone", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).focus();
  await lab.page.keyboard.press("Enter");
  await lab.page.keyboard.press("Tab");
  await expect(picker.locator("#prune")).toBeFocused();
  await lab.page.keyboard.press("Tab");
  await expect(picker.locator("#method")).toBeFocused();
  await lab.page.keyboard.press("Tab");
  await lab.page.keyboard.press("Space");
  await expect(lab.headline).toHaveText("W2A16 is not measured yet.");
  await picker.getByRole("button", { name: "Take out W2A16" }).focus();
  await lab.page.keyboard.press("Enter");
  await expect(picker.getByRole("button", { name: "Take out W8A8" })).toBeFocused();
  await picker.locator("#prune").focus();
  await lab.page.keyboard.press("Escape");
  await expect(picker.getByRole("button", { name: "Add schemes" })).toBeFocused();
  await expect(picker.locator("#tray")).toBeHidden();
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
