import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { faults } from "./axe.ts";
import { pressOn, tabTo } from "./keys.ts";
import { expect, test } from "./lab-page.ts";

const MODEL = "fixtures/models/quantlab-4m-loud";

let scratch = "";
test.beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "lab-methods-"));
});
test.afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Four of the bundled calibration windows: enough for a gain to be told, few enough for seconds. */
function fewWindows(): string {
  const { windows } = JSON.parse(readFileSync("fixtures/text/calibration.tokens.json", "utf8"));
  const path = join(scratch, "four.json");
  writeFileSync(path, JSON.stringify({ windows: windows.slice(0, 4) }));
  return path;
}

/** SHA-256 of each file under `folder`, by its path. */
function sums(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
  return Object.fromEntries(
    files.sort().map((name) => [
      relative(".", name),
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );
}

test("by keys alone: a method and its plain twin are compared, measured and exported as the command line does it", async ({
  lab,
}) => {
  test.setTimeout(300_000);
  const { page } = lab;
  const calibration = fewWindows();
  await lab.done();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("loud");
  await lab.settle(() => page.keyboard.press("Enter"));
  await lab.done();

  await tabTo(page, /^Compute on$/);
  await page.keyboard.press("End");
  for (const name of ["W3A16", "W4A16", "W4A16_ASYM", "W6A16"]) await pressOn(page, new RegExp(`^Take out ${name}$`));
  await pressOn(page, /^Add schemes$/);
  await tabTo(page, /^Rounded by$/);
  await page.keyboard.press("ArrowDown");
  const picker = page.locator("lab-scheme-picker");
  await expect(picker).toContainText("Runs over the calibration text first");
  await pressOn(page, /^W4A16$/);
  await expect(picker.locator(".spoken")).toHaveText("Added W4A16 and gptq | W4A16. 3 of 8 chosen.");
  await page.keyboard.press("Escape");

  const chooser = page.waitForEvent("filechooser");
  await pressOn(page, /^Own calibration file$/);
  await (await chooser).setFiles(calibration);
  await expect(page.locator("lab-calibration-text")).toContainText("four.json");
  await tabTo(page, /^Compare these 3$/);
  await lab.settle(() => page.keyboard.press("Enter"));
  await lab.done();
  await expect(page.locator("lab-scheme-table .notes")).toContainText("GPTQ moves errors on purpose");
  await expect(page.locator("lab-scheme-table .notes")).toContainText("Calibrated on four.json: 4 windows");

  await tabTo(page, /^Windows$/);
  await page.keyboard.press("Control+a");
  await page.keyboard.type("2");
  await page.keyboard.press("Tab");
  await lab.settle(() => page.keyboard.press("m"));
  await lab.done();
  const recovered = page.locator("lab-divergence-table tbody tr").filter({ hasText: "recovered" });
  await expect(recovered.locator("td").nth(2)).toHaveText(/^!?[−\d.]+(wins|loses|open)$/);
  await expect(recovered.locator("td").first()).toHaveText("–");

  await pressOn(page, /^gptq \| W4A16(, note 1)?1?$/);
  await expect(page.locator("lab-scheme-summary")).toContainText("outputs' error ×");
  const download = page.waitForEvent("download");
  await pressOn(page, /^Export gptq \| W4A16$/);
  const archive = join(scratch, "page.tar");
  await (await download).saveAs(archive);
  await expect(page.locator("lab-export-panel .note")).toContainText("To the byte what the table says.");
  const [fromPage, fromCli] = [mkdtempSync(join(scratch, "page-")), join(scratch, "cli")];
  execFileSync("tar", ["-xf", archive, "-C", fromPage, "--strip-components=1"]);
  const options = ["--scheme", "gptq | W4A16", "--calibration", calibration, "--device", "wasm", "--out", fromCli];
  execFileSync(process.execPath, ["scripts/lab.mjs", "quantize", MODEL, ...options]);
  expect(Object.keys(sums(fromCli))).toContain("model.safetensors.index.json");
  expect(sums(fromPage)).toEqual(sums(fromCli));

  await page.keyboard.press("g");
  await page.keyboard.press("l");
  await expect(page.locator("lab-method-sheet")).toContainText("GPTQ");
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await pressOn(page, /^Add schemes$/);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1440, 768, 375]) {
      await page.setViewportSize({ width, height: 900 });
      const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(beyond, `${width} px`).toBe(0);
      expect(await faults(page), `${colorScheme}, ${width} px`).toEqual([]);
    }
  }
});

test("each method shows its own fields, a text that is none says why, and nothing is added twice", async ({ lab }) => {
  const { page } = lab;
  await lab.done();
  const picker = page.locator("lab-scheme-picker");
  await picker.getByRole("button", { name: "Add schemes" }).click();
  const method = picker.getByLabel("Rounded by");
  await method.selectOption("SmoothQuant");
  await expect(picker.getByLabel("strength")).toHaveValue("0.5");
  await expect(picker.getByLabel("Duo scaling")).toBeHidden();
  await picker.getByLabel("strength").fill("2");
  await expect(picker.getByRole("alert").first()).toContainText("a number from 0 to 1");
  await method.selectOption("AWQ");
  await expect(picker.getByLabel("strength")).toBeHidden();
  await picker.getByLabel("Duo scaling").selectOption("no");
  await picker.getByLabel("clip ranges too").check();
  await expect(picker).toContainText("awq:duo=no:clip");
  await method.selectOption("as text");
  await picker.getByLabel("Method as text").fill("gptq+awq");
  await picker.getByLabel("Method as text").press("Tab");
  await expect(picker.getByRole("alert").first()).toContainText("transforms, then one rounding");
  await expect(page.locator("lab-calibration-text")).toHaveCount(0);
  expect(await faults(page)).toEqual([]);
});
