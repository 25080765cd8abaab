// A server of the bench's pages: sources as they are, isolated so that threads share memory, and none of the lab's policy,
// which would keep out what the lab is compared with.
import { createReadStream, existsSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { createServer } from "vite";
import { assembly } from "../../scripts/assembly.mjs";
import { ROOT } from "../../scripts/bootstrap.mjs";

const PORT = 4191;

const ISOLATED = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
};

const TYPES = { ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** The files of onnxruntime-web below /onnxruntime/, untouched: Vite would rewrite how it starts its threads. */
function onnxRuntime() {
  const folder = join(ROOT, "node_modules/onnxruntime-web/dist");
  const serve = (request, response, next) => {
    const name = basename(new URL(request.url, "http://bench").pathname);
    const type = TYPES[extname(name)];
    if (!type || !existsSync(join(folder, name))) return next();
    for (const [header, value] of Object.entries({ ...ISOLATED, "Content-Type": type }))
      response.setHeader(header, value);
    createReadStream(join(folder, name)).pipe(response);
  };
  return { name: "onnxruntime", configureServer: ({ middlewares }) => void middlewares.use("/onnxruntime/", serve) };
}

/** @returns the address, and how to stop */
export async function startBenchServer() {
  const server = await createServer({
    configFile: false,
    root: ROOT,
    logLevel: "error",
    cacheDir: join(ROOT, "node_modules/.cache/lab-bench"),
    plugins: [assembly(), onnxRuntime()],
    worker: { format: "es", plugins: () => [assembly()] },
    // A package that is found late would make Vite load the page again in the middle of a round.
    optimizeDeps: { include: ["comlink", "yaml"], noDiscovery: true },
    server: { host: "127.0.0.1", port: PORT, strictPort: true, hmr: false, watch: null, headers: ISOLATED },
  });
  await server.listen();
  return { address: server.resolvedUrls.local[0], close: () => server.close() };
}
