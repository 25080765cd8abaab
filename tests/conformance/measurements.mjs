// `lab measure` against `measure.py`, and the forward pass of every family against transformers.
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { secondsSince } from "../../scripts/steps.mjs";
import {
  judgeDeviations,
  judgeDivergence,
  judgeRoundedDivergence,
  judgeSameFunction,
  positionsOf,
  readPositions,
} from "./divergence-judgements.mjs";
import { kernelsElsewhere, listed } from "./judgements.mjs";
import { plainName, recipeName } from "./measure-cases.mjs";
import { LABS, runDriver } from "./processes.mjs";

const RESIZED = join(import.meta.dirname, "resized_architectures.py");
/** Measures the rows of a run, and asks it for the comparisons. */
export class Measurements {
  #run;
  #rows;
  #familyRuns;
  /** What `lab measure` said of each row, by name. */
  #documents = new Map();
  #families = null;

  /** @param {import("./run.mjs").Run} run */
  constructor(run, rows, familyRuns) {
    this.#run = run;
    this.#rows = rows;
    this.#familyRuns = familyRuns;
  }

  /** Makes what the lab is given. */
  async prepare() {
    for (const row of this.#rows) {
      await this.#run.models.windows(row);
      if (row.calibration > 0) await this.#calibration(row);
      for (const [scheme, recipe] of Object.entries(row.toolRecipes)) {
        writeFileSync(this.#slot(row, `${scheme}.yaml`), recipe);
      }
    }
    if (this.#familyRuns.length === 0) return;
    const { kit, python, folder } = this.#run;
    const { answers, error } = await runDriver(python, RESIZED, { kit, out: join(folder, "families") });
    this.#families = answers;
    this.#run.tally.report(
      "families of other sizes are made",
      error ?? (answers.length > 0 ? null : "there are none"),
      0,
    );
  }

  /** Every row whose device one of the run's processes computes on. */
  async measureAll(lab) {
    for (const row of this.#rows.filter(({ device }) => LABS[device] === lab)) await this.#measure(row);
    for (const { name, device } of this.#familyRuns.filter((item) => LABS[item.device] === lab)) {
      for (const { family, folder, noise } of this.#families) {
        await this.#run.tally.check(`${name}: ${family}`, async () => {
          const { deviations, seconds } = await this.#run.labs[lab].deviations(folder, device);
          const { wrong, note } = judgeDeviations(deviations);
          return { wrong, seconds, note: `${note}; transformers' own in float32 ${noise.toExponential(1)}` };
        });
      }
    }
  }

