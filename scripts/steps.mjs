// Runs the tools of the project, one after the other, each with a line that says how it went. Uses Node's own modules only.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./bootstrap.mjs";

/**
 * Runs a tool of node_modules, its output as it comes or, `quietly`, only where it fails.
 * @returns {Promise<number>} its exit code; 1 where a signal ended it
 */
export async function runTool(name, args, { env = {}, quietly = false } = {}) {
  const child = spawn(join(ROOT, "node_modules/.bin", name), args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: quietly ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => output.push(part));
  const code = await new Promise((resolve) => {
    child.on("error", (error) => {
      output.push(`${error.message}\n`);
      resolve(1);
    });
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (code !== 0) process.stdout.write(Buffer.concat(output.map((part) => Buffer.from(part))));
  return code;
}

/** Seconds since a `performance.now()`, for people. */
export function secondsSince(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}
