// The lab's header reader against the real one, on files made by small damage to good and bad ones.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runnerImport } from "vite";
import { ROOT } from "../../scripts/bootstrap.mjs";
import { listed } from "./judgements.mjs";
import { runDriver } from "./processes.mjs";

const SEED = 20_260_101;

/** Rules of the format that a run must have met; S13 is the lab's own. */
const RULES = Array.from({ length: 19 }, (_, index) => `S${String(index + 1).padStart(2, "0")}`);
/** Least share of mutants that both readers accept: with fewer, the tensors would hardly be compared. */
const MIN_ACCEPTED = 0.1;

/**
 * Sorts pairs of verdicts. A difference is explained only where the lab refuses with the code of something that it is
 * stricter about on purpose.
 */
function judge(files, own, theirs, stricter) {
  const counts = { accepted: 0, refused: 0 };
  const explained = new Map();
  const unexplained = [];
  const rules = new Set(own.map(({ rule }) => rule).filter(Boolean));
  own.forEach((ours, index) => {
    const reference = theirs[index] ?? { refused: "no answer" };
    if (ours.tensors && JSON.stringify(ours.tensors) === JSON.stringify(reference.tensors)) counts.accepted++;
    else if (ours.code && reference.refused !== undefined) counts.refused++;
    else if (reference.tensors && stricter.has(ours.code))
      explained.set(ours.code, (explained.get(ours.code) ?? 0) + 1);
    else unexplained.push(`#${index} ${shown(files[index])}: lab ${shown(ours)}, reference ${shown(reference)}`);
  });
  return { counts, explained, unexplained, missedRules: RULES.filter((rule) => !rules.has(rule)) };
}

const shown = (value) => JSON.stringify(Buffer.isBuffer(value) ? value.toString("latin1") : value).slice(0, 300);

/** Wrong verdicts of each kind must be found: refused, accepted, and accepted with another shape. */
function selfCheck(files, own, theirs, stricter) {
  const accepted = own.flatMap(({ tensors }, index) =>
    tensors?.some(([, , shape]) => shape.length > 0) ? [index] : [],
  );
  const refused = own.findIndex(({ code }, index) => code && theirs[index].refused);
  const [first, second] = accepted;
  const wrong = structuredClone(own);
  wrong[first] = { code: "safetensors/invalid-offset", rule: "S14" };
  wrong[second].tensors.find(([, , shape]) => shape.length > 0)[2].push("1");
  wrong[refused] = { tensors: [] };
  const found = judge(files, wrong, theirs, stricter).unexplained.map((text) => Number(/^#([0-9]+)/.exec(text)[1]));
  const planted = [first, second, refused].sort((a, b) => a - b);
  return JSON.stringify(found) === JSON.stringify(planted) ? null : `planted ${planted}, found ${found}`;
}

/** Runs both readers on `count` mutants and reports to `tally`. `folder` is for scratch files. */
export async function checkMutants({ python, folder, tally, count, seed = SEED }) {
  await tally.check("container mutants: outcome and tensors", async () => {
    const { module } = await runnerImport(join(import.meta.dirname, "mutant-verdicts.ts"), {
      configFile: false,
      root: ROOT,
      logLevel: "error",
    });
    const { packed, files, verdicts } = await module.packedMutants(seed, count);
    const file = join(folder, "mutants.bin");
    writeFileSync(file, packed);
    const { answers, error } = await runDriver(python, join(import.meta.dirname, "mutants.py"), { file });
    const version = answers.pop()?.version;
    if (error || version === undefined || answers.length !== files.length)
      throw new Error(error ?? "answers are missing");

    const { counts, explained, unexplained, missedRules } = judge(files, verdicts, answers, module.stricter);
    const strict = [...explained].sort().map(([code, count]) => `${code} ${count}`);
    const note = [
      `${files.length} mutants, safetensors ${version}: ${counts.accepted} accepted by both, ${counts.refused} refused by both`,
      `stricter on purpose: ${strict.join(", ")}`,
      `unexplained: ${unexplained.length}`,
    ].join("; ");
    if (unexplained.length > 0) return { wrong: `${note}: ${listed(unexplained)}` };
    tally.report("self-check: a wrong verdict is found", selfCheck(files, verdicts, answers, module.stricter), 0);
    if (missedRules.length > 0) return { wrong: `no mutant broke ${missedRules.join(", ")}` };
    if (counts.accepted < MIN_ACCEPTED * files.length) return { wrong: `too few were accepted: ${note}` };
    return { wrong: null, note };
  });
}
