// The delivered page's memory while it compares a large file twice.
import { join } from "node:path";
import { serveBuiltPage } from "../built-page.mjs";
import { makeCheckpoint } from "../made-checkpoint.mjs";
import { measurePageMemory } from "../page-memory.mjs";
import { row } from "../rows.mjs";

export const title = "Page's memory";

/** Peak over the idle page that the lab must stay below. */
const PEAK_LIMIT_MB = 350;

export async function run({ executablePath, folder, isQuick, say }) {
  const model = join(folder, "made-large");
  const made = makeCheckpoint(model, { matrices: 4, rows: isQuick ? 2048 : 32_768, cols: 4096 });
  say("building the page");
  const server = await serveBuiltPage(join(folder, "page-memory"));
  try {
    say("comparing twice");
    const { idleBytes, passes } = await measurePageMemory(server.address, model, executablePath);
    const [first, second] = passes.map(({ elapsedMs }) => `${(elapsedMs / 1000).toFixed(1)} s`);
    return {
      rows: [
        row({
          id: "memory page",
          what: `W4A16 and W8A8 over ${(made.fileBytes / 2 ** 30).toFixed(2)} GiB: peak over the idle page (PSS of the browser's process tree)`,
          device: "Chromium, the device the page chose",
          unit: "MB",
          values: passes.map(({ peakBytes }) => (peakBytes - idleBytes) / 1e6),
          limit: PEAK_LIMIT_MB,
          judged: "max",
          note: `two passes, ${first} and ${second}; largest tensor ${(made.largestTensorBytes / 2 ** 20).toFixed(0)} MiB; idle page ${(idleBytes / 1e6).toFixed(0)} MB`,
        }),
      ],
    };
  } finally {
    await server.close();
  }
}
