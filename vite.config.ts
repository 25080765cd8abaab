import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { assembly } from "./scripts/assembly.mjs";
import { CHROMIUM_ARGS, findChromium } from "./scripts/chromium.mjs";
import { strictHeaders } from "./scripts/strict-headers.ts";

const isTest = Boolean(process.env.VITEST);

export default defineConfig({
  plugins: isTest ? [assembly()] : [assembly(), strictHeaders()],
  build: {
    target: "es2023",
    // A data: URL or the preload polyfill (which fetches) would need holes in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es", plugins: () => [assembly()] },
  test: {
    reporters: ["default", "./tests/support/closing-line.ts"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          environment: "node",
          include: ["src/**/*.test.ts", "tests/{law,contract}/**/*.test.ts"],
          exclude: ["**/*.gpu.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        // Found late, they would make Vite reload the page in the middle of a test.
        optimizeDeps: {
          include: [
            ...["@huggingface/jinja", "@huggingface/tokenizers"],
            ...["comlink", "yaml", "d3-scale", "lit", "lit/decorators.js", "lit/directives/guard.js"],
          ],
        },
        test: {
          name: "gpu",
          include: ["tests/gpu/**/*.gpu.test.ts", "tests/page/**/*.page.test.ts"],
          testTimeout: 120_000,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            instances: [{ browser: "chromium" }],
            provider: playwright({ launchOptions: { executablePath: findChromium() ?? "", args: [...CHROMIUM_ARGS] } }),
          },
        },
      },
    ],
  },
});
