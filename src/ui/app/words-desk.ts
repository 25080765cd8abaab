import { asLabError, quote } from "../../base/errors.ts";
import type { DiagnosisRequest, HealResult, TokenLook } from "../../engine/diagnosis-api.ts";
import type { MeasuredTokens } from "../../engine/measure-result.ts";
import type { RunRules } from "../../engine/roundings.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import { scoreOf, shownIds, type TokenAt } from "../../engine/word-statistics.ts";
import { textChoice } from "../panels/text-picker-model.ts";
import { type Fetched, fetchedPart, NOT_FETCHED } from "../parts/fetched.ts";
import { viewOf } from "./asked-once.ts";
import type { DeskLink } from "./desk-link.ts";
import { keepNewest } from "./keep-newest.ts";
import { chosenScheme } from "./lab-state.ts";
import type { LabStore } from "./lab-store.ts";
import { healedToken, healKey, NO_WORDS, tokenKey, type WordsState } from "./words-state.ts";

/** Predictions kept, so that going back to a token, or changing between two recipes, costs nothing. */
const MAX_LOOKS = 48;
const MAX_HEALS = 12;

/** What was measured token by token, and what is asked about it. */
export class WordsDesk {
  readonly #store: LabStore;
  readonly #link: DeskLink;
  #isNaming = false;
  /** What is being healed. */
  #healing = "";

  constructor(store: LabStore, link: DeskLink) {
    this.#store = store;
    this.#link = link;
  }

  /** Another model: nothing of the one before holds but what was set by hand. */
  forget(): void {
    const { healing, generationAsk, taskFile } = this.#words;
    this.#store.set({ words: { ...NO_WORDS, healing, generationAsk, taskFile } });
  }

  /** What is set by hand; nothing runs. */
  set(change: Partial<Pick<WordsState, "healing" | "generationAsk" | "taskFile">>): void {
    this.#set(change);
  }

  /** Scores as they grow. What was asked about others before is dropped. */
  hear(tokens: MeasuredTokens, text: PreparedText, rules: RunRules): void {
    const { measured } = this.#words;
    if (tokens.windows.length === 0) return;
    const isSame = measured !== null && measured.text.hash === text.hash && isSameRun(measured.rules, rules);
    if (isSame) this.#set({ measured: { tokens, text, rules } });
    else {
      const window = tokens.windows[0] ?? 0;
      const fresh = { window, token: null, looks: new Map(), heals: new Map() };
      this.#set({ measured: { tokens, text, rules }, ...fresh });
    }
    void this.#name(shownIds(tokens, text.windows));
  }

  /** Chooses a token and asks what was predicted there. */
  pick({ window, place }: TokenAt): void {
    const token = { window, place };
    const { measured } = this.#words;
    if (measured === null || scoreOf(measured.tokens, token) === null) return;
    this.#set({ token, window });
    void this.look();
  }

  showWindow(window: number): void {
    const windows = this.#words.measured?.text.windows.length ?? 0;
    if (window >= 0 && window < windows) this.#set({ window });
  }

