// The models that cases run on, and the one that is made for them.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT } from "../../scripts/bootstrap.mjs";
import { MODELS } from "./cases.mjs";
import { complaint, run } from "./processes.mjs";

const TOKENS = join(import.meta.dirname, "tokens.py");

/** Windows of text that the real loader is run on. */
const WINDOWS = 4;

/** Finds models by their names. */
export class Models {
  #homes;
  #python;
  #kit;
  #scratch;

  /** @param {{ kit: string, cache: string, python: string, scratch: string }} places */
  constructor({ kit, cache, python, scratch }) {
    this.#homes = { lab: ROOT, kit, cache };
    this.#kit = kit;
    this.#python = python;
    this.#scratch = scratch;
  }

  /** A row of MODELS. */
  model(name) {
    return MODELS.find((candidate) => candidate.name === name);
  }

  folder(name) {
    const { home, path } = this.model(name);
    return join(this.#homes[home], path);
  }

  /** Makes those of some models that must be made and are not there yet. It appears under its name when it is whole. */
  async make(names) {
    for (const name of names) {
      const folder = this.folder(name);
      if (this.model(name).home !== "cache" || existsSync(folder)) continue;
      const partial = `${folder}.partial-${process.pid}`;
      mkdirSync(dirname(folder), { recursive: true });
      try {
        const script = join(dirname(this.#kit), "models", `${name}.py`);
        const result = await run(this.#python, [script, partial]);
        if (result.code !== 0) throw new Error(`${name} could not be made: ${complaint(result)}`);
        renameSync(partial, folder);
      } finally {
        rmSync(partial, { recursive: true, force: true });
      }
    }
  }

  /** A file of the first windows of a text, its tokens folded into the vocabulary of a model. */
  tokens(name) {
    const { tokenLimit } = this.model(name);
    const file = join(this.#scratch, `tokens-${tokenLimit}.json`);
    if (!existsSync(file)) {
      const { windows } = JSON.parse(readFileSync(join(ROOT, "fixtures/text/scripture.tokens.json"), "utf8"));
      const chosen = windows.slice(0, WINDOWS).map((window) => window.map((token) => token % tokenLimit));
      writeFileSync(file, JSON.stringify({ windows: chosen }));
    }
    return file;
  }

  /** A file of the first windows of a bundled text, by the model's own tokenizer where the bundled tokens are another's. */
  async windows({ model, text, windows: count, context }) {
    const { hasBundledTokens } = this.model(model);
    const file = join(this.#scratch, `${hasBundledTokens ? "tokens" : model}-${text}-${count}x${context}.json`);
    if (existsSync(file)) return file;
    if (hasBundledTokens) {
      const { windows } = JSON.parse(readFileSync(join(ROOT, `fixtures/text/${text}.tokens.json`), "utf8"));
      const chosen = windows.slice(0, count).map((window) => window.slice(0, context));
      writeFileSync(file, JSON.stringify({ windows: chosen }));
      return file;
    }
    const order = { model: this.folder(model), text: join(ROOT, `fixtures/text/${text}.txt`), windows: count, context };
    const result = await run(this.#python, [TOKENS], { input: JSON.stringify({ ...order, out: file }) });
    if (result.code !== 0) throw new Error(`${model} could not cut ${text} into tokens: ${complaint(result)}`);
    return file;
  }
}
