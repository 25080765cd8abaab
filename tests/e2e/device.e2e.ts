import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type Browser, chromium } from "@playwright/test";
import { CHROMIUM_ARGS, findChromium } from "../../scripts/chromium.mjs";
import { expect, LabPage, test as shared } from "./lab-page.ts";

/** A browser of one's own: what happens to its GPU process must not happen to other tests. */
const test = shared.extend<{ launch: (args?: readonly string[]) => Promise<Browser> }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of fixtures from this pattern.
  launch: async ({}, use) => {
    const browsers: Browser[] = [];
    await use(async (args = CHROMIUM_ARGS) => {
      const browser = await chromium.launch({ executablePath: findChromium() ?? "", args: [...args] });
      browsers.push(browser);
      return browser;
    });
    for (const browser of browsers) await browser.close();
  },
});

/** What a browser has to be told of the files of a build. */
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
};

async function openLab(browser: Browser, address: string): Promise<LabPage> {
  const page = await browser.newPage();
  const lab = new LabPage(page);
  await page.goto(address);
  return lab;
}

/** Has WebGPU compute from now on, whatever is quicker here. */
async function useWebGpu(lab: LabPage): Promise<void> {
  await lab.page.locator("lab-compare-settings #device").selectOption("gpu");
  await expect(lab.runBar).toContainText("WebGPU");
}

/** Starts a comparison of other rules, and takes the GPU process away while it runs. */
async function crashWhileComparing(browser: Browser, lab: LabPage, arithmetic: string, times: number): Promise<void> {
  const session = await browser.newBrowserCDPSession();
  await lab.page.locator("lab-compare-settings #arithmetic").selectOption(arithmetic);
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await expect(lab.page.locator("lab-run-bar .cancel")).toBeVisible();
  for (let crash = 0; crash < times; crash++) {
    // The call never answers: the process that would is gone.
    void session.send("Browser.crashGpuProcess").catch(() => {});
    await lab.page.waitForTimeout(400);
  }
}

test("F02: a GPU process that dies in the middle costs time and no digit", async ({ launch, baseURL }) => {
  const browser = await launch();
  const lab = await openLab(browser, `${baseURL}/`);
  await lab.done();
  await useWebGpu(lab);
  const before = await lab.row("W4A16").innerText();
  await crashWhileComparing(browser, lab, "triton", 1);
  await lab.done();
  await lab.page.locator("lab-compare-settings #arithmetic").selectOption("eager");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await lab.done();
  expect(await lab.row("W4A16").innerText()).toBe(before);
});

test("F03: lost again and again it is an error that stays with WebGPU; any device goes on", async ({
  launch,
  baseURL,
}) => {
  const browser = await launch();
  const lab = await openLab(browser, `${baseURL}/`);
  await lab.done();
  await useWebGpu(lab);
  await crashWhileComparing(browser, lab, "triton", 5);
  await expect(lab.page.getByRole("alert").first()).toContainText(/the device was lost|adapter/);
  await lab.page.locator("lab-compare-settings #device").selectOption("auto");
  await lab.page.getByRole("button", { name: "Compare again" }).click();
  await lab.done();
});

test("the page says which device it took and what the probe measured", async ({ launch, baseURL }) => {
  const lab = await openLab(await launch(), `${baseURL}/`);
  await lab.done();
  await expect(lab.runBar).toContainText(/CPU, WebAssembly SIMD, \d+ threads?/);
  await expect(
    lab.page.locator("lab-run-bar [data-tip*='WebGPU took'], lab-run-bar [data-tip*='WebAssembly took']"),
  ).not.toHaveCount(0);
});

test("F04: without an adapter the page says so, inspects, compares and exports on the CPU", async ({
  launch,
  baseURL,
}) => {
  const browser = await launch(["--no-sandbox", "--disable-gpu"]);
  const lab = await openLab(browser, `${baseURL}/`);
  await lab.done();
  await expect(lab.page.locator("lab-throughput")).toContainText("WebAssembly SIMD");
  await expect(lab.page.locator("lab-run-bar [data-tip*='adapter']")).not.toHaveCount(0);
  await expect(lab.row("W4A16")).toContainText("2.686");
});

test("F05: where the page is not secure it says that WebGPU needs https, and computes on the CPU", async ({
  launch,
}) => {
  const server = createServer((request, response) => {
    const path = join("dist", new URL(request.url ?? "/", "http://lab.test").pathname.replace(/\/$/, "/index.html"));
    const type = TYPES[extname(path)] ?? "application/octet-stream";
    response.writeHead(existsSync(path) ? 200 : 404, { "Content-Type": type });
    response.end(existsSync(path) ? readFileSync(path) : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const browser = await launch([...CHROMIUM_ARGS, "--host-resolver-rules=MAP lab.test 127.0.0.1"]);
    const lab = await openLab(browser, `http://lab.test:${port}/`);
    await lab.done();
    // Nor is memory shared there.
    await expect(lab.page.locator("lab-throughput")).toContainText("WebAssembly SIMD, 1 thread");
    await expect(lab.page.locator("lab-run-bar [data-tip*='https']")).not.toHaveCount(0);
  } finally {
    server.close();
  }
});
