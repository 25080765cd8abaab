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
  const kit = await openKit();
  if (!kit) return { rows: [...rows, unmeasured(peak, NO_KIT)] };
  const model = await kit.smollm2();
  const values = [];
  for (let round = 0; round < (isQuick ? 1 : Math.min(rounds, MOST_ROUNDS)); round++) {
    values.push((await peakBytes(["compare", model, "--quiet", "--json"], join(folder, "peaks"))) / 1e6);
  }
  return { rows: [...rows, row({ ...peak, values, note: "a process of its own each" })] };
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

/** The largest resident set of a command and the processes it starts. */
async function peakBytes(args, file) {
  rmSync(file, { force: true });
  const preload = pathToFileURL(join(import.meta.dirname, "../peak-memory.mjs"));
  const env = { LAB_BENCH_PEAKS: file, NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import=${preload}` };
  const command = ["-u", "NODE_OPTIONS", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const result = await runProgram("env", [...command, process.execPath, join(ROOT, "scripts/lab.mjs"), ...args]);
  if (result.code !== 0) throw new Error(`lab ${args.join(" ")}: ${complaint(result)}`);
  return Math.max(...readFileSync(file, "utf8").trim().split("\n").map(Number));
}
