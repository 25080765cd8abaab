import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test as base, expect, type Locator, type Page } from "@playwright/test";

/** The page as its user meets it. */
export class LabPage {
  readonly page: Page;
  /** Console errors, uncaught errors and violations of the policy, in order. */
  readonly complaints: string[] = [];
  readonly headline: Locator;
  readonly runBar: Locator;

  constructor(page: Page) {
    this.page = page;
    this.headline = page.locator("lab-headline h1");
    this.runBar = page.locator("lab-run-bar");
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.message));
  }

  async open(): Promise<void> {
    await this.page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective}`));
    });
    await this.page.goto("/");
  }

  /** Waits until a comparison has ended well. */
  async done(): Promise<void> {
    await expect(this.runBar.locator("b")).toHaveText("Done", { timeout: 90_000 });
  }

  /** Goes to a surface by its tab. */
  async goTo(surface: "Model" | "Measure" | "Layers" | "Words"): Promise<void> {
    await this.page.getByRole("link", { name: surface, exact: true }).click();
    await expect(this.page.getByRole("link", { name: surface, exact: true })).toHaveAttribute("aria-current", "page");
  }

  /** The place of a matrix in the heat map. */
  matrix(module: string): Locator {
    return this.page.locator(`lab-layer-map .mark[data-key="${module}"]`);
  }

  /** Picks a folder of this machine through the page's own input. */
  async pickFolder(folder: string): Promise<void> {
    await this.page.locator("lab-top-bar #folder").setInputFiles(folder);
  }

  /** Drops files, as the browser hands them over when a folder falls on the page. */
  async drop(files: readonly { readonly name: string; readonly base64: string }[]): Promise<void> {
    const transfer = await this.page.evaluateHandle(async (list) => {
      const data = new DataTransfer();
      for (const { name, base64 } of list) {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], name));
      }
      return data;
    }, files);
    await this.page.dispatchEvent("lab-app", "drop", { dataTransfer: transfer });
  }

  /** Does something that starts work, and waits until that work has settled, well or not. */
  async settle(act: () => Promise<void>): Promise<void> {
    const settled = this.page.evaluate(() => {
      const main = document.querySelector("lab-app")?.shadowRoot?.querySelector("main");
      return new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          if (main?.getAttribute("aria-busy") !== "false") return;
          observer.disconnect();
          resolve();
        });
        if (main) observer.observe(main, { attributes: true, attributeFilter: ["aria-busy"] });
      });
    });
    await act();
    await settled;
  }

  /** The row of a recipe in the table, or that of the `original`. */
  row(name: string): Locator {
    const rows = this.page.locator("lab-scheme-table tbody tr");
    if (name === "original") return rows.filter({ hasText: name });
    const exactly = new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
    return rows.filter({ has: this.page.locator("th bdi", { hasText: exactly }) });
  }
}

/** Files of a folder, ready to be dropped. */
export function droppable(folder: string): { name: string; base64: string }[] {
  return readdirSync(folder).map((name) => ({ name, base64: readFileSync(join(folder, name)).toString("base64") }));
}

/** One file under a name, ready to be dropped. */
export function droppableFile(path: string, name = basename(path)): { name: string; base64: string } {
  return { name, base64: readFileSync(path).toString("base64") };
}

/** A test with the page opened; it fails when the page complained, unless it says that it may. */
export const test = base.extend<{ lab: LabPage; mayComplain: boolean }>({
  mayComplain: [false, { option: true }],
  lab: async ({ page, mayComplain }, use) => {
    const lab = new LabPage(page);
    await lab.open();
    await use(lab);
    if (!mayComplain) expect(lab.complaints).toEqual([]);
  },
});

export { expect };
