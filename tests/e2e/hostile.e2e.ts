import { dirname, join } from "node:path";
import { HOSTILE_FOLDER, hostileCases } from "../support/hostile-cases.ts";
import { expectationOf, type HostileCase } from "../support/hostile-expectations.ts";
import { expect, type LabPage, test } from "./lab-page.ts";

const CASES = hostileCases("safetensors", "weights", "sharded", "config");

/** About 25 s; a machine that does other things at the same time takes longer. */
const LIMIT_MS = 300_000;

/** Picks a case's files through the page's own inputs. */
async function pick(lab: LabPage, { file, files }: HostileCase): Promise<void> {
  if (files) await lab.pickFolder(join(HOSTILE_FOLDER, dirname(file)));
  else await lab.page.locator("lab-top-bar #files").setInputFiles(join(HOSTILE_FOLDER, file));
}

type Shown =
  | { readonly end: string; readonly saysConfig: boolean }
  | { readonly during: string; readonly code: string; readonly rule: string };

/** What the page shows of a case; of a failure, what its button copies. */
function shown({ page }: LabPage): Promise<Shown> {
  return page.evaluate(async () => {
    const app = document.querySelector("lab-app")?.shadowRoot;
    const inside = (panel: string, selector: string) => [
      ...(app?.querySelector(panel)?.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? []),
    ];
    const [copy] = inside("lab-headline", ".failed button").filter(({ innerText }) =>
      /^Cop(y details|ied)$/.test(innerText),
    );
    if (copy) {
      const copied = new Promise<string>((resolve) => {
        navigator.clipboard.writeText = async (text) => resolve(text);
      });
      copy.click();
      const { during, code, fields } = JSON.parse(await copied);
      return { during, code, rule: fields.rule };
    }
    const warnings = [...(app?.querySelectorAll<HTMLElement>(".warnings li") ?? [])];
    const saysConfig = warnings.some(({ innerText }) => /^Reading .*config\.json/.test(innerText));
    return { end: inside("lab-run-bar", "b")[0]?.innerText ?? "", saysConfig };
  });
}

/** What it should show. */
function wanted(hostile: HostileCase): Shown {
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
  test.setTimeout(LIMIT_MS);
  expect(CASES).toHaveLength(151);
  await lab.done();
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
