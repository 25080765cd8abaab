import type * as Comlink from "comlink";
import { asLabError, quote } from "../../base/errors.ts";
import type { QuantizeRequest } from "../../engine/api.ts";
import type { ErrorWindow, WindowRequest } from "../../engine/error-window.ts";
import type { SchemeResult } from "../../engine/result.ts";
import type { Outcome, WorkerApi } from "../../engine/worker-api.ts";
import type { SheetView } from "../panels/matrix-sheet-model.ts";
import type { AskEngine } from "./ask-engine.ts";
import { keepNewest } from "./keep-newest.ts";
import { chosenLayer, chosenScheme, lookKey, otherScheme } from "./lab-state.ts";
import type { LabStore } from "./lab-store.ts";
import { weightCalibration } from "./run-rules.ts";

/** Sheets kept, so that changing between recipes and matrices costs nothing the second time. */
const MAX_SHEETS = 12;
/** Read parts of error maps kept; each has up to a million weights. */
const MAX_PARTS = 4;

/** Fetches what the open matrix needs: its sheet under the chosen recipe and the one to change with, parts of its error map. */
export class CloseLook {
  readonly #store: LabStore;
  readonly #ask: AskEngine;
  /** What is being fetched. */
  readonly #pending = new Set<string>();
  /** Counts what was shown: an answer about an earlier comparison is dropped. */
  #era = 0;

  constructor(store: LabStore, ask: AskEngine) {
    this.#store = store;
    this.#ask = ask;
  }

  /** Another comparison: nothing of the one before holds. */
  forget(): void {
    this.#era++;
    this.#pending.clear();
    this.#store.set({ sheets: new Map(), errorParts: new Map() });
  }

  /** Fetches the sheets of the chosen matrix that are missing: of the chosen recipe first, then of the other. */
  update(): void {
    void this.#lookAtBoth();
  }

  async #lookAtBoth(): Promise<void> {
    const { state } = this.#store;
    await this.#lookAt(chosenScheme(state));
    if (state.module === this.#store.state.module) await this.#lookAt(otherScheme(this.#store.state));
  }

  async #lookAt(scheme: SchemeResult | null): Promise<void> {
    const { state } = this.#store;
    const { module, shown, job } = state;
    const layer = chosenLayer(state, scheme);
    if (module === null || shown === null || scheme === null || layer === null || job !== null) return;
    // What could not be taken has nothing to look at.
    if (layer.error !== undefined) return;
    const key = lookKey(scheme.scheme, module);
    const known = state.sheets.get(key);
    if (this.#pending.has(key) || known?.state === "ready") return;
    const own = scheme.scheme;
    await this.#run(key, own, `looking at ${quote(module)}`, (api, request) => api.sheet(module, request), {
      waits: () => this.#keepSheet(key, { state: "waiting" }),
      ready: (result) => this.#keepSheet(key, { state: "ready", result }),
      failed: (view) => this.#keepSheet(key, view),
    });
  }

  /** Reads weights for the error map of the chosen matrix. */
  async readPart(recipe: string, part: WindowRequest): Promise<void> {
    const { module, shown, job } = this.#store.state;
    if (module === null || shown === null || job !== null) return;
    const key = `${lookKey(recipe, module)}\n${part.row} ${part.column} ${part.rows} ${part.columns}`;
    if (this.#pending.has(key)) return;
    const doing = `reading ${quote(module)}`;
    await this.#run(key, recipe, doing, (api, request) => api.errorWindow(module, request, part), {
      waits: () => {},
      ready: (found: ErrorWindow) => {
        const errorParts = keepNewest(this.#store.state.errorParts, lookKey(recipe, module), found, MAX_PARTS);
        this.#store.set({ errorParts });
      },
      failed: (view) => this.#keepSheet(lookKey(recipe, module), view),
    });
  }

  async #run<T>(
    key: string,
    recipe: string,
    doing: string,
    invoke: (api: Comlink.Remote<WorkerApi>, request: QuantizeRequest) => Promise<Outcome<T>>,
    tell: { waits: () => void; ready: (result: T) => void; failed: (view: SheetView) => void },
  ): Promise<void> {
    const era = this.#era;
    this.#pending.add(key);
    tell.waits();
    try {
      const request = await this.#request(recipe);
      if (era !== this.#era || request === null) return;
      const result = await this.#ask(doing, (api) => invoke(api, request));
      if (era === this.#era) tell.ready(result);
    } catch (thrown) {
      const error = asLabError(thrown, doing);
      if (era !== this.#era) return;
      tell.failed(error.code === "run/cancelled" ? { state: "none" } : { state: "failed", error: error.toData() });
    } finally {
      if (era === this.#era) this.#pending.delete(key);
    }
  }

  /** Under the rules of the shown comparison, and calibrated as it was. */
  async #request(scheme: string): Promise<QuantizeRequest | null> {
    const { shown, calibratedOn } = this.#store.state;
    if (shown === null) return null;
    const calibration = await weightCalibration({ schemes: [scheme], calibration: calibratedOn }, this.#ask);
    return { scheme, arithmetic: shown.arithmetic, ignore: shown.ignore, calibration };
  }

  #keepSheet(key: string, view: SheetView): void {
    this.#store.set({ sheets: keepNewest(this.#store.state.sheets, key, view, MAX_SHEETS) });
  }
}
