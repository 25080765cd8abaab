// The page as it is delivered, with its own headers.
import { build, preview } from "vite";
import { ROOT } from "../../scripts/bootstrap.mjs";

const PORT = 4190;

/** Builds the page into a folder and serves it. @returns the address, and how to stop */
export async function serveBuiltPage(outDir) {
  await build({ root: ROOT, logLevel: "error", build: { outDir, emptyOutDir: true } });
  const server = await preview({
    root: ROOT,
    logLevel: "error",
    build: { outDir },
    preview: { host: "127.0.0.1", port: PORT, strictPort: true },
  });
  return { address: server.resolvedUrls.local[0], close: () => server.close() };
}
