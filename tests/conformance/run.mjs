// One run of some cases: exports, the real tool's references, and the comparisons between them.
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.mjs";
import { secondsSince } from "../../scripts/steps.mjs";
import { MODELS } from "./cases.mjs";
import { compareFigures, damageOneCode, kernelsElsewhere, listed, safetensorsBytes } from "./judgements.mjs";
import { kitDocument, lab, runDriver } from "./processes.mjs";
import { ReferenceCache } from "./reference-cache.mjs";

const COMPARISONS = join(import.meta.dirname, "comparisons.py");
const CACHE = join(ROOT, ".cache/conformance");
/** Windows of text that the real loader is run on. */
const WINDOWS = 4;

/** Everything that one run of some cases shares. */
export class Run {
  constructor({ kit, python, folder, cases, tally }) {
    Object.assign(this, { kit, python, folder, cases, tally });
    this.cache = new ReferenceCache({ folder: CACHE, kit, python });
    /** What each export said of itself, by the name of its case. */
    this.exports = new Map();
    /** Jobs of the comparison driver with what judges the answer. */
    this.comparisons = [];
  }

  #model(name) {
    const model = MODELS.find((candidate) => candidate.name === name);
    return { ...model, folder: join(model.home === "kit" ? this.kit : ROOT, model.path) };
  }

  #exportFolder({ name }) {
    return join(this.folder, name.replaceAll(" ", "-"));
  }

  #casesWith(checkName) {
    return this.cases.filter(({ checks }) => checks.includes(checkName));
  }

  /** All checks of all cases. */
  async all() {
    await this.#exportAll();
    await this.#compareAll();
    await this.#askForTensors();
    this.#askForDamage();
    await this.#settle();
    await this.#loadAll();
  }

  /** The export of a case. Throws where there is none. */
  #exportOf({ name }) {
    const document = this.exports.get(name);
    if (!document) throw new Error("there is no export");
    return document;
  }

  /** Exports every case, and looks at what each says of itself. */
  async #exportAll() {
    for (const item of this.cases) {
      await this.tally.check(`${item.name}: export`, async () => {
        const { scheme, arithmetic, device } = item;
        const out = this.#exportFolder(item);
        const rules = ["--scheme", scheme, "--arithmetic", arithmetic, "--device", device];
        const { document, seconds } = await lab(ROOT, [
          "quantize",
          this.#model(item.model).folder,
          ...rules,
          "--out",
          out,
        ]);
        this.exports.set(item.name, document);
        const [said, written] = [document.fileBytes.value, safetensorsBytes(out)];
        const bytes = said === written ? null : `${said} bytes said, ${written} written`;
        return { wrong: bytes ?? kernelsElsewhere(document.kernels, device), seconds, note: `${written} bytes` };
      });
    }
  }

  /** Compares every model, arithmetic and device; the figures of its layers are judged when `layers.py` has spoken. */
  async #compareAll() {
    for (const group of groupBy(
      this.#casesWith("figures"),
      (item) => `${item.model} ${item.arithmetic} ${item.device}`,
    )) {
      const [{ model, arithmetic, device }] = group;
      const schemes = group.flatMap(({ scheme }) => ["--scheme", scheme]);
      const rules = ["--arithmetic", arithmetic, "--device", device];
      await this.tally.check(`${model} ${arithmetic} ${device}: compare`, async () => {
        const { document, seconds } = await lab(ROOT, ["compare", this.#model(model).folder, ...schemes, ...rules]);
        for (const item of group) this.#expectFigures(item, document);
        const outcome = document.outcome === "done" && document.finished ? null : `the outcome is ${document.outcome}`;
        return { wrong: outcome ?? kernelsElsewhere(document.kernels, device), seconds };
      });
    }
  }

  #expectFigures(item, document) {
    const row = document.schemes.find(({ scheme }) => scheme === item.scheme);
    const compressed = this.#exportFolder(item);
    const job = { kind: "layers", original: this.#model(item.model).folder, compressed };
    this.#expect(`${item.name}: figures`, job, ({ rows }) => {
      const { wrong, worst, layers } = compareFigures(row.layers, rows);
      const [foretold, written] = [row.fileBytes.value, safetensorsBytes(compressed)];
      const bytes = foretold === written ? null : `${foretold} bytes foretold, ${written} written`;
      return { wrong: wrong ?? bytes, note: `${layers} layers, largest deviation ${worst.toExponential(1)}` };
    });
  }

  /** Lets the real tool make what is missing, and asks for the comparisons with it. */
  async #askForTensors() {
    const wanted = new Map();
    const want = (item, kind, reference) => wanted.set(`${item.name}: ${kind}`, { item, kind, reference });
    for (const item of this.#casesWith("tensors")) {
      const document = this.exports.get(item.name);
      if (document) want(item, "tensors", this.#presetReference(item, document.ignore));
    }
    for (const item of this.#casesWith("recipe")) {
      const recipe = join(this.#exportFolder(item), "recipe.yaml");
      if (existsSync(recipe)) want(item, "recipe", this.#cached({ ...this.#rules(item), recipe }));
    }
    const begun = performance.now();
    const { made, kept } = await this.cache.prepare(
      [...wanted.values()].flatMap(({ reference }) => reference.cached ?? []),
    );
    console.log(`      references: ${made} made, ${kept} kept from earlier runs  ${secondsSince(begun)}`);
    for (const kind of ["tensors", "recipe"]) {
      for (const item of this.#casesWith(kind)) this.#expectTensors(item, kind, wanted.get(`${item.name}: ${kind}`));
    }
  }

  #rules({ model, arithmetic }) {
    return { model: this.#model(model).folder, arithmetic };
  }

  /** The kit's golden folder where it has one, else a reference of the cache. */
  #presetReference(item, ignore) {
    const { golden } = this.#model(item.model);
    if (golden && item.arithmetic === "eager") return { folder: () => join(this.kit, golden, item.scheme) };
    return this.#cached({ ...this.#rules(item), preset: item.scheme, ignore });
  }

  #cached(reference) {
    return { cached: [reference], folder: () => this.cache.folderOf(reference) };
  }

  #expectTensors(item, kind, wanted) {
    const name = `${item.name}: ${kind}`;
    try {
      this.#exportOf(item);
      if (!wanted) throw new Error("there is nothing to make a reference from");
      const folders = { reference: wanted.reference.folder(), candidate: this.#exportFolder(item) };
      this.#expect(name, { kind: "compare", ...folders, acrossEntryPoints: kind === "recipe" }, judgeComparison);
    } catch (error) {
      this.tally.report(name, error.message, 0);
    }
  }

  /** A damaged copy of an export must be found out, and so must a figure that is slightly off. */
  #askForDamage() {
    const item = this.#casesWith("tensors").find(({ name, scheme }) => scheme === "W4A16" && this.exports.has(name));
    if (!item) {
      this.tally.report("self-check", "there is no W4A16 export to damage", 0);
      return;
    }
    const [reference, candidate] = [this.#exportFolder(item), join(this.folder, "damaged")];
    cpSync(reference, candidate, { recursive: true });
    const name = damageOneCode(candidate);
    const job = { kind: "compare", reference, candidate, acrossEntryPoints: false };
    this.#expect("self-check: one code changed is found", job, ({ failed, findings }) => {
      const isFound = failed === 1 && findings[0].startsWith(`${name}: 1 of `);
      return { wrong: isFound ? null : `${failed} checks failed: ${listed(findings)}`, note: findings[0] };
    });
    const figures = { mse: 1, relativeMse: 1, sqnrDb: 1, maxAbsError: 1, cosine: 1 };
    const layer = { module: "m", ...figures };
    const isNoticed = (change) => compareFigures([{ ...layer, ...change }], { m: figures }).wrong !== null;
    const [sound, off, absent] = [{}, { mse: 1 + 2e-6 }, { cosine: null }].map(isNoticed);
    this.tally.report("self-check: a figure that is off is found", !sound && off && absent ? null : "it is not", 0);
  }

  #expect(name, job, judge) {
    this.comparisons.push({ name, job: { ...job, id: this.comparisons.length }, judge });
  }

  /** Runs what was asked for, in one process, and judges it. */
  async #settle() {
    const jobs = this.comparisons.map(({ job }) => job);
    const { answers, error } = await runDriver(this.python, COMPARISONS, { kit: this.kit, jobs });
    for (const { name, job, judge } of this.comparisons) {
      await this.tally.check(name, async () => {
        const answer = answers.find(({ id }) => id === job.id);
        const failure = answer ? answer.error : (error ?? "no answer");
        if (failure) return { wrong: failure };
        return { ...judge(answer), seconds: answer.seconds };
      });
    }
  }

  /** The real loader opens the exports and runs them on a few windows of text. */
  async #loadAll() {
    for (const item of this.#casesWith("loader")) {
      await this.tally.check(`${item.name}: loader`, async () => {
        this.#exportOf(item);
        const { folder, tokenLimit, hasFiniteLogits } = this.#model(item.model);
        const args = [folder, this.#exportFolder(item), this.#tokens(tokenLimit)];
        const { document, seconds } = await kitDocument(this.python, join(this.kit, "measure.py"), args);
        const kld = document.kld.value;
        const wrong = kld === null && hasFiniteLogits ? "the divergence is not finite" : null;
        return { wrong, seconds, note: `KLD ${kld ?? "not finite, as these weights make it"}` };
      });
    }
  }

  /** A file of the first windows of a text, its tokens folded into a vocabulary. */
  #tokens(tokenLimit) {
    const file = join(this.folder, `tokens-${tokenLimit}.json`);
    if (!existsSync(file)) {
      const { windows } = JSON.parse(readFileSync(join(ROOT, "fixtures/text/scripture.tokens.json"), "utf8"));
      const chosen = windows.slice(0, WINDOWS).map((window) => window.map((token) => token % tokenLimit));
      writeFileSync(file, JSON.stringify({ windows: chosen }));
    }
    return file;
  }
}

function judgeComparison({ passed, failed, findings }) {
  if (failed > 0) return { wrong: `${failed} of ${passed + failed} differ: ${listed(findings)}` };
  return { wrong: passed > 0 ? null : "nothing was compared", note: `${passed} equal` };
}

function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups.values();
}
