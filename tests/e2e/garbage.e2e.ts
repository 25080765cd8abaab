import { join } from "node:path";
import { CHROMIUM_ARGS, findChromium } from "../../scripts/chromium.mjs";
import { HOSTILE_FOLDER } from "../support/hostile-cases.ts";
import { expect, test } from "./lab-page.ts";

test.use({
  launchOptions: { executablePath: findChromium() ?? "", args: [...CHROMIUM_ARGS, "--js-flags=--expose-gc"] },
});

const OPENINGS = 25;

test("no reading of a file is lost to the garbage collector", async ({ lab }) => {
  await lab.done();
  const [worker] = lab.page.workers();
  await worker?.evaluate(() => {
    const collect = Reflect.get(globalThis, "gc") as (how: object) => void;
    // As a task of its own: while a script runs, what its stack may point to is kept.
    setInterval(() => collect({ type: "major", execution: "async" }), 1);
  });
  const files = lab.page.locator("lab-top-bar #files");
  for (let opening = 0; opening < OPENINGS; opening++) {
    const file = opening % 2 === 0 ? "layout_trailing" : "size_too_small";
    await lab.settle(() => files.setInputFiles(join(HOSTILE_FOLDER, `safetensors/${file}.safetensors`)));
    await expect(lab.headline).toContainText(`${file}.safetensors`);
  }
});
