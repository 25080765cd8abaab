// The checks must find damage: an export with one change, and a figure that is slightly off.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { judgeDeviations, judgeDivergence, judgeSameFunction } from "./divergence-judgements.mjs";
import { compareFigures, differingFiles, indexFindings, judgeComparison, judgeMasks, listed } from "./judgements.mjs";
import { readHeader } from "./safetensors.mjs";

/** Asks a run for the comparison of damaged copies of some of its exports; reports what needs no comparison. */
export function askForDamage(run) {
  figureOff(run.tally);
  divergenceOff(run.tally);
  const quantized = find(run, "tensors", /^W4A16$/);
  if (quantized) {
    const copy = damagedCopy(run, quantized, (name) => name.endsWith(".weight_packed"));
    const job = { kind: "compare", reference: run.exportFolder(quantized), candidate: copy.folder };
    run.expect("self-check: one code changed is found", { ...job, acrossEntryPoints: false }, (answer) => {
      const { wrong } = judgeComparison(answer);
      const isFound = answer.failed === 1 && answer.findings[0].startsWith(`${copy.tensor}: 1 of `);
      return { wrong: isFound ? null : `${answer.failed} checks failed: ${listed(answer.findings)}`, note: wrong };
    });
    const isNoticed = differingFiles(run.exportFolder(quantized), copy.folder) === "model.safetensors";
    run.tally.report("self-check: a file that differs is found", isNoticed ? null : "it is not", 0);
  }
  for (const structure of [/2:4 \| none$/, /:0\.5 \| none$/, /rows:0\.25 \| none$/, /columns:0\.25 \| none$/]) {
    const item = find(run, "masks", structure);
    if (!item) continue;
    const copy = damagedCopy(run, item, (name) => name.endsWith("down_proj.weight"));
    run.expect(
      `self-check: one weight changed is found (${item.scheme})`,
      run.masksJob(item, copy.folder),
      (answer) => {
        const { wrong } = judgeMasks(answer);
        const isFound = answer.findings.some((finding) => finding.startsWith(`${copy.tensor}: `));
        return { wrong: isFound ? null : `findings: ${listed(answer.findings)}`, note: wrong };
      },
    );
  }
  lineSwapped(run);
  shardLost(run);
}

function find(run, check, scheme) {
  const item = run
    .casesWith(check)
    .find((candidate) => scheme.test(candidate.scheme) && run.exports.has(candidate.name));
  if (!item) run.tally.report("self-check", `there is no export of ${scheme} to damage`, 0);
  return item;
}

/** A copy of an export of one file with one bit changed in a tensor, in the first byte that is not zero. */
function damagedCopy(run, item, isWanted) {
  const folder = `${run.exportFolder(item)}-damaged`;
  cpSync(run.exportFolder(item), folder, { recursive: true });
  const file = join(folder, "model.safetensors");
  const { dataStart, tensors } = readHeader(file);
  const [tensor, { data_offsets: range }] = Object.entries(tensors).find(([name]) => isWanted(name));
  const bytes = readFileSync(file);
  const place = bytes.subarray(dataStart + range[0], dataStart + range[1]).findIndex((byte) => byte !== 0);
  bytes[dataStart + range[0] + place] ^= 1;
  writeFileSync(file, bytes);
  return { folder, tensor };
}

function figureOff(tally) {
  const figures = { mse: 1, relativeMse: 1, sqnrDb: 1, maxAbsError: 1, cosine: 1 };
  const layer = { module: "m", ...figures };
  const isNoticed = (change) => compareFigures([{ ...layer, ...change }], { m: figures }).wrong !== null;
  const [sound, off, absent] = [{}, { mse: 1 + 2e-6 }, { cosine: null }].map(isNoticed);
  tally.report("self-check: a figure that is off is found", !sound && off && absent ? null : "it is not", 0);
}

