// Installs what a fresh clone is missing: packages, and a Chromium. Uses Node's own modules only.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium } from "./chromium.mjs";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Everything that is said on the way goes to stderr: stdout belongs to the command that called. */
const SAY = ["ignore", 2, 2];

/** Makes node_modules agree with the lock file. */
export function ensurePackages() {
  const [lock, installed] = [join(ROOT, "package-lock.json"), join(ROOT, "node_modules/.package-lock.json")];
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  const env = { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: "1" };
  const npm = (...args) =>
    spawnSync("npm", [...args, "--no-audit", "--no-fund"], { cwd: ROOT, env, stdio: SAY }).status;
  if (npm("ci") === 0) return;
  // npm 10 and 11 differ in which optional packages of other platforms a lock must name.
  if (npm("install") !== 0) throw new Error("npm could not install the packages that package-lock.json names");
}

/** The path of a Chromium, installed from Debian's packages where there is none and that can be done. */
export function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  if (process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    execFileSync("apt-get", ["update"], { stdio: SAY });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium", "libvulkan1"], {
      stdio: SAY,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new Error("No Chromium found. Install one (on Debian: apt-get install chromium), or name it in LAB_CHROMIUM.");
}
