// Builds the page and serves it, with the strict headers on every response. Ctrl-C ends it.
import { ensurePackages, ROOT } from "./bootstrap.mjs";

const DEFAULT_PORT = 4173;

ensurePackages();
// Imported only now: on a fresh clone there was no Vite before.
const { build, preview } = await import("vite");

const port = process.env.LAB_PORT ? Number(process.env.LAB_PORT) : DEFAULT_PORT;
if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`LAB_PORT ${port} is not a port`);

await build({ root: ROOT, logLevel: "error" });
// Takes the next free port where this one is taken.
const server = await preview({ root: ROOT, logLevel: "error", preview: { host: "127.0.0.1", port } });
console.log(`Quantization Lab: ${server.resolvedUrls?.local[0]}`);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