  /** Asks what was predicted at the chosen token by the chosen recipe, unless that is known, or something else runs. */
  async look(): Promise<void> {
    const { token } = this.#words;
    const request = this.#request();
    const { job } = this.#store.state;
    if (token === null || request === null || (job !== null && job.kind !== "looking")) return;
    const key = tokenKey(request.scheme, token);
    const before = this.#words.looks.get(key)?.state;
    if (before === "ready" || before === "waiting") return;
    const keep = (view: Fetched<TokenLook>): void =>
      this.#set({ looks: keepNewest(this.#words.looks, key, view, MAX_LOOKS) });
    const at = { window: token.window, position: token.place - 1 };
    keep({ state: "waiting", soFar: null });
    const doing = "looking at a token";
    const end = await this.#link.run("looking", request.scheme, doing, (call) =>
      call(doing, (api) => api.lookAtToken(request, at)),
    );
    keep(viewOf(end, null));
    if (end !== null && "result" in end) {
      const { original, variant, next } = end.result;
      void this.#name(new Set([...original, ...variant, ...(next === null ? [] : [next])].map(({ id }) => id)));
    }
  }

  /** Puts parts of the original back, one at a time. */
  async heal(): Promise<void> {
    const words = this.#words;
    const request = this.#request();
    const { healing } = words;
    const token = healedToken(words);
    if (request === null || (token === null && !healing.isWhole)) return;
    const key = healKey(request.scheme, healing, token);
    this.#healing = key;
    const keep = (view: Fetched<HealResult>): void => this.#keepHeal(key, view);
    keep({ state: "waiting", soFar: null });
    const at = token === null ? null : { window: token.window, position: token.place - 1 };
    const doing = "putting parts of the original back";
    const end = await this.#link.run("healing", request.scheme, doing, (call) =>
      call(doing, (api) => api.heal({ ...request, unit: healing.unit, at })),
    );
    const soFar = fetchedPart(this.#words.heals.get(key) ?? NOT_FETCHED);
    keep(viewOf(end, soFar));
  }

  /** What heals, as far as it is known. */
  hearHealed(result: HealResult): void {
    this.#keepHeal(this.#healing, { state: "waiting", soFar: result });
  }

  /** Lets the original and every asked recipe go on from prompts of the asked text. */
  async generate(): Promise<void> {
    const { asked: rules, text } = this.#store.state;
    const { prompts, tokens } = this.#words.generationAsk;
    const ask = { rules, text };
    this.#set({ generation: { ...ask, view: { state: "waiting", soFar: null } } });
    const doing = "generating";
    const end = await this.#link.run("generating", doing, doing, async (call) => {
      const run = await this.#link.rules(rules);
      const prepared = await call("preparing text", (api) =>
        api.prepareText({ ...textChoice(text), windows: prompts }),
      );
      const request = { ...run, schemes: rules.schemes, text: prepared, tokens };
      return await call(doing, (api) => api.generate(request));
    });
    this.#set({ generation: { ...ask, view: viewOf(end, null) } });
  }

  /** Lets the original and every asked recipe answer multiple-choice items. */
  async answer(): Promise<void> {
    const { asked: rules } = this.#store.state;
    const { taskFile } = this.#words;
    const ask = { rules, text: null };
    this.#set({ answers: { ...ask, view: { state: "waiting", soFar: null } } });
    const doing = "answering the items";
    const end = await this.#link.run("answering", doing, doing, async (call) => {
      const run = await this.#link.rules(rules);
      const tasks = await call("reading a task file", (api) => api.readTasks(taskFile));
      return await call(doing, (api) => api.answer({ ...run, schemes: rules.schemes, tasks }));
    });
    this.#set({ answers: { ...ask, view: viewOf(end, null) } });
  }

  get #words(): WordsState {
    return this.#store.state.words;
  }

  #set(change: Partial<WordsState>): void {
    this.#store.set({ words: { ...this.#words, ...change } });
  }

  #keepHeal(key: string, view: Fetched<HealResult>): void {
    this.#set({ heals: keepNewest(this.#words.heals, key, view, MAX_HEALS) });
  }

  /** The chosen recipe over the measured text; null where it was not measured. */
  #request(): DiagnosisRequest | null {
    const { measured } = this.#words;
    const scheme = chosenScheme(this.#store.state)?.scheme;
    if (measured === null || scheme === undefined) return null;
    if (!measured.tokens.rows.some((row) => row.scheme === scheme)) return null;
    return { ...measured.rules, scheme, text: measured.text };
  }

  /** Asks for the text of the ids that have none yet; the others are shown by their number until then. */
  async #name(ids: ReadonlySet<number>): Promise<void> {
    if (this.#isNaming) return;
    const missing = [...ids].filter((id) => !this.#words.pieces.has(id));
    if (missing.length === 0) return;
    const { choice } = this.#store.state;
    this.#isNaming = true;
    try {
      const found = await this.#link.ask("reading tokens", (api) => api.pieces(missing));
      // Another model has other tokens.
      if (this.#store.state.choice !== choice) return;
      const pieces = new Map(this.#words.pieces);
      for (const [at, id] of missing.entries()) pieces.set(id, found[at] ?? `#${id}`);
      this.#set({ pieces, piecesFailure: null });
    } catch (thrown) {
      this.#set({ piecesFailure: asLabError(thrown, `reading tokens of ${quote(choice?.name ?? "")}`).toData() });
    } finally {
      this.#isNaming = false;
    }
    const { measured } = this.#words;
    // Scores that came meanwhile may name further tokens.
    if (measured !== null && this.#words.piecesFailure === null) {
      await this.#name(shownIds(measured.tokens, measured.text.windows));
    }
  }
}

function isSameRun(one: RunRules, other: RunRules): boolean {
  const key = ({ arithmetic, ignore, roundings, calibration }: RunRules): string =>
    JSON.stringify([arithmetic, ignore, roundings, calibration?.hash ?? null]);
  return key(one) === key(other);
}
