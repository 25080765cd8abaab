import { droppable, expect, test } from "./lab-page.ts";

const LOUD = "fixtures/models/quantlab-4m-loud";

test("opens on the bundled model, already compared under both schemes", async ({ lab }) => {
  await lab.done();
  await expect(lab.headline).toHaveText(/^W4A16 makes quantlab-4m 2\.74 × smaller and keeps its weights 19\.\d dB/);
  await expect(lab.row("original")).toContainText("7.349");
  await expect(lab.row("W8A8")).toContainText("4.227");
  await expect(lab.row("W4A16")).toContainText("2.686");
  await expect(lab.page.locator("lab-layer-map .cell:not(.total):is(.near, .far)")).toHaveCount(28);
  await expect(lab.page.locator("lab-layer-map .cell.total")).toHaveCount(4);
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

test("a scheme is added by one press, measured, and taken out again", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  await picker.getByRole("button", { name: "W2A16", exact: true }).click();
  await expect(lab.headline).toHaveText("W2A16 is not measured yet.");
  await picker.getByRole("button", { name: "Compare these 3" }).click();
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
  await picker.getByRole("button", { name: "Compare these 3" }).click();
  await lab.done();
  await lab.row(recipe).getByRole("button").click();
  await expect(lab.page.locator("lab-scheme-table .notes")).toContainText("Stored dense, with zeros");
  await lab.page.locator('lab-layer-map .cell[data-key="model.layers.0.mlp.down_proj"]').click();
  await expect(lab.page.locator("lab-matrix-sheet .under")).toContainText("pruned first, then W8A16");
  await lab.page.locator('lab-layer-map .cell[data-key="model.layers.0.mlp.up_proj"]').click();
  await expect(lab.page.locator("lab-matrix-sheet .under")).toContainText("pruned first, then int4:group=32:asym");
  await expect(lab.page.locator("lab-matrix-sheet figcaption")).toContainText("moved by their zero point");
});

test("pruning alone has no levels to count, and is exported", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  await picker.locator("#prune").selectOption("2:4");
  await picker.getByRole("button", { name: "not quantized" }).click();
  await picker.getByRole("button", { name: "Compare these 3" }).click();
  await lab.done();
  await lab.row("magnitude:2:4 | none").getByRole("button").click();
  await expect(lab.page.locator("lab-matrix-sheet figcaption")).toContainText("No levels here.");
  await expect(lab.headline).toContainText("does not make quantlab-4m smaller");
  await lab.page.getByRole("button", { name: /^Export/ }).click();
  await expect(lab.page.locator("lab-export-panel .note")).toContainText("28 matrices pruned");
  await expect(lab.page.locator("lab-export-panel .note")).toContainText("To the byte what the table says.");
});

test("eight recipes are the most", async ({ lab }) => {
  await lab.done();
  const picker = lab.page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  for (const name of ["W2A16", "W3A16", "W5A16", "W6A16", "W7A16", "W8A16"]) {
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
