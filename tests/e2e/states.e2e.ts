import { test as base } from "@playwright/test";
import { faults } from "./axe.ts";
import { droppableFile, expect, LabPage } from "./lab-page.ts";

const WEIGHTS = /model[^/]*\.safetensors/;
const SURFACES = ["Model", "Measure", "Layers"] as const;

/** A page whose model does not come until it is let through. */
const test = base.extend<{ held: { lab: LabPage; letFail: () => Promise<void>; letThrough: () => Promise<void> } }>({
  held: async ({ page }, use) => {
    const lab = new LabPage(page);
    let release: (isAllowed: boolean) => void = () => {};
    let decided = new Promise<boolean>((resolve) => {
      release = resolve;
    });
    await page.route(WEIGHTS, async (route) => ((await decided) ? route.continue() : route.abort()));
    await lab.open();
    await use({
      lab,
      letFail: async () => {
        release(false);
        await expect(lab.runBar.locator("b")).toHaveText("Failed");
      },
      letThrough: async () => {
        decided = Promise.resolve(true);
      },
    });
    release(true);
  },
});

async function eachSurface(lab: LabPage, look: (surface: (typeof SURFACES)[number]) => Promise<void>): Promise<void> {
  for (const surface of SURFACES) {
    await lab.goTo(surface);
    await look(surface);
    const beyond = await lab.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(beyond, `${surface} is wider than the page`).toBe(0);
    expect(await faults(lab.page), surface).toEqual([]);
  }
  await lab.goTo("Measure");
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`${colorScheme}: axe finds nothing on any surface`, () => {
    test.use({ colorScheme });
    test.setTimeout(240_000);

    test("loading, failed with nothing shown, empty", async ({ held: { lab, letFail, letThrough } }) => {
      await expect(lab.headline).toContainText("Reading quantlab-4m.");
      await eachSurface(lab, async () => expect(lab.headline).toContainText("Reading quantlab-4m."));
      await letFail();
      await eachSurface(lab, async () => expect(lab.page.locator("lab-headline .failed")).toBeVisible());
      await lab.page.getByRole("button", { name: "Close" }).click();
      const said = new Set<string>();
      await eachSurface(lab, async () => {
        said.add(await lab.headline.innerText());
        await expect(lab.page.getByRole("button", { name: "Try quantlab-4m" })).toBeVisible();
        await expect(lab.page.locator("lab-chart .example").first()).toBeVisible();
      });
      expect(said.size, "each empty surface says what it will answer").toBe(3);
      await letThrough();
      await lab.page.getByRole("button", { name: "Try quantlab-4m" }).click();
      await lab.done();
    });

    test("finished, old, stopped in the middle, failed over results", async ({
      held: { lab, letFail, letThrough },
    }) => {
      await letFail();
      await letThrough();
      await lab.page.locator("lab-top-bar .chip").click();
      await lab.page.getByRole("button", { name: /^quantlab-4m-loud/ }).click();
      await lab.done();
      await eachSurface(lab, async (surface) => {
        if (surface === "Layers") await lab.page.keyboard.press("2");
        if (surface === "Measure") await lab.page.keyboard.press("t");
      });
      await lab.page.keyboard.press("t");

      await lab.page.locator("lab-compare-settings #arithmetic").selectOption("triton");
      await eachSurface(lab, async () => expect(lab.headline).toContainText("you have chosen triton"));

      // WebAssembly would be through before anyone could stop it.
      await lab.page.locator("lab-compare-settings #device").selectOption("gpu");
      await lab.page.getByRole("button", { name: "Compare again" }).click();
      await expect(lab.page.locator("lab-headline p")).toHaveText(/^(\d|1\d|2[0-7]) of 28 matrices under 5 schemes/);
      await lab.page.keyboard.press("Escape");
      await expect(lab.runBar.locator("b")).toHaveText("Stopped by you");
      await eachSurface(lab, async () => expect(lab.headline).toContainText("Stopped"));

      await lab.page.getByRole("button", { name: "Compare again" }).click();
      await lab.done();
      await lab.drop([droppableFile("fixtures/hostile/safetensors/size_too_small.safetensors")]);
      await expect(lab.page.locator("lab-headline .failed")).toBeVisible();
      await eachSurface(lab, async () =>
        expect(lab.page.locator("lab-headline p")).toContainText("The comparison of quantlab-4m-loud below stands."),
      );
    });
  });
}
