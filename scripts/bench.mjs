// Memory and kernel ratios, written down in tests/bench/README.md with the machine and the date.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { ensureChromium, ensurePackages, ROOT } from "./bootstrap.mjs";

/** Peak over the idle page that the lab must stay below. */
const PEAK_LIMIT_BYTES = 350e6;

/** While a comparison runs: between frames, and from an interaction to its paint. */
const FRAME_LIMIT_MS = 50;
const PAINT_LIMIT_MS = 100;

const PRESETS = ["W4A16", "W8A8"];
const EIGHT = [4, 8].flatMap((bits) =>
  ["", ":asym"].flatMap((symmetry) => [32, 128].map((size) => `int${bits}:group=${size}${symmetry}`)),
);

const README = join(ROOT, "tests/bench/README.md");
const MARKS = ["<!-- results: written by npm run bench -->", "<!-- end of results -->"];

ensurePackages();
const executablePath = ensureChromium();
const { build, preview } = await import("vite");
const { makeCheckpoint } = await import("../tests/bench/made-checkpoint.mjs");
const { measurePageMemory } = await import("../tests/bench/page-memory.mjs");
const { measurePageFrames } = await import("../tests/bench/page-frames.mjs");

const folder = mkdtempSync(join(tmpdir(), "lab-bench-"));
try {
  const made = makeCheckpoint(join(folder, "made-1gib"), { matrices: 4, rows: 32_768, cols: 4096 });
  await build({ root: ROOT, logLevel: "error" });
  const server = await preview({ root: ROOT, logLevel: "error", preview: { host: "127.0.0.1", port: 4190 } });
  const memory = await measurePageMemory(server.resolvedUrls.local[0], join(folder, "made-1gib"), executablePath);
  makeCheckpoint(join(folder, "made-layers"), { matrices: 210, rows: 1024, cols: 1024, allKinds: true });
  const frames = await measurePageFrames(server.resolvedUrls.local[0], join(folder, "made-layers"), executablePath);
  await server.close();
  makeCheckpoint(join(folder, "made-32mib"), { matrices: 1, rows: 4096, cols: 4096 });
  const kernels = [...kernelRatios(join(folder, "made-32mib"), PRESETS), ...eightAtOnce(join(folder, "made-32mib"))];
  const rises = memory.passes.map(({ peakBytes }) => peakBytes - memory.idleBytes);
  const text = report(made, memory, rises, frames, kernels);
  console.log(text);
  writeResults(text);
  const held = [
    [
      rises.every((rise) => rise <= PEAK_LIMIT_BYTES),
      `peak over idle at most ${(PEAK_LIMIT_BYTES / 1e6).toFixed(0)} MB`,
    ],
    [
      shareOf(frames.busy.gaps, 0.99) <= FRAME_LIMIT_MS,
      `99 of 100 frames of the busy page within ${FRAME_LIMIT_MS} ms`,
    ],
    [
      shareOf(paintsOf(frames.busy), 0.75) <= PAINT_LIMIT_MS,
      `3 of 4 interactions with the busy page painted within ${PAINT_LIMIT_MS} ms`,
    ],
  ];
  for (const [isHeld, words] of held) console.log(`${isHeld ? "held" : "FAILED"}: ${words}`);
  process.exitCode = held.every(([isHeld]) => isHeld) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The value that a share of sorted ones does not exceed. */
function shareOf(sorted, share) {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function paintsOf({ interactions }) {
  return interactions.map(({ ms }) => ms);
}

/** Kernel speeds as shares of a plain copy, rounds interleaved, through the command line. */
function kernelRatios(model, schemes) {
  const asked = schemes.flatMap((scheme) => ["--scheme", scheme]);
  const args = ["scripts/lab.mjs", "compare", model, ...asked, "--device", "gpu", "--throughput", "--json"];
  const { throughput } = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, maxBuffer: 2 ** 26 }).toString());
  return throughput;
}

/** The error of eight schemes in one pass over the weights. */
function eightAtOnce(model) {
  return kernelRatios(model, EIGHT).filter(({ kernel }) => kernel === "quant/int_error");
}

function report(made, memory, rises, frames, kernels) {
  const mb = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`;
  const lines = [
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? "unknown processor"} × ${cpus().length}, ${(totalmem() / 1e9).toFixed(0)} GB, Node ${process.versions.node}, SwiftShader (no GPU).`,
    "",
    `Page: W4A16 and W8A8 over ${(made.fileBytes / 2 ** 30).toFixed(2)} GiB, largest tensor ${(made.largestTensorBytes / 2 ** 20).toFixed(0)} MiB; idle page ${mb(memory.idleBytes)}.`,
    "",
    "| pass | peak over idle (PSS of the browser's process tree) | time |",
    "|---|---|---|",
    ...memory.passes.map(
      ({ elapsedMs }, index) => `| ${index + 1} | ${mb(rises[index])} | ${(elapsedMs / 1000).toFixed(1)} s |`,
    ),
    "",
    `Page in use while it compares 30 layers × 7 matrices, software-rendered on the same cores, and idle after it; event timing counts in steps of 8 ms.`,
    "",
    "| page | gap between frames: median, 99 %, longest | over 50 ms | from an interaction to its paint: median, 75 %, longest | of that until the page has handled it: median, longest |",
    "|---|---|---|---|---|",
    frameLine("busy", frames.busy),
    frameLine("idle", frames.idle),
    "",
    `Kernels on a tile of 4 MiB bf16, Node: share of a plain copy's bytes per second in the same round, median (min … max) of ${kernels[0]?.shareOfCopyRoof.samples} rounds.`,
    "",
    "| kernel | scheme | share of copy | Melem/s |",
    "|---|---|---|---|",
    ...kernels.map(({ kernel, scheme, shareOfCopyRoof: share, elementsPerSecond: rate }) => {
      const spread = `${share.value.toFixed(2)} (${share.spread.min.toFixed(2)} … ${share.spread.max.toFixed(2)})`;
      return `| ${kernel} | ${scheme ?? "–"} | ${spread} | ${(rate.value / 1e6).toFixed(0)} |`;
    }),
  ];
  return lines.join("\n");
}

function frameLine(name, { gaps, interactions }) {
  const paints = paintsOf({ interactions });
  const at = (list, share) => shareOf(list, share).toFixed(0);
  const late = gaps.filter((gap) => gap > FRAME_LIMIT_MS + 1).length;
  const slowest = interactions.at(-1)?.name ?? "";
  const handled = interactions.map(({ handledMs }) => handledMs).sort((a, b) => a - b);
  return `| ${name} | ${at(gaps, 0.5)}, ${at(gaps, 0.99)}, ${at(gaps, 1)} ms | ${late} of ${gaps.length} | ${at(paints, 0.5)}, ${at(paints, 0.75)}, ${at(paints, 1)} ms (${slowest}) | ${at(handled, 0.5)}, ${at(handled, 1)} ms |`;
}

function writeResults(text) {
  const readme = readFileSync(README, "utf8");
  const [before, rest] = readme.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (after === undefined) throw new Error(`${README} has lost its marks`);
  writeFileSync(README, `${before}${MARKS[0]}\n${text}\n${MARKS[1]}${after}`);
}
