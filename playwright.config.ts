import { defineConfig } from "@playwright/test";
import { CHROMIUM_ARGS, findChromium } from "./scripts/chromium.mjs";

/** Not the port of `npm start`: the page may be open while its tests run. */
const PORT = 4174;
const jsonReport = process.env.LAB_E2E_JSON;

/** Tests of the built page in a real Chromium with WebGPU. They expect a build in `dist`. */
export default defineConfig({
  testDir: "tests/e2e",
  testMatch: "*.e2e.ts",
  outputDir: "test-results/e2e",
  // One software adapter serves all pages: side by side they would only slow each other down.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: jsonReport ? [["list"], ["json", { outputFile: jsonReport }]] : [["list"]],
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    browserName: "chromium",
    viewport: { width: 1440, height: 1000 },
    launchOptions: { executablePath: findChromium() ?? "", args: [...CHROMIUM_ARGS] },
  },
  webServer: {
    command: `npx vite preview --host 127.0.0.1 --port ${PORT} --strictPort`,
    url: `http://127.0.0.1:${PORT}`,
    reuseExistingServer: false,
  },
});
