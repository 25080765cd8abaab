// The judgements of calibrated exports must find damage: the real tool's own checkpoints, less good than they were.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judgeAcceptance, judgeGain, judgeRest } from "./calibrated-judgements.mjs";
import { judgeComparison } from "./judgements.mjs";
import { readHeader } from "./safetensors.mjs";

/** Asks a run for the comparison of worse checkpoints than the real tool's; reports what needs no comparison. */
export async function askForCalibratedDamage(run, calibrations, rows) {
  gainOff(run.tally);
  acceptanceOff(run.tally);
  restOff(run.tally);
  const rounded = find(run, rows, "gptq-w4a16");
  if (rounded) await roundedPlainly(run, calibrations, rounded);
  const pruned = find(run, rows, "sparsegpt-2of4");
  if (pruned) await patternBroken(run, calibrations, pruned);
}

/** The shortest row of a recipe whose model lies in one file. */
function find(run, rows, kitRecipe) {
  const found = rows.filter((row) => row.kitRecipe === kitRecipe && row.model === "quantlab-4m");
  if (found.length === 0) run.tally.report("self-check", `there is no row of ${kitRecipe} to damage`, 0);
  return found.sort((a, b) => a.windows - b.windows)[0];
}

/** Plain rounding must not pass for GPTQ, nor GPTQ for which one layer was rounded plainly. */
async function roundedPlainly(run, calibrations, row) {
  const reference = run.cache.folderOf(await calibrations.reference(row));
  const plain = run.cache.folderOf(calibrations.plain(row));
  const isFound = ({ wrong }) => ({ wrong: wrong === null ? "it is not" : null, note: wrong });
  const name = (words) => `self-check: ${words} is found`;
  await calibrations.expectAcceptance(name("plain rounding of every layer"), row, plain, (report) =>
    isFound(judgeAcceptance(report)),
  );
  await calibrations.expectGain(name("plain rounding, by its divergence"), row, plain, isFound);
  const tensor = "model.layers.1.mlp.gate_proj.weight_packed";
  const layer = damagedCopy(run, reference, "layer", tensor, (bytes) => tensorOf(plain, tensor).copy(bytes));
  await calibrations.expectAcceptance(name("plain rounding of one layer"), row, layer, (report) => {
    const verdict = judgeAcceptance(report);
    const layers = report.failures.filter((failure) => !failure.startsWith("geometric mean"));
    const isAlone = layers.length === 1 && layers[0].startsWith(tensor.replace(/\.[^.]+$/, ""));
    return isAlone ? isFound(verdict) : { wrong: `failures: ${report.failures.join("; ")}` };
  });
  const scale = tensor.replace("packed", "scale");
  const folders = {
    reference,
    candidate: damagedCopy(run, reference, "scale", scale, (bytes) => {
      bytes[0] ^= 1;
    }),
  };
  run.expect(name("one scale changed"), { kind: "compare", ...folders, acrossEntryPoints: true }, (answer) => {
    const isOne = judgeComparison(answer).wrong?.startsWith("1 of ");
    return isOne ? isFound(judgeRest(answer, row)) : { wrong: "another number of tensors differs" };
  });
}

/** A pruned weight that comes back breaks the pattern, however small it is. */
async function patternBroken(run, calibrations, row) {
  const reference = run.cache.folderOf(await calibrations.reference(row));
  const tensor = "model.layers.1.mlp.gate_proj.weight";
  const broken = damagedCopy(run, reference, "pattern", tensor, (bytes) => {
    const words = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    // The smallest normal bf16.
    words[words.indexOf(0)] = 0x0080;
  });
  await calibrations.expectAcceptance("self-check: three of four weights is found", row, broken, ({ failures }) => {
    const isFound = failures.length === 1 && /gate_proj: not 2:4 everywhere$/.test(failures[0]);
    return { wrong: isFound ? null : `failures: ${failures.join("; ")}`, note: failures[0] };
  });
}

