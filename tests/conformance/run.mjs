// One run of some cases: exports, the real tool's references, and the comparisons between them.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.mjs";
import { secondsSince } from "../../scripts/steps.mjs";
import { Calibrations } from "./calibrations.mjs";
import { splitScheme } from "./cases.mjs";
import { askForDamage } from "./damage.mjs";
import {
  compareFigures,
  differingFiles,
  indexFindings,
  judgeComparison,
  judgeMasks,
  kernelsElsewhere,
  safetensorsBytes,
} from "./judgements.mjs";
import { Measurements } from "./measurements.mjs";
import { Models } from "./models.mjs";
import { LabServer, labProcess, runDriver } from "./processes.mjs";
import { ReferenceCache } from "./reference-cache.mjs";

const COMPARISONS = join(import.meta.dirname, "comparisons.py");
const CACHE = join(ROOT, ".cache/conformance");
/** As many as `lab compare` takes. */
const SCHEMES_AT_ONCE = 8;

/** Everything that one run of some cases shares. */
export class Run {
  /** @param {boolean} isPart the cases were chosen by their names, and need not be fit to show that damage is found */
  constructor({ kit, python, folder, cases, measurements, familyRuns, calibrated = [], tally, isPart = false }) {
    Object.assign(this, { kit, python, folder, cases, tally, isPart });
    this.measured = [...measurements, ...calibrated].map(({ model }) => model);
    this.calibrations = new Calibrations(this, calibrated);
    this.measurements = new Measurements(this, measurements, familyRuns);
    this.models = new Models({ kit, python, cache: CACHE, scratch: folder });
    this.cache = new ReferenceCache({ folder: CACHE, kit, python });
    const cacheHome = join(folder, "cache");
    this.labs = { gpu: new LabServer(cacheHome), cpu: new LabServer(cacheHome) };
    /** What each export said of itself, by the name of its case. */
    this.exports = new Map();
    /** What a case ignores besides the lab's own list, by its name. */
    this.ignored = new Map();
    /** Jobs of the comparison driver with what judges the answer. */
    this.comparisons = [];
  }

  exportFolder({ name }) {
    return join(this.folder, name.replaceAll(/[^\w.=]+/g, "-"));
  }

  casesWith(checkName) {
    return this.cases.filter(({ checks }) => checks.includes(checkName));
  }

