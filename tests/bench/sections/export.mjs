// SmolLM2-135M from disk to disk, beside the real tool: both write the same bytes.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { judgeComparison } from "../../conformance/judgements.mjs";
import { LabServer, runDriver } from "../../conformance/processes.mjs";
import { NO_KIT } from "../kit.mjs";
import { LineProcess } from "../line-process.mjs";
import { openBenchPage, PIPELINES, pick } from "../page-pipelines.mjs";
import { medianOf, ratios, row, unmeasured } from "../rows.mjs";

export const title = "Export, disk to disk";

const SCHEMES = ["W8A8", "int4:group=64"];
const IGNORE = ["lm_head", "re:.*embed_tokens"];
const COMPARISONS = join(import.meta.dirname, "../../conformance/comparisons.py");

/** A round takes half a minute. */
const MOST_ROUNDS = 3;

const WHERE = [
  ["node", "`lab quantize` in Node", 3],
  ["browser", "the engine in a worker of Chromium, to its private storage", 1],
];

const goal = (scheme, [where, words, limit]) => ({
  id: `export ${where} ${scheme}`,
  what: `SmolLM2-135M to ${scheme}, until both have their bytes on the disk: model_free_ptq with two threads over ${words}, start-up on no side`,
  limit,
  direction: "least",
});

/** The real tool returns before its bytes are on the disk; the lab does not. */
const early = (scheme, where) => ({
  id: `export ${where[0]} ${scheme} early`,
  what: "the same, but for the real tool until it returns, its bytes still to be written by the system",
});

export async function run({ openKit, server, executablePath, folder, rounds, isQuick, say }) {
  const kit = await openKit();
  if (!kit) return { rows: SCHEMES.flatMap((scheme) => WHERE.map((where) => unmeasured(goal(scheme, where), NO_KIT))) };
  const model = await kit.smollm2();
  const tool = new LineProcess(kit.python, [join(import.meta.dirname, "../tool_rounds.py"), kit.kit]);
  const lab = new LabServer();
  const bench = await openBenchPage(server.address, executablePath);
  const places = { tool: join(folder, "tool"), lab: join(folder, "lab") };
  const clear = () => Promise.all(Object.values(places).map((place) => rm(place, { recursive: true, force: true })));
  const rows = [];
  try {
    await pick(bench, "model", model);
    for (const scheme of SCHEMES) {
      say(scheme);
      const seconds = { tool: [], early: [], node: [], browser: [] };
      let adapters = {};
      for (let round = 0; round <= (isQuick ? 1 : Math.min(rounds, MOST_ROUNDS)); round++) {
        await clear();
        settleDisk();
        const real = await tool.ask({ model, out: places.tool, scheme, ignore: IGNORE });
        settleDisk();
        const { document } = await lab.done(["quantize", model, "--scheme", scheme, "--out", places.lab, "--quiet"]);
        settleDisk();
        const page = await bench.run(PIPELINES, "exportTo", "model", "auto", scheme, round === 0);
        adapters = { node: document.kernels[0].adapter, browser: page.adapter };
        if (round === 0) {
          await requireSame(kit, places, page.hash, scheme);
          continue;
        }
        seconds.early.push(real.seconds);
        seconds.tool.push(real.syncedSeconds);
        seconds.node.push(document.elapsedMs / 1000);
        seconds.browser.push(page.ms / 1000);
      }
      for (const where of WHERE) {
        const own = seconds[where[0]];
        rows.push(
          row({
            ...goal(scheme, where),
            device: adapters[where[0]],
            values: ratios(seconds.tool, own),
            note: `${medianOf(seconds.tool).toFixed(2)} s and ${medianOf(own).toFixed(2)} s; every tensor equal, byte for byte`,
          }),
          row({
            ...early(scheme, where),
            device: adapters[where[0]],
            values: ratios(seconds.early, own),
            note: `${medianOf(seconds.early).toFixed(2)} s and ${medianOf(own).toFixed(2)} s`,
          }),
        );
      }
    }
    return { rows };
  } finally {
    await clear();
    await Promise.all([tool.stop(), lab.stop(), bench.close()]);
  }
}

/** What one side left to be written later would be written at the cost of the next, and the lab waits for the disk at its end. */
function settleDisk() {
  execFileSync("sync");
}

/** The real tool's tensors, the command line's and the page's are the same, or nothing is timed. */
async function requireSame({ python, kit }, places, pageHash, scheme) {
  const job = { id: 0, kind: "compare", reference: places.tool, candidate: places.lab, acrossEntryPoints: false };
  const { answers, error } = await runDriver(python, COMPARISONS, { kit, jobs: [job] });
  const [answer] = answers;
  const wrong = answer?.error ?? (answer ? judgeComparison(answer).wrong : (error ?? "no answer"));
  if (wrong) throw new Error(`${scheme}: the export is not the real tool's: ${wrong}`);
  const hash = await hashOf(join(places.lab, "model.safetensors"));
  if (hash !== pageHash) throw new Error(`${scheme}: the page's export is not the command line's`);
}

async function hashOf(path) {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path)) hash.update(part);
  return hash.digest("hex");
}
