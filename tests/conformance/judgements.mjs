// What makes a check fail. Each judgement returns what is wrong, in words, or null.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FIGURES = ["mse", "relativeMse", "sqnrDb", "maxAbsError", "cosine"];

/** How far the lab's figures may be from `layers.py`, as a share of the larger. */
const FIGURE_TOLERANCE = 1e-6;

/** How the kernel report names the devices that `--device` asks for. */
const REPORTED_DEVICE = { gpu: "webgpu", cpu: "reference" };

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

/** Changes one code of one quantized weight of an export, in place. @returns {string} the tensor's name */
export function damageOneCode(folder) {
  const file = join(folder, "model.safetensors");
  const bytes = readFileSync(file);
  const headerBytes = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + headerBytes));
  const [name, { data_offsets }] = Object.entries(header).find(([key]) => key.endsWith(".weight_packed"));
  bytes[8 + headerBytes + data_offsets[0]] ^= 1;
  writeFileSync(file, bytes);
  return name;
}
