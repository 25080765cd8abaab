import type { Page } from "@playwright/test";

/** Presses Tab until something has focus whose name fits. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 250; presses++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      let node: Element | null = document.activeElement;
      while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
      const label =
        node instanceof HTMLInputElement || node instanceof HTMLSelectElement
          ? (node.labels?.[0]?.textContent ?? "")
          : (node?.textContent ?? "");
      return (node?.getAttribute("aria-label") ?? label).replace(/\s+/g, " ").trim();
    });
    if (name.test(focused)) return;
  }
  throw new Error(`nothing called ${name} is reached by Tab`);
}

/** Goes to something and presses Enter on it. */
export async function pressOn(page: Page, name: RegExp): Promise<void> {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}
