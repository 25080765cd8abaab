// Memory and kernel ratios, written down in tests/bench/README.md with the machine and the date.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { ensureChromium, ensurePackages, ROOT } from "./bootstrap.mjs";

/** Peak over the idle page that the lab must stay below. */
const PEAK_LIMIT_BYTES = 350e6;

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

const folder = mkdtempSync(join(tmpdir(), "lab-bench-"));
try {
  const made = makeCheckpoint(join(folder, "made-1gib"), { matrices: 4, rows: 32_768, cols: 4096 });
  await build({ root: ROOT, logLevel: "error" });
  const server = await preview({ root: ROOT, logLevel: "error", preview: { host: "127.0.0.1", port: 4190 } });
  const memory = await measurePageMemory(server.resolvedUrls.local[0], join(folder, "made-1gib"), executablePath);
  await server.close();
  makeCheckpoint(join(folder, "made-32mib"), { matrices: 1, rows: 4096, cols: 4096 });
  const kernels = [...kernelRatios(join(folder, "made-32mib"), PRESETS), ...eightAtOnce(join(folder, "made-32mib"))];
  const rises = memory.passes.map(({ peakBytes }) => peakBytes - memory.idleBytes);
  const text = report(made, memory, rises, kernels);
  console.log(text);
  writeResults(text);
  const failed = rises.some((rise) => rise > PEAK_LIMIT_BYTES);
  console.log(`${failed ? "FAILED" : "held"}: peak over idle at most ${(PEAK_LIMIT_BYTES / 1e6).toFixed(0)} MB`);
  process.exitCode = failed ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
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

function report(made, memory, rises, kernels) {
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

function writeResults(text) {
  const readme = readFileSync(README, "utf8");
  const [before, rest] = readme.split(MARKS[0]);
  const after = rest?.split(MARKS[1])[1];
  if (after === undefined) throw new Error(`${README} has lost its marks`);
  writeFileSync(README, `${before}${MARKS[0]}\n${text}\n${MARKS[1]}${after}`);
}
