// Calibrated exports against those of the real tool: outputs, divergences, and whatever must be equal all the same.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { secondsSince } from "../../scripts/steps.mjs";
import { recipeOf } from "./calibrated-cases.mjs";
import { askForCalibratedDamage } from "./calibrated-damage.mjs";
import { judgeAcceptance, judgeGain, judgeRest } from "./calibrated-judgements.mjs";
import { readPositions } from "./divergence-judgements.mjs";
import { kernelsElsewhere, safetensorsBytes } from "./judgements.mjs";
import { LABS } from "./processes.mjs";

/** The kit's default and the lab's. */
const IGNORE = ["lm_head", "re:.*embed_tokens"];

const CONTEXT = 256;

/** Exports the rows of a run, and asks it for the comparisons. */
export class Calibrations {
  #run;
  #rows;
  /** What each export said of itself, by the name of its row. */
  #exports = new Map();

  /** @param {import("./run.mjs").Run} run */
  constructor(run, rows) {
    this.#run = run;
    this.#rows = rows;
  }

  /** Makes what the lab is given. */
  async prepare() {
    for (const row of this.#rows) {
      await this.calibration(row);
      await this.#scripture(row);
    }
  }

  calibration({ model, windows }) {
    return this.#run.models.windows({ model, text: "calibration", windows, context: CONTEXT });
  }

  #scripture({ model, evaluated }) {
    return this.#run.models.windows({ model, text: "scripture", windows: evaluated, context: CONTEXT });
  }

  #slot(name) {
    return join(this.#run.folder, name.replaceAll(/[^\w.=]+/g, "-"));
  }

  exportFolder({ name }) {
    return this.#slot(name);
  }

  /** A magnitude pruning has no counterpart in the real tool; masks.py holds the lab's against the rule. */
  #magnitudeFolder({ model, plainPrune }) {
    return this.#slot(`calibrated ${model} ${plainPrune}`);
  }

  /** Every row whose device one of the run's processes computes on. */
  async exportAll(lab) {
    for (const row of this.#rows.filter(({ device }) => LABS[device] === lab)) await this.#export(lab, row);
    if (lab !== LABS.wasm) return;
    const pruned = this.#rows.filter(({ plainPrune }) => plainPrune !== null);
    for (const row of new Map(pruned.map((row) => [this.#magnitudeFolder(row), row])).values()) {
      await this.#run.tally.check(`${row.model} ${row.plainPrune} to be compared with: export`, async () => {
        const rules = ["--scheme", "none", "--prune", row.plainPrune, "--device", "wasm"];
        const out = ["--out", this.#magnitudeFolder(row)];
        const { seconds } = await this.#run.labs[lab].done(["quantize", this.#model(row), ...rules, ...out]);
        return { wrong: null, seconds };
      });
    }
  }

  #model({ model }) {
    return this.#run.models.folder(model);
  }

  async #export(lab, row) {
    await this.#run.tally.check(`${row.name}: export`, async () => {
      const out = this.exportFolder(row);
      const { document, seconds } = await this.#run.labs[lab].done([
        ...["quantize", this.#model(row), "--scheme", row.scheme],
        ...(row.method ? ["--method", row.method] : []),
        ...(row.prune ? ["--prune", row.prune] : []),
        ...[
          "--calibration",
          await this.calibration(row),
          "--arithmetic",
          "eager",
          "--device",
          row.device,
          "--out",
          out,
        ],
      ]);
      this.#exports.set(row.name, document);
      const [said, written] = [document.fileBytes.value, safetensorsBytes(out)];
      const bytes = said === written ? null : `${said} bytes said, ${written} written`;
      const name = document.scheme === recipeOf(row) ? null : `it is called ${document.scheme}`;
      return {
        wrong: bytes ?? name ?? kernelsElsewhere(document.kernels, row.device),
        seconds,
        note: `${written} bytes`,
      };
    });
  }

  /** What the real tool makes of a row: `Wanted` of reference-cache.mjs. */
  async reference(row) {
    const { kitRecipe } = row;
    const calibration = await this.calibration(row);
    return { model: this.#model(row), arithmetic: "eager", kitRecipe, ignore: IGNORE, calibration };
  }

  /** What it makes without calibration; null where that is the lab's own magnitude pruning. */
  plain(row) {
    if (row.plainPrune !== null) return null;
    return { model: this.#model(row), arithmetic: "eager", scheme: row.scheme, ignore: IGNORE };
  }

  /** Lets the real tool make what is missing, and asks for the comparisons with it. */
  async ask() {
    const { cache, tally, isPart } = this.#run;
    const rows = this.#rows.filter(({ name }) => this.#exports.has(name));
    const damaged = isPart ? [] : this.#rows;
    const begun = performance.now();
    const wanted = await Promise.all(
      [...new Set([...rows, ...damaged])].flatMap((row) => [this.reference(row), this.plain(row) ?? []]),
    );
    const { made, kept } = await cache.prepare(wanted.flat());
    console.log(`      references of calibrated exports: ${made} made, ${kept} kept  ${secondsSince(begun)}`);
    for (const row of rows) {
      try {
        await this.#expect(row);
      } catch (error) {
        tally.report(`${row.name}: reference`, error.message, 0);
      }
    }
    if (!isPart) await askForCalibratedDamage(this.#run, this, this.#rows);
  }

  async #expect(row) {
    const candidate = this.exportFolder(row);
    const reference = this.#run.cache.folderOf(await this.reference(row));
    await this.expectAcceptance(`${row.name}: calibrated.py`, row, candidate, judgeAcceptance);
    const folders = { reference, candidate, acrossEntryPoints: true };
    this.#run.expect(`${row.name}: the rest`, { kind: "compare", ...folders }, (answer) => judgeRest(answer, row));
    await this.expectGain(`${row.name}: divergence`, row, candidate, (verdict) => verdict);
  }

  /** Asks for `calibrated.py` on a folder; `judge` gets its report. */
  async expectAcceptance(name, row, candidate, judge) {
    const folders = {
      original: this.#model(row),
      reference: this.#run.cache.folderOf(await this.reference(row)),
      candidate,
    };
    const job = { kind: "calibrated", ...folders, calibration: await this.calibration(row) };
    this.#run.expect(name, job, ({ report }) => judge(report));
  }

  /** Asks for the divergences of a folder, of its reference and of the plain one; `judge` gets the verdict on them. */
  async expectGain(name, row, candidate, judge) {
    const { cache } = this.#run;
    const plain = this.plain(row) ? cache.folderOf(this.plain(row)) : this.#magnitudeFolder(row);
    if (!existsSync(plain)) throw new Error("there is nothing to compare the gain with");
    const folders = { plain, reference: cache.folderOf(await this.reference(row)), candidate };
    const files = Object.fromEntries(Object.keys(folders).map((kind) => [kind, this.#slot(`${name} ${kind}`)]));
    const job = {
      ...{ kind: "divergences", original: this.#model(row), tokens: await this.#scripture(row) },
      ...{
        compressed: Object.values(folders),
        positions: Object.values(files),
        roundsActivations: true,
        isWide: false,
      },
    };
    this.#run.expect(name, job, () => {
      const positions = Object.fromEntries(Object.entries(files).map(([kind, file]) => [kind, readPositions(file)]));
      return judge(judgeGain(positions, row));
    });
  }
}