  /** All checks of all cases. */
  async all() {
    const names = [...new Set([...this.cases.map(({ model }) => model), ...this.measured])];
    try {
      await this.models.make(names);
      await this.measurements.prepare();
      await this.calibrations.prepare();
      for (const name of names) await this.#inspect(name);
      // Side by side: one of them computes in this machine's only driver, the other in JavaScript.
      const devices = Object.keys(this.labs);
      await Promise.all(devices.map((device) => this.#exportAll(device)));
      await Promise.all(devices.map((device) => this.#compareAll(device)));
      await Promise.all(devices.map((device) => this.measurements.measureAll(device)));
      await Promise.all(devices.map((device) => this.calibrations.exportAll(device)));
    } finally {
      for (const lab of Object.values(this.labs)) lab.stop();
    }
    await this.#startOne();
    this.#lookAtFiles();
    await this.#askForTensors();
    this.#askForMasks();
    this.#askForLoader();
    await this.measurements.ask();
    await this.calibrations.ask();
    if (!this.isPart) askForDamage(this);
    await this.#settle();
  }

  /** The export of a case. Throws where there is none. */
  exportOf({ name }) {
    const document = this.exports.get(name);
    if (!document) throw new Error("there is no export");
    return document;
  }

  async #inspect(name) {
    await this.tally.check(`${name}: inspect`, async () => {
      const folder = this.models.folder(name);
      const { document, seconds } = await this.labs.gpu.done(["inspect", folder]);
      const { fileBytes, parameters } = document.model;
      const written = safetensorsBytes(folder);
      const bytes = fileBytes.value === written ? null : `${fileBytes.value} bytes said, ${written} there`;
      return { wrong: bytes, seconds, note: `${parameters.value} weights` };
    });
  }

  /** Exports every case of a device, and looks at what each says of itself. */
  async #exportAll(device) {
    for (const item of this.cases.filter((candidate) => candidate.device === device)) {
      if (item.checks.includes("refusal")) await this.#refuse(item);
      await this.tally.check(`${item.name}: export`, async () => {
        const out = this.exportFolder(item);
        const { document, seconds } = await this.labs[device].done(this.#quantize(item, out));
        const [said, written] = [document.fileBytes.value, safetensorsBytes(out)];
        const bytes = said === written ? null : `${said} bytes said, ${written} written`;
        const name = document.scheme === item.scheme ? null : `it is called ${document.scheme}`;
        this.exports.set(item.name, document);
        return {
          wrong: bytes ?? name ?? kernelsElsewhere(document.kernels, device),
          seconds,
          note: `${written} bytes`,
        };
      });
    }
  }

  #quantize(item, out) {
    return ["quantize", this.models.folder(item.model), "--scheme", item.scheme, ...this.#rules(item), "--out", out];
  }

  #rules({ name, arithmetic, device }) {
    const ignored = (this.ignored.get(name) ?? []).flatMap((entry) => ["--ignore", entry]);
    return ["--arithmetic", arithmetic, "--device", device, ...ignored];
  }

  /** The lab must refuse what the real tool stops at, and say what to ignore for it to go on. */
  async #refuse(item) {
    await this.tally.check(`${item.name}: refusal`, async () => {
      const out = this.exportFolder(item);
      const { code, document, seconds } = await this.labs[item.device].run(this.#quantize(item, out));
      const { code: errorCode, fields = {} } = document.error ?? {};
      if (code !== 1 || errorCode !== "export/refused-matrices")
        return { wrong: `exit ${code}, ${errorCode}`, seconds };
      this.ignored.set(item.name, fields.ignore);
      const count = fields.modules.length === item.refused ? null : `${fields.modules.length} matrices refused`;
      const left = existsSync(out) ? "a folder is left behind" : null;
      return { wrong: count ?? left, seconds, note: `ignore ${fields.ignore.join(" ")}` };
    });
  }

  /** Compares every model, arithmetic and device; the figures of its layers are judged when `layers.py` has spoken. */
  async #compareAll(device) {
    const items = this.casesWith("figures").filter((item) => item.device === device && this.exports.has(item.name));
    for (const group of chunks(groupBy(items, (item) => [item.model, ...this.#rules(item)].join(" ")))) {
      const [first] = group;
      const schemes = group.flatMap(({ scheme }) => ["--scheme", scheme]);
      await this.tally.check(`${first.model} ${this.#rules(first).join(" ")} × ${group.length}: compare`, async () => {
        const args = ["compare", this.models.folder(first.model), ...schemes, ...this.#rules(first)];
        const { document, seconds } = await this.labs[device].done(args);
        for (const item of group) this.#expectFigures(item, document);
        const outcome = document.outcome === "done" && document.finished ? null : `the outcome is ${document.outcome}`;
        return { wrong: outcome ?? kernelsElsewhere(document.kernels, device), seconds };
      });
    }
  }

  #expectFigures(item, document) {
    const row = document.schemes.find(({ scheme }) => scheme === item.scheme);
    const compressed = this.exportFolder(item);
    const job = { kind: "layers", original: this.models.folder(item.model), compressed };
    this.expect(`${item.name}: figures`, job, ({ rows }) => {
      const { wrong, worst, layers } = compareFigures(row.layers, rows);
      const [foretold, written] = [row.fileBytes.value, safetensorsBytes(compressed)];
      const bytes = foretold === written ? null : `${foretold} bytes foretold, ${written} written`;
      return { wrong: wrong ?? bytes, note: `${layers} layers, largest deviation ${worst.toExponential(1)}` };
    });
  }

  /** A process of the command line, as its user starts it, writes what the many commands of one process wrote. */
  async #startOne() {
    const item = this.cases.find(({ name, device }) => device === "gpu" && this.exports.has(name));
    if (!item && this.isPart) return;
    await this.tally.check("a process of its own writes the same", async () => {
      const out = join(this.folder, "process");
      await labProcess(this.#quantize(item, out));
      return { wrong: differingFiles(this.exportFolder(item), out), note: item.name };
    });
  }

  /** What can be said of the exported files without the real tool. */
  #lookAtFiles() {
    for (const item of this.casesWith("twin")) {
      const twin = { name: item.name.replace(/cpu$/, "gpu") };
      this.#look(`${item.name}: twin`, item, () => {
        this.exportOf(twin);
        return differingFiles(this.exportFolder(twin), this.exportFolder(item));
      });
    }
    for (const item of this.casesWith("shards")) {
      const model = this.models.folder(item.model);
      this.#look(`${item.name}: shards`, item, () => indexFindings(model, this.exportFolder(item)));
    }
  }

  #look(name, item, judge) {
    try {
      this.exportOf(item);
      this.tally.report(name, judge(), 0);
    } catch (error) {
      this.tally.report(name, error.message, 0);
    }
  }