/** A copy of a checkpoint of one file in which the bytes of one tensor are changed. */
function damagedCopy(run, folder, what, tensor, change) {
  const copy = join(run.folder, `damaged-${what}`);
  cpSync(folder, copy, { recursive: true });
  const bytes = tensorOf(copy, tensor);
  change(bytes);
  const file = join(copy, "model.safetensors");
  const whole = readFileSync(file);
  bytes.copy(whole, placeOf(file, tensor)[0]);
  writeFileSync(file, whole);
  return copy;
}

/** A copy of the bytes of a tensor, aligned. */
function tensorOf(folder, tensor) {
  const file = join(folder, "model.safetensors");
  const aligned = new Uint8Array(readFileSync(file).subarray(...placeOf(file, tensor)));
  return Buffer.from(aligned.buffer);
}

/** Where a tensor begins and ends in its file. */
function placeOf(file, tensor) {
  const { dataStart, tensors } = readHeader(file);
  return tensors[tensor].data_offsets.map((offset) => dataStart + offset);
}

/** Divergences of 16 windows that go up and down from window to window, alike for all three. */
function gainOff(tally) {
  const row = { evaluated: 16, leastGain: 0.95, scatter: 0.0075 };
  const positions = (mean, noise = 0) =>
    Float64Array.from({ length: 160 }, (_, at) => {
      const window = Math.floor(at / 10);
      return mean + 0.1 * (window % 4) + noise * (window % 2 === 0 ? 1 : -1);
    });
  const judge = (plain, reference, candidate) => judgeGain({ plain, reference, candidate }, row).wrong;
  const [two, one] = [positions(2), positions(1)];
  const sound = [
    judge(two, one, one),
    // 96 % of the gain, and 3.5 % worse in the mean, but not for certain.
    judge(two, one, positions(1.04, 0.3)),
    // Too small a gain for the tool's scatter, and one that may be none.
    judge(positions(1.02), one, positions(1.021)),
    judge(positions(1.1, 0.3), one, positions(1.02)),
  ];
  const bad = [
    judge(two, one, two),
    judge(two, one, positions(1.06, 0.3)),
    judge(two, one, positions(1.04)),
    judge(positions(1.02), one, positions(1.05)),
    judge(two, one, positions(Number.NaN)),
  ];
  const isRight = sound.every((wrong) => wrong === null) && bad.every((wrong) => wrong !== null);
  tally.report("self-check: a lost gain is found", isRight ? null : [...sound, ...bad].join(" | "), 0);
}

function acceptanceOff(tally) {
  const layers = { one: { reference: 1, candidate: 1, plain: 2, ratio: 1 } };
  const sound = { mode: "linear", geometricMeanRatio: 1, layers, maskAgreement: {}, failures: [] };
  const isNoticed = (change) => judgeAcceptance({ ...sound, ...change }).wrong !== null;
  const isRight = !isNoticed({}) && isNoticed({ failures: ["one: ratio 1.2"] }) && isNoticed({ layers: {} });
  tally.report("self-check: what calibrated.py refuses is refused", isRight ? null : "it is not", 0);
}

function restOff(tally) {
  const wrong = (isSmoothed, ...findings) => judgeRest({ passed: 1, findings }, { isSmoothed }).wrong;
  const codes = "layers.0.q_proj.weight_packed: 3 of 9 codes differ (max |Δ| 1)";
  const scales = "layers.0.q_proj.weight_scale: 3 of 9 elements differ (max |Δ| 1 ulp)";
  const norm = "layers.0.input_layernorm.weight: 3 of 9 elements differ (max |Δ| 1 ulp)";
  const sound = [wrong(false), wrong(false, codes), wrong(true, codes, scales, norm)];
  const bad = [
    ...[scales, norm, "layers.0.q_proj.weight_packed: missing in the candidate"].map((finding) =>
      wrong(false, finding),
    ),
    wrong(true, "model.embed_tokens.weight: 1 of 9 elements differ (max |Δ| 1 ulp)"),
    wrong(true, "config.json quantization_config: format: absent, expected 1"),
    judgeRest({ passed: 0, findings: [] }, { isSmoothed: false }).wrong,
  ];
  const isRight = sound.every((words) => words === null) && bad.every((words) => words !== null);
  tally.report("self-check: another change than of codes is found", isRight ? null : "it is not", 0);
}
