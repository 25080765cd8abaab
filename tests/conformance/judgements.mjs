// What makes a check fail. Each judgement returns what is wrong, in words, or null.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readHeader } from "./safetensors.mjs";

const INDEX = "model.safetensors.index.json";

const FIGURES = ["mse", "relativeMse", "sqnrDb", "maxAbsError", "cosine"];

/** How far the lab's figures may be from `layers.py`, as a share of the larger. */
const FIGURE_TOLERANCE = 1e-6;

/** How the kernel report names the devices that `--device` asks for. */
const REPORTED_DEVICE = { gpu: "webgpu", cpu: "wasm", wasm: "wasm", reference: "reference" };

/** Whether every kernel ran where it was asked to. */
export function kernelsElsewhere(kernels, asked) {
  if (kernels.length === 0) return "no kernel is reported";
  const elsewhere = kernels.filter(({ device, fallback }) => device !== REPORTED_DEVICE[asked] || fallback !== null);
  return elsewhere.length === 0
    ? null
    : elsewhere.map(({ kernel, device, fallback }) => `${kernel} ran on ${device}: ${fallback}`).join("; ");
}

/** Bytes of the safetensors files in a folder. */
export function safetensorsBytes(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".safetensors"))
    .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

/**
 * Whether the lab's layers have the figures of `layers.py`, which leaves unchanged weights out. Null stands for what is not
 * finite, on both sides.
 * @returns {{ wrong: string | null, worst: number, layers: number }} `worst`: the largest deviation, as a share
 */
export function compareFigures(layers, rows) {
  const names = new Set([...layers.map(({ module }) => module), ...Object.keys(rows)]);
  const wrong = [];
  let worst = 0;
  for (const name of names) {
    const own = layers.find(({ module }) => module === name);
    const theirs = rows[name];
    if (!own || own.error) wrong.push(`${name} has no figures`);
    else if (!theirs) {
      if (own.mse !== 0) wrong.push(`${name} is unchanged, mse is ${own.mse}`);
    } else {
      for (const figure of FIGURES) {
        const deviation = deviationOf(own[figure], theirs[figure]);
        worst = Math.max(worst, deviation);
        if (!(deviation <= FIGURE_TOLERANCE))
          wrong.push(`${name} ${figure} ${own[figure]}, expected ${theirs[figure]}`);
      }
    }
  }
  if (names.size === 0) wrong.push("no layers");
  return { wrong: wrong.length > 0 ? listed(wrong) : null, worst, layers: names.size };
}

function deviationOf(own, theirs) {
  if (own === undefined || theirs === undefined) return Number.POSITIVE_INFINITY;
  if (own === theirs) return 0;
  if (own === null || theirs === null) return Number.POSITIVE_INFINITY;
  return Math.abs(own - theirs) / Math.max(Math.abs(own), Math.abs(theirs));
}

/** The first few of a list, and how many more. */
export function listed(items) {
  const more = items.length > 4 ? ` and ${items.length - 4} more` : "";
  return `${items.slice(0, 4).join("; ")}${more}`;
}

/** What `compare.py` found, as a check reports it. */
export function judgeComparison({ passed, failed, findings }) {
  if (failed > 0) return { wrong: `${failed} of ${passed + failed} differ: ${listed(findings)}` };
  return { wrong: passed > 0 ? null : "nothing was compared", note: `${passed} equal` };
}

/** What `masks.py` found, as a check reports it. */
export function judgeMasks({ matrices, findings }) {
  if (findings.length > 0) return { wrong: listed(findings) };
  return { wrong: matrices > 0 ? null : "no matrix is pruned", note: `${matrices} matrices` };
}

/** Names of the files that two folders do not have alike, or null. */
export function differingFiles(one, other) {
  const names = [...new Set([one, other].flatMap((folder) => readdirSync(folder)))].sort();
  const bytesOf = (folder, name) =>
    existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : Buffer.alloc(0);
  const differing = names.filter((name) => !bytesOf(one, name).equals(bytesOf(other, name)));
  return differing.length > 0 ? listed(differing) : null;
}

/** What is wrong with the shards of an export of a sharded model, or null. */
export function indexFindings(model, exported) {
  const read = (folder) => JSON.parse(readFileSync(join(folder, INDEX), "utf8"));
  const [names, expected] = [exported, model].map((folder) =>
    readdirSync(folder).filter((file) => file.endsWith(".safetensors")),
  );
  if (expected.length < 2) return "the model has one shard";
  if (names.sort().join() !== expected.sort().join()) return `the shards are ${listed(names)}`;
  const shards = names.map((name) => ({ name, ...readHeader(join(exported, name)) }));
  const homes = new Map(shards.flatMap(({ name, tensors }) => Object.keys(tensors).map((tensor) => [tensor, name])));
  const { weight_map: places, metadata } = read(exported);
  const wrong = [...new Set([...homes.keys(), ...Object.keys(places)])].filter(
    (name) => homes.get(name) !== places[name],
  );
  if (wrong.length > 0) return `${wrong.length} tensors are not where the index says: ${listed(wrong)}`;
  const bytes = shards.flatMap(({ tensors }) =>
    Object.values(tensors).map(({ data_offsets: [start, end] }) => end - start),
  );
  const total = bytes.reduce((sum, size) => sum + size, 0);
  return metadata.total_size === total ? null : `the index says ${metadata.total_size} bytes, there are ${total}`;
}
