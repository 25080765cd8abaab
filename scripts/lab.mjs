// The command line: npm run --silent lab -- VERB [MODEL] [options]
// WebGPU's driver is chosen by the environment a process starts with, so the work is done in a child.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensurePackages, ROOT } from "./bootstrap.mjs";

/** Software Vulkan that Debian's Chromium brings along: a driver description, and a loader beside it. */
const CHROMIUM_LIBRARIES = "/usr/lib/chromium";
const SWIFTSHADER = join(CHROMIUM_LIBRARIES, "vk_swiftshader_icd.json");
const SYSTEM_LOADERS = ["/usr/lib/x86_64-linux-gnu/libvulkan.so.1", "/usr/lib/aarch64-linux-gnu/libvulkan.so.1"];

/** The environment in which Node's WebGPU finds a driver: the machine's own, and Chromium's software driver beside them. */
function vulkanEnvironment() {
  const env = { ...process.env };
  if (process.platform !== "linux" || env.VK_ICD_FILENAMES || env.VK_DRIVER_FILES) return env;
  if (existsSync(SWIFTSHADER)) env.VK_ADD_DRIVER_FILES = SWIFTSHADER;
  if (!SYSTEM_LOADERS.some(existsSync) && existsSync(join(CHROMIUM_LIBRARIES, "libvulkan.so.1"))) {
    env.LD_LIBRARY_PATH = [CHROMIUM_LIBRARIES, env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  }
  return env;
}

ensurePackages();
const child = spawn(process.execPath, [join(ROOT, "scripts/lab-process.mjs"), ...process.argv.slice(2)], {
  stdio: "inherit",
  env: vulkanEnvironment(),
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});
