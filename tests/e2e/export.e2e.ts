import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { expect, test } from "./lab-page.ts";

let scratch = "";
test.beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "lab-export-"));
});
test.afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** SHA-256 of each file under `folder`, by its path. */
function sums(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (at: string): void => {
    for (const name of readdirSync(at).sort()) {
      const path = join(at, name);
      if (statSync(path).isDirectory()) walk(path);
      else found[relative(folder, path)] = createHash("sha256").update(readFileSync(path)).digest("hex");
    }
  };
  walk(folder);
  return found;
}

/** The only folder inside `folder`, or `folder` itself where the archive has none. */
function checkpointIn(folder: string): string {
  if (existsSync(join(folder, "config.json"))) return folder;
  const [inner = ""] = readdirSync(folder);
  return join(folder, inner);
}

for (const scheme of ["W4A16", "W8A8"]) {
  test(`the ${scheme} export of the page equals the command line's byte for byte`, async ({ lab }) => {
    await lab.done();
    await lab.row(scheme).getByRole("button").click();
    const download = lab.page.waitForEvent("download");
    await lab.page.getByRole("button", { name: `Export ${scheme}` }).click();
    const file = await download;
    expect(file.suggestedFilename()).toBe(`quantlab-4m-${scheme}.tar`);
    await expect(lab.page.locator("lab-export-panel .note")).toContainText("To the byte what the table says.");

    const archive = join(scratch, `${scheme}.tar`);
    await file.saveAs(archive);
    const fromPage = mkdtempSync(join(scratch, "page-"));
    execFileSync("tar", ["-xf", archive, "-C", fromPage]);

    const fromCli = join(scratch, `cli-${scheme}`);
    execFileSync(process.execPath, [
      "scripts/lab.mjs",
      "quantize",
      "fixtures/models/quantlab-4m",
      "--scheme",
      scheme,
      "--device",
      "cpu",
      "--out",
      fromCli,
    ]);
    const expected = sums(fromCli);
    expect(Object.keys(expected)).toContain("model.safetensors");
    expect(sums(checkpointIn(fromPage))).toEqual(expected);
  });
}
