// References, made by the real tool once and kept by the hash of everything that goes into them.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runDriver } from "./processes.mjs";

const DRIVER = join(import.meta.dirname, "references.py");

/**
 * @typedef {object} Wanted
 * @property {string} model folder
 * @property {"eager" | "triton"} arithmetic
 * @property {string} [scheme] a preset, a custom scheme or groups of them, by tensor names, with `ignore`
 * @property {readonly string[]} [ignore]
 * @property {string} [kitRecipe] name of a calibrated recipe of the kit's reference.py, run by `oneshot` with `ignore`
 * @property {string} [recipe] path of a recipe file, run by `oneshot`
 * @property {string} [calibration] path of a file of token windows that either of the two is run on
 */

/** A cache of references in a folder. */
export class ReferenceCache {
  #folder;
  #kit;
  #python;
  #errors = new Map();
  /** Digests of model folders, which do not change while a run lasts. */
  #models = new Map();

  constructor({ folder, kit, python }) {
    this.#folder = folder;
    this.#kit = kit;
    this.#python = python;
    mkdirSync(folder, { recursive: true });
  }

  /** Makes what is missing, one process an arithmetic. @returns {Promise<{ made: number, kept: number }>} */
  async prepare(/** @type {readonly Wanted[]} */ wanted) {
    const entries = new Map(wanted.map((item) => [this.#entry(item), item]));
    const missing = [...entries].filter(([entry]) => !existsSync(entry));
    for (const arithmetic of new Set(missing.map(([, item]) => item.arithmetic))) {
      await this.#make(
        arithmetic,
        missing.filter(([, item]) => item.arithmetic === arithmetic),
      );
    }
    return { made: missing.length, kept: entries.size - missing.length };
  }

  /** Folder of a prepared reference. Throws where it could not be made. */
  folderOf(/** @type {Wanted} */ item) {
    const entry = this.#entry(item);
    if (existsSync(entry)) return entry;
    throw new Error(this.#errors.get(entry) ?? "the reference was not prepared");
  }

  /** A reference appears under its name when it is whole: what a broken run leaves is never used. */
  async #make(arithmetic, missing) {
    const partial = (entry) => `${entry}.partial-${process.pid}`;
    const jobs = missing.map(([entry, { arithmetic: _, ...item }]) => ({ ...item, out: partial(entry) }));
    try {
      const { answers, error } = await runDriver(this.#python, DRIVER, { kit: this.#kit, arithmetic, jobs });
      const byOut = new Map(answers.map((answer) => [answer.out, answer]));
      for (const [entry] of missing) {
        const answer = byOut.get(partial(entry));
        if (answer?.error === null) renameSync(partial(entry), entry);
        else this.#errors.set(entry, answer?.error ?? error ?? "the driver gave no answer");
      }
    } finally {
      for (const [entry] of missing) rmSync(partial(entry), { recursive: true, force: true });
    }
  }

  #entry({ model, recipe, calibration, ...rest }) {
    const hash = createHash("sha256");
    const add = (name, bytes) => hash.update(`${name} ${bytes.length}\n`).update(bytes);
    add("model", this.#modelDigest(model));
    if (recipe) add("recipe", readFileSync(recipe));
    if (calibration) add("calibration", readFileSync(calibration));
    add("order", Buffer.from(JSON.stringify(Object.entries(rest).sort())));
    for (const file of [join(this.#kit, "requirements.txt"), join(this.#kit, "reference.py"), DRIVER]) {
      add(file.slice(file.lastIndexOf("/") + 1), readFileSync(file));
    }
    return join(this.#folder, hash.digest("hex"));
  }

  #modelDigest(model) {
    const known = this.#models.get(model);
    if (known) return known;
    const hash = createHash("sha256");
    for (const file of readdirSync(model).sort()) {
      const bytes = readFileSync(join(model, file));
      hash.update(`${file} ${bytes.length}\n`).update(bytes);
    }
    const digest = hash.digest();
    this.#models.set(model, digest);
    return digest;
  }
}
