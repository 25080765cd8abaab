// The command line in Node: its memory, and whether its figures are the oracles'.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ROOT } from "../../../scripts/bootstrap.mjs";
import { complaint, run as runProgram } from "../../conformance/processes.mjs";
import { NO_KIT } from "../kit.mjs";
import { row, unmeasured } from "../rows.mjs";
import { EIGHT, ONE } from "../scheme-names.mjs";

export const title = "Command line, in Node";

const MOST_ROUNDS = 3;

/** Memory that a measurement gives to what runs through the layers: `ACTIVATION_BYTES` of `engine/measure-divergence.ts`. */
const ACTIVATION_MB = 2 ** 28 / 1e6;

/** A measurement takes a minute or two. */
const MOST_MEASUREMENTS = 2;

/** How far figures may be from the oracles', as a share: sums are float32 on the way. */
const FIGURE_LIMIT = 1e-6;

const FIGURES = ["mse", "relativeMse", "sqnrDb", "maxAbsError", "cosine"];

export async function run({ openKit, folder, rounds, isQuick, say }) {
  say("figures");
  const rows = [];
  for (const [name, schemes] of [
    ["one", [ONE]],
    ["eight", EIGHT],
  ]) {
    rows.push(...(await figureRows(name, schemes)));
  }
  say("memory");
  const peak = {
    id: "RSS compare",
    what: "largest resident set of `lab compare` on SmolLM2-135M, its default schemes",
    device: "auto",
    unit: "MB",
    limit: 600,
    judged: "max",
  };
  const windows = isQuick ? 1 : 8;
  const measured = [
    {
      id: "measure time",
      what: `\`lab measure\` of SmolLM2-135M under int8:channel, ${windows} windows of 256, start-up and self-test included`,
      device: "auto",
      unit: "s",
      limit: 120,
    },
    {
      id: "RSS measure",
      what: "largest resident set of that: what runs through the layers, and 350 MB",
      device: "auto",
      unit: "MB",
      limit: Math.floor(ACTIVATION_MB + 350),
      judged: "max",
    },
  ];
  const kit = await openKit();
  if (!kit) return { rows: [...rows, ...[peak, ...measured].map((goal) => unmeasured(goal, NO_KIT))] };
  const model = await kit.smollm2();
  const peaks = [];
  for (let round = 0; round < (isQuick ? 1 : Math.min(rounds, MOST_ROUNDS)); round++) {
    peaks.push((await resourcesOf(["compare", model], folder)).peakBytes / 1e6);
  }
  rows.push(row({ ...peak, values: peaks, note: "a process of its own each" }));
  say("measuring");
  const found = [];
  const args = ["measure", model, "--schemes", "int8:channel", "--windows", `${windows}`, "--context", "256"];
  for (let round = 0; round < Math.min(rounds, MOST_MEASUREMENTS); round++) {
    found.push(await resourcesOf(args, folder));
  }
  const [{ document }] = found;
  const [{ adapter: device }] = document.kernels;
  const kld = document.rows[0].divergence.kld.value;
  const [time, memory] = measured;
  return {
    rows: [
      ...rows,
      row({
        ...time,
        device,
        values: found.map(({ seconds }) => seconds),
        note: `nothing kept from before; mean KLD ${kld.toPrecision(4)} over ${document.text.positions} positions`,
      }),
      row({ ...memory, device, values: found.map(({ peakBytes }) => peakBytes / 1e6) }),
    ],
  };
}

/** A command's document, in a process of its own. */
async function lab(args) {
  const result = await runProgram(process.execPath, [join(ROOT, "scripts/lab.mjs"), ...args, "--quiet", "--json"]);
  if (result.code !== 0) throw new Error(`lab ${args.join(" ")}: ${complaint(result)}`);
  return JSON.parse(result.stdout);
}

/** How far the figures of every layer are from the oracles'. Figures that are further off are no figures. */
async function figureRows(name, schemes) {
  const asked = schemes.flatMap((scheme) => ["--scheme", scheme]);
  const compare = (device) => lab(["compare", join(ROOT, "fixtures/models/quantlab-4m"), ...asked, "--device", device]);
  const oracle = await compare("reference");
  const rows = [];
  for (const device of ["wasm", "gpu"]) {
    const found = await compare(device);
    const deviations = found.schemes.flatMap((scheme, index) =>
      scheme.layers.flatMap((layer, at) =>
        FIGURES.map((figure) => deviation(layer[figure], oracle.schemes[index].layers[at][figure])),
      ),
    );
    const worst = Math.max(...deviations);
    if (!(worst <= FIGURE_LIMIT)) throw new Error(`figures of ${name} on ${device} are ${worst} off the oracles'`);
    rows.push(
      row({
        id: `figures ${device} ${name}`,
        what: `deviation of ${name === "one" ? "one scheme's" : "eight schemes'"} figures from the oracles', quantlab-4m`,
        device: found.kernels[0].adapter,
        unit: "share",
        values: deviations,
        limit: FIGURE_LIMIT,
        judged: "max",
        note: `${deviations.length} figures of layers instead of rounds; a larger one would end the section`,
      }),
    );
  }
  return rows;
}

function deviation(found, wanted) {
  if (found === wanted) return 0;
  return Math.abs(found - wanted) / Math.max(Math.abs(found), Math.abs(wanted));
}

/**
 * What a command takes that has never run on this machine: its wall time, the largest resident set among the processes it
 * starts, and its document.
 */
async function resourcesOf(args, folder) {
  const [file, cache] = ["peaks", "empty-cache"].map((name) => join(folder, name));
  for (const path of [file, cache]) rmSync(path, { recursive: true, force: true });
  const preload = pathToFileURL(join(import.meta.dirname, "../peak-memory.mjs"));
  const env = {
    LAB_BENCH_PEAKS: file,
    XDG_CACHE_HOME: cache,
    NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${preload}`,
  };
  const command = ["-u", "NODE_OPTIONS", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const lab = [process.execPath, join(ROOT, "scripts/lab.mjs"), ...args, "--quiet", "--json"];
  const started = performance.now();
  const result = await runProgram("env", [...command, ...lab]);
  const seconds = (performance.now() - started) / 1000;
  if (result.code !== 0) throw new Error(`lab ${args.join(" ")}: ${complaint(result)}`);
  const peakBytes = Math.max(...readFileSync(file, "utf8").trim().split("\n").map(Number));
  return { seconds, peakBytes, document: JSON.parse(result.stdout) };
}