  /** Lets the real tool make what is missing, and asks for the comparisons with it. */
  async #askForTensors() {
    const wanted = new Map();
    const want = (item, kind, reference) => wanted.set(`${item.name}: ${kind}`, reference);
    for (const item of this.casesWith("tensors")) {
      if (this.exports.has(item.name) && this.#original(item)) want(item, "tensors", this.#referenceByNames(item));
    }
    for (const item of this.casesWith("recipe")) {
      const recipe = join(this.exportFolder(item), "recipe.yaml");
      const model = this.#original(item);
      if (model && existsSync(recipe))
        want(item, "recipe", this.#cached({ model, arithmetic: item.arithmetic, recipe }));
    }
    const begun = performance.now();
    const { made, kept } = await this.cache.prepare([...wanted.values()].flatMap(({ cached }) => cached ?? []));
    console.log(`      references: ${made} made, ${kept} kept from earlier runs  ${secondsSince(begun)}`);
    for (const kind of ["tensors", "recipe"]) {
      for (const item of this.casesWith(kind)) this.#expectTensors(item, kind, wanted.get(`${item.name}: ${kind}`));
    }
  }

  /** What the real tool quantizes: the model, or what the lab has pruned of it. Null where that is missing. */
  #original({ model, scheme, arithmetic, device }) {
    const { pruning } = splitScheme(scheme);
    if (!pruning) return this.models.folder(model);
    const name = `${model} ${pruning} | none ${arithmetic} ${device}`;
    return this.exports.has(name) ? this.exportFolder({ name }) : null;
  }

  /** The kit's golden folder where it has one, else a reference of the cache. */
  #referenceByNames(item) {
    const { golden } = this.models.model(item.model);
    const kept = join(this.kit, golden ?? "", item.scheme);
    if (golden && item.arithmetic === "eager" && existsSync(kept)) return { folder: () => kept };
    const { ignore } = this.exportOf(item);
    const { rest } = splitScheme(item.scheme);
    return this.#cached({ model: this.#original(item), arithmetic: item.arithmetic, scheme: rest, ignore });
  }

  #cached(reference) {
    return { cached: [reference], folder: () => this.cache.folderOf(reference) };
  }

  #expectTensors(item, kind, reference) {
    const name = `${item.name}: ${kind}`;
    try {
      this.exportOf(item);
      if (!reference) throw new Error("there is nothing to make a reference from");
      const folders = { reference: reference.folder(), candidate: this.exportFolder(item) };
      this.expect(name, { kind: "compare", ...folders, acrossEntryPoints: kind === "recipe" }, judgeComparison);
    } catch (error) {
      this.tally.report(name, error.message, 0);
    }
  }

  #askForMasks() {
    for (const item of this.casesWith("masks")) {
      const document = this.exports.get(item.name);
      if (!document) this.tally.report(`${item.name}: masks`, "there is no export", 0);
      else this.expect(`${item.name}: masks`, this.masksJob(item, this.exportFolder(item)), judgeMasks);
    }
  }

  masksJob(item, candidate) {
    const { pruning } = splitScheme(item.scheme);
    const { ignore } = this.exportOf(item);
    return { kind: "masks", original: this.models.folder(item.model), candidate, pruning, ignore };
  }

  /** The real loader opens the exports and runs them on a few windows of text. */
  #askForLoader() {
    for (const item of this.casesWith("loader")) {
      if (!this.exports.has(item.name)) {
        this.tally.report(`${item.name}: loader`, "there is no export", 0);
        continue;
      }
      const folders = { original: this.models.folder(item.model), compressed: this.exportFolder(item) };
      const job = { kind: "measure", ...folders, tokens: this.models.tokens(item.model) };
      this.expect(`${item.name}: loader`, job, ({ report }) => {
        const kld = report.kld.value;
        const isWrong = kld === null && this.models.model(item.model).hasFiniteLogits;
        const note = `KLD ${kld ?? "not finite, as these weights make it"}`;
        return { wrong: isWrong ? "the divergence is not finite" : null, note };
      });
    }
  }

  /** Asks for a comparison; `judge` gets the driver's answer. */
  expect(name, job, judge) {
    this.comparisons.push({ name, job: { ...job, id: this.comparisons.length }, judge });
  }

  /** Runs what was asked for, and judges it. */
  async #settle() {
    const jobs = this.comparisons.map(({ job }) => job);
    const { answers, error } = await runDriver(this.python, COMPARISONS, { kit: this.kit, jobs });
    const byId = new Map(answers.map((answer) => [answer.id, answer]));
    for (const { name, job, judge } of this.comparisons) {
      await this.tally.check(name, async () => {
        const answer = byId.get(job.id);
        const failure = answer ? answer.error : (error ?? "no answer");
        if (failure) return { wrong: failure };
        return { ...judge(answer), seconds: answer.seconds };
      });
    }
  }
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

/** The same groups, cut where they are larger than one comparison takes. */
function chunks(groups) {
  return groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / SCHEMES_AT_ONCE) }, (_, at) =>
      group.slice(at * SCHEMES_AT_ONCE, (at + 1) * SCHEMES_AT_ONCE),
    ),
  );
}
