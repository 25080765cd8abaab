// Loads the command line through Vite, which knows shaders as text, and runs it in this process.
import { join } from "node:path";
import { runnerImport } from "vite";
import { assembly } from "./assembly.mjs";
import { ROOT } from "./bootstrap.mjs";

const { module } = await runnerImport(join(ROOT, "src/cli/run.ts"), {
  configFile: false,
  plugins: [assembly()],
  root: ROOT,
  logLevel: "error",
});
await module.runCli({
  argv: process.argv.slice(2),
  bundledModel: join(ROOT, "fixtures/models/quantlab-4m"),
  // Imported here: the loader above has closed by the time a command asks for it.
  loadWebGpu: () => import("webgpu"),
});