function divergenceOff(tally) {
  const pair = { value: 1 };
  const positions = Float64Array.from({ length: 100 }, (_, at) => at);
  const percentiles = { median: 1, 99: 1 };
  const sound = { scored: 100, kld: pair, kldPercentiles: percentiles, rmsDeltaP: pair, pplQ: pair, pplBase: pair };
  const isNoticed = (change, own = positions) =>
    judgeDivergence(
      { ...sound, sameTopP: { value: 0.9 }, ...change },
      { ...sound, sameTopP: { value: 0.9 } },
      own,
      positions,
    ).wrong !== null;
  const off = { value: 1.002 };
  const damages = [
    ...["kld", "rmsDeltaP", "pplQ", "pplBase"].map((name) => isNoticed({ [name]: off })),
    ...["median", "99"].map((name) => isNoticed({ kldPercentiles: { ...percentiles, [name]: off.value } })),
    ...[isNoticed({ sameTopP: { value: 0.88 } }), isNoticed({ scored: 99 }), isNoticed({}, positions.toReversed())],
    isNoticed({}, positions.with(50, 52)),
    judgeSameFunction(new Float64Array([0, 5e-324]), 2, 0) !== null,
    judgeSameFunction(new Float64Array(2), 3, 0) !== null,
  ];
  const isSound = !isNoticed({}) && judgeSameFunction(new Float64Array(2), 2, 0) === null;
  tally.report(
    "self-check: a divergence that is off is found",
    isSound && damages.every(Boolean) ? null : "it is not",
    0,
  );
  const deviations = { largest: 1e-4, median: 5e-6, statistics: { min: 5e-6 }, modules: 1 };
  const isFar = (change) => judgeDeviations({ ...deviations, ...change }).wrong !== null;
  const far = [{ largest: 3e-4 }, { median: 2e-5 }, { statistics: { min: 2e-5 } }, { largest: Number.NaN }].map(isFar);
  tally.report(
    "self-check: logits that are off are found",
    !isFar({}) && far.every(Boolean) ? null : "they are not",
    0,
  );
}

/** A copy of an export without some rows, in which one of them is back and another one is gone instead. */
function lineSwapped(run) {
  const item = find(run, "masks", /^magnitude:rows:0\.25 /);
  if (!item) return;
  const candidate = `${run.exportFolder(item)}-swapped`;
  cpSync(run.exportFolder(item), candidate, { recursive: true });
  const [file, original] = [candidate, run.models.folder(item.model)].map((folder) =>
    join(folder, "model.safetensors"),
  );
  const bytes = readFileSync(file);
  const { dataStart, tensors } = readHeader(file);
  const [tensor, { shape, data_offsets: range }] = Object.entries(tensors).find(([name]) =>
    name.endsWith("down_proj.weight"),
  );
  const rowBytes = (range[1] - range[0]) / shape[0];
  const before = readFileSync(original).subarray(
    readHeader(original).dataStart + readHeader(original).tensors[tensor].data_offsets[0],
  );
  const rowsOf = (data) =>
    Array.from({ length: shape[0] }, (_, row) => data.subarray(row * rowBytes, (row + 1) * rowBytes));
  const [own, theirs] = [rowsOf(bytes.subarray(dataStart + range[0])), rowsOf(before)];
  const gone = own.findIndex((row, at) => !row.equals(theirs[at]));
  theirs[gone].copy(own[gone]);
  own.find((row, at) => at !== gone && row.some((byte) => byte !== 0)).fill(0);
  writeFileSync(file, bytes);
  run.expect("self-check: another row pruned is found", run.masksJob(item, candidate), ({ findings }) => {
    const isFound = findings.length === 1 && /a line of norm .* went/.test(findings[0]);
    return { wrong: isFound ? null : `findings: ${listed(findings)}`, note: findings[0] };
  });
}

/** An index that puts one tensor into the wrong shard. */
function shardLost(run) {
  const item = run.casesWith("shards").find(({ name }) => run.exports.has(name));
  if (!item) {
    run.tally.report("self-check", "there is no sharded export to damage", 0);
    return;
  }
  const folder = `${run.exportFolder(item)}-misplaced`;
  cpSync(run.exportFolder(item), folder, { recursive: true });
  const file = join(folder, "model.safetensors.index.json");
  const index = JSON.parse(readFileSync(file, "utf8"));
  const names = Object.keys(index.weight_map);
  const other = Object.values(index.weight_map).find((shard) => shard !== index.weight_map[names[0]]);
  index.weight_map[names[0]] = other;
  writeFileSync(file, JSON.stringify(index));
  const isNoticed = indexFindings(run.models.folder(item.model), folder)?.startsWith("1 tensors") === true;
  run.tally.report("self-check: a tensor in the wrong shard is found", isNoticed ? null : "it is not", 0);
}
