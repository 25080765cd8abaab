import { dirname, join } from "node:path";
import { HOSTILE_FOLDER, hostileCases } from "../support/hostile-cases.ts";
import { expectationOf, type HostileCase } from "../support/hostile-expectations.ts";
import { expect, type LabPage, test } from "./lab-page.ts";

const CASES = hostileCases("safetensors", "weights", "sharded", "config");

/** Picks a case's files through the page's own inputs. */
async function pick(lab: LabPage, { file, files }: HostileCase): Promise<void> {
  if (files) await lab.pickFolder(join(HOSTILE_FOLDER, dirname(file)));
  else await lab.page.locator("lab-top-bar #files").setInputFiles(join(HOSTILE_FOLDER, file));
}

/** What the page shows of a case. */
async function shown(lab: LabPage) {
  const failed = lab.page.locator("lab-headline .failed");
  if (await failed.isVisible()) {
    await failed.getByRole("button", { name: "Copy details" }).click();
    const { during, code, fields } = JSON.parse(await lab.page.evaluate(() => navigator.clipboard.readText()));
    return { during, code, rule: fields.rule };
  }
  const warnings = await lab.page.locator("lab-app .warnings li").allInnerTexts();
  return {
    end: await lab.runBar.locator("b").innerText(),
    saysConfig: warnings.some((text) => /^Reading .*config\.json/.test(text)),
  };
}

/** What it should show. */
function wanted(hostile: HostileCase): Awaited<ReturnType<typeof shown>> {
  const expected = expectationOf(hostile);
  if (expected.outcome === "accept") return { end: "Done", saysConfig: false };
  // A config.json that is wrong keeps no weights from being compared.
  if (hostile.kind === "config") return { end: "Done", saysConfig: true };
  return { during: "opening", code: expected.code, rule: expected.rule };
}

test("every hostile file is taken or refused as on the command line, offline, by one page that lives on", async ({
  lab,
  context,
}) => {
  expect(CASES).toHaveLength(151);
  await lab.done();
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const requests: string[] = [];
  context.on("request", (request) => requests.push(request.url()));
  await context.setOffline(true);
  for (const hostile of CASES) {
    const started = performance.now();
    await lab.settle(() => pick(lab, hostile));
    const ms = performance.now() - started;
    expect.soft(await shown(lab), hostile.id).toEqual(wanted(hostile));
    // Weights are compared as well, which is not part of the decision.
    if (hostile.kind !== "weights") expect.soft(ms, hostile.id).toBeLessThan(hostile.limits.ms);
  }
  expect(requests).toEqual([]);
  expect(await lab.page.locator("lab-app img, lab-app script, lab-app [onload], lab-app [onerror]").count()).toBe(0);
  expect(await lab.page.evaluate(() => [Reflect.has(window, "__xss"), Reflect.has({}, "polluted")])).toEqual([
    false,
    false,
  ]);
  await context.setOffline(false);
  await lab.settle(() => lab.pickFolder("fixtures/models/quantlab-4m"));
  await expect(lab.headline).toHaveText(/^W4A16 makes quantlab-4m/);
});