  /** The file of windows that scales and methods are calibrated on. */
  #calibration({ model, calibration, context }) {
    return this.#run.models.windows({ model, text: "calibration", windows: calibration, context });
  }

  async #learning(row) {
    return row.calibration > 0 ? ["--calibration", await this.#calibration(row)] : [];
  }

  #slot({ name }, what) {
    return join(this.#run.folder, `${name} ${what}`.replaceAll(/[^\w.=]+/g, "-"));
  }

  async #measure(row) {
    const { models, tally, labs } = this.#run;
    const lab = labs[LABS[row.device]];
    const model = models.folder(row.model);
    await tally.check(row.name, async () => {
      for (const scheme of row.recipes) await this.#export(lab, row, scheme);
      if (row.reference === "export") for (const scheme of row.schemes) await this.#export(lab, row, scheme);
      const args = [
        ...["measure", model, "--tokens", await models.windows(row), "--device", row.device],
        ...["--per-position", this.#slot(row, "positions")],
        ...(row.schemes.length > 0 ? ["--schemes", row.schemes.join(",")] : []),
        ...(row.prune ? ["--prune", row.prune] : []),
        ...row.options,
        ...(row.method ? ["--method", row.method] : []),
        ...(await this.#learning(row)),
        ...(row.against ? ["--against", this.#other(row)] : []),
      ];
      const { document, seconds } = await lab.done(args);
      this.#documents.set(row.name, document);
      const wrong = this.#soundness(row, document) ?? (row.against ? this.#sameness(row, document) : null);
      return { wrong, seconds, note: `${document.rows[0].divergence?.scored} positions` };
    });
  }

  async #export(lab, row, scheme) {
    const rules = ["--scheme", recipeName(row, scheme), "--device", row.device, ...(await this.#learning(row))];
    const out = this.#slot(row, scheme);
    await lab.done(["quantize", this.#run.models.folder(row.model), ...rules, "--out", out]);
  }

  /** Folder of what stands for the same function as the model of a row. */
  #other(row) {
    const { models } = this.#run;
    if (row.against !== "copy") return models.folder(row.against);
    const copy = this.#slot(row, "copy");
    cpSync(models.folder(row.model), copy, { recursive: true });
    return copy;
  }

  /** What is wrong with a measurement whatever its figures, or null. */
  #soundness(row, { outcome, finished, text, rows, kernels }) {
    const names = rows.map(({ scheme }) => scheme);
    const expected = namesOf(row);
    if (outcome !== "done" || !finished) return `the outcome is ${outcome}`;
    if (text.doneWindows !== row.windows || text.knownWindows !== 0)
      return `${text.doneWindows} windows, ${text.knownWindows} of them from before`;
    if (!row.against && names.join() !== expected.join()) return `the rows are ${listed(names)}`;
    if (!kernels.some(({ kernel }) => kernel === "model/divergence")) return "no divergence was computed";
    const refused = rows.map(({ error }) => error?.fields.modules.length ?? 0);
    const wanted = expected.map((name) => row.refused[name] ?? 0);
    if (!row.against && refused.join() !== wanted.join()) return `${refused.join(", ")} matrices are refused`;
    return kernelsElsewhere(kernels, row.device);
  }

  #sameness(row, { rows }) {
    const positions = positionsOf(this.#slot(row, "positions"));
    if (rows.length !== 1 || positions.length !== 1) return `${rows.length} rows, ${positions.length} files`;
    // Of a window of n tokens, the positions n/2 to n − 2.
    const scored = row.windows * (row.context - 1 - Math.floor(row.context / 2));
    return judgeSameFunction(positions[0], scored, row.klLimit);
  }

  /** Lets the real tool make what is missing, and asks for its divergences. */
  async ask() {
    const rows = this.#rows.filter((row) => row.reference !== "model" && this.#documents.has(row.name));
    const byTool = rows.filter(({ reference }) => reference === "tool");
    const begun = performance.now();
    const wanted = await Promise.all(byTool.flatMap((row) => row.schemes.map((scheme) => this.#wanted(row, scheme))));
    const { made, kept } = await this.#run.cache.prepare(wanted);
    console.log(`      references of measurements: ${made} made, ${kept} kept  ${secondsSince(begun)}`);
    for (const row of rows) {
      try {
        await this.#expect(row);
      } catch (error) {
        this.#run.tally.report(`${row.name}: measure.py`, error.message, 0);
      }
    }
  }

  /** The reference of a scheme: `Wanted` of reference-cache.mjs. */
  async #wanted(row, scheme) {
    const model = this.#run.models.folder(row.model);
    if (row.recipes.includes(scheme)) {
      return { model, arithmetic: "eager", recipe: join(this.#slot(row, scheme), "recipe.yaml") };
    }
    if (row.toolRecipes[scheme]) {
      const recipe = this.#slot(row, `${scheme}.yaml`);
      return { model, arithmetic: "eager", recipe, calibration: await this.#calibration(row) };
    }
    const { ignore, rows } = this.#documents.get(row.name);
    const refused = rows[row.schemes.indexOf(scheme)].error?.fields.ignore ?? [];
    return { model, arithmetic: "eager", scheme, ignore: [...ignore, ...refused] };
  }

  async #expect(row) {
    const { models, cache } = this.#run;
    const folderOf = async (scheme) =>
      row.reference === "export" ? this.#slot(row, scheme) : cache.folderOf(await this.#wanted(row, scheme));
    const job = {
      kind: "divergences",
      original: models.folder(row.model),
      compressed: await Promise.all(row.schemes.map(folderOf)),
      roundsActivations: row.roundsActivations,
      isWide: row.roundsActivations,
      tokens: await models.windows(row),
      positions: row.schemes.map((scheme) => this.#slot(row, `${scheme} expected`)),
    };
    const missing = job.compressed.filter((folder) => !existsSync(folder));
    if (missing.length > 0) throw new Error(`there is no ${listed(missing)}`);
    const { rows } = this.#documents.get(row.name);
    this.#run.expect(`${row.name}: measure.py`, job, ({ reports, wide }) => {
      const own = positionsOf(this.#slot(row, "positions"));
      const verdicts = row.schemes.map((scheme, at) => {
        const expected = readPositions(job.positions[at]);
        const place = namesOf(row).indexOf(recipeName(row, scheme));
        const { divergence } = rows[place];
        const { wrong, note } = row.roundsActivations
          ? judgeRoundedDivergence(divergence, reports[at], wide[at], own[place], expected)
          : judgeDivergence(divergence, reports[at], own[place], expected);
        return { wrong: wrong && `${scheme}: ${wrong}`, note: `${scheme}: ${note}` };
      });
      const wrong = verdicts.flatMap((verdict) => verdict.wrong ?? []);
      return { wrong: wrong.length > 0 ? wrong.join("; ") : null, note: verdicts.map(({ note }) => note).join("; ") };
    });
  }
}

/** The rows that the lab measures, in order. */
function namesOf(row) {
  return row.schemes.flatMap((scheme) => [plainName(row, scheme) ?? [], recipeName(row, scheme)].flat());
}
