import type * as Comlink from "comlink";
import type { ActivationReport, ActivationStrip, DepthResult } from "../../engine/diagnosis-api.ts";
import type { SweepKind, SweepResult } from "../../engine/sweep-words.ts";
import type { Outcome, WorkerApi } from "../../engine/worker-api.ts";
import type { SweepAsk } from "../panels/panel-events.ts";
import { sweepSamples, sweepStrengths } from "../panels/sweep-model.ts";
import { textChoice } from "../panels/text-picker-model.ts";
import type { Fetched } from "../parts/fetched.ts";
import { type AskedOnce, viewOf } from "./asked-once.ts";
import type { DeskLink } from "./desk-link.ts";
import { keepNewest } from "./keep-newest.ts";
import { chosenScheme } from "./lab-state.ts";
import type { LabStore } from "./lab-store.ts";
import { type LayersState, NO_LAYERS, sweepKey } from "./layers-state.ts";
import { calibratedRules, heldAgainst } from "./run-rules.ts";

/** Strips kept: a quarter of a megabyte each. */
const MAX_STRIPS = 16;

/** Recipes whose error along depth is kept. */
const MAX_DEPTHS = 16;

/** Sweeps that are kept. */
const MAX_SWEEPS = 24;

/** The window whose tokens a strip shows. */
const STRIP_WINDOW = 0;

/** What sweeps do, for messages. */
const SWEEPING: Readonly<Record<SweepKind, string>> = {
  strengths: "sweeping the strength of SmoothQuant",
  samples: "sweeping the number of calibration samples",
  salient: "keeping salient channels",
};

/** Offers a file for saving. */
export type OfferFile = (file: Blob, name: string) => void;

/** What is asked about the layers of the model as it runs. */
export class LayersDesk {
  readonly #store: LabStore;
  readonly #link: DeskLink;
  readonly #offerFile: OfferFile;

  constructor(store: LabStore, link: DeskLink, offerFile: OfferFile) {
    this.#store = store;
    this.#link = link;
    this.#offerFile = offerFile;
  }

  /** Another model: nothing of the one before holds. */
  forget(): void {
    this.#store.set({ layers: NO_LAYERS });
  }

  /** Follows the error of the chosen recipe over the asked text. */
  async followDepth(): Promise<void> {
    const { asked: rules, text } = this.#store.state;
    const scheme = chosenScheme(this.#store.state)?.scheme;
    if (scheme === undefined) return;
    const keep = (view: Fetched<DepthResult>): void => {
      const asked: AskedOnce<DepthResult> = { rules, text, view };
      this.#set({ depths: keepNewest(this.#layers.depths, scheme, asked, MAX_DEPTHS) });
    };
    keep({ state: "waiting", soFar: null });
    const doing = "following the error along depth";
    const end = await this.#link.run("following", scheme, doing, async (call) => {
      const run = await this.#link.rules(rules);
      const prepared = await call("preparing text", (api) => api.prepareText(textChoice(text)));
      return await call(doing, (api) => api.depth({ ...run, scheme, text: prepared }));
    });
    keep(viewOf(end, null));
  }

  setSweep(sweepAsk: SweepAsk): void {
    this.#set({ sweepAsk });
  }

  /** Runs the chosen recipe with one thing of it varied, on windows of the asked text. One that is stopped leaves what was there. */
  async sweep(kind: SweepKind): Promise<void> {
    const { asked: rules, text } = this.#store.state;
    const { sweepAsk: ask, sweeps } = this.#layers;
    const scheme = chosenScheme(this.#store.state)?.scheme;
    if (scheme === undefined) return;
    const key = sweepKey(kind, scheme);
    const before = sweeps.get(key);
    const keep = (asked: AskedOnce<SweepResult>): void =>
      this.#set({ sweeps: keepNewest(this.#layers.sweeps, key, asked, MAX_SWEEPS) });
    const waiting: AskedOnce<SweepResult> = { rules, text, view: { state: "waiting", soFar: null } };
    keep(waiting);
    const doing = SWEEPING[kind];
    const end = await this.#link.run("sweeping", scheme, doing, async (call): Promise<SweepResult> => {
      const run = await calibratedRules(rules, call);
      const choice = { ...textChoice({ ...text, windows: ask.windows }), ...heldAgainst(run) };
      const prepared = await call("preparing text", (api) => api.prepareText(choice));
      const request = { ...run, scheme, text: prepared };
      switch (kind) {
        case "strengths":
          return await call(doing, (api) => api.sweepStrength({ ...request, strengths: sweepStrengths(ask) }));
        case "samples": {
          const counts = sweepSamples(ask, run.calibration.windows.length);
          return await call(doing, (api) => api.sampleCurve({ ...request, ...(counts && { counts }) }));
        }
        case "salient":
          return await call(doing, (api) => api.salientChannels({ ...request, share: ask.share }));
      }
    });
    // Another model may have come, or the same have been asked anew.
    if (this.#layers.sweeps.get(key) !== waiting) return;
    const view = viewOf(end, null);
    keep(view.state === "none" && before?.view.state === "ready" ? before : { rules, text, view });
  }

  /** Collects what goes into every linear layer over the asked text. */
  async collect(): Promise<void> {
    const { text } = this.#store.state;
    const keep = (view: Fetched<ActivationReport>): void =>
      this.#set({ activations: { rules: null, text, view }, strips: new Map() });
    keep({ state: "waiting", soFar: null });
    const doing = "collecting activations";
    const end = await this.#link.run("collecting", doing, doing, async (call) => {
      const prepared = await call("preparing text", (api) => api.prepareText(textChoice(text)));
      this.#set({ text: prepared });
      return await call(doing, (api) => api.activations(prepared));
    });
    keep(viewOf(end, null));
  }

  /** Takes statistics that were collected before. */
  async openStatistics(file: File): Promise<void> {
    const keep = (view: Fetched<ActivationReport>): void =>
      this.#set({ activations: { rules: null, text: null, view }, strips: new Map() });
    keep({ state: "waiting", soFar: null });
    const doing = "reading activation statistics";
    const end = await this.#link.run("collecting", file.name, doing, (call) =>
      call(doing, (api) => api.readActivations(file)),
    );
    keep(viewOf(end, null));
  }

  /** Offers the statistics that are shown as one file. */
  saveStatistics(): Promise<void> {
    return this.#save("writing activation statistics", "activations.safetensors", (api) => api.activationsFile());
  }

  /** Offers their sums of squares as an importance matrix of llama.cpp. */
  saveImportance(): Promise<void> {
    return this.#save("writing an importance matrix", "imatrix.gguf", (api) => api.importanceFile());
  }

  async #save(
    doing: string,
    ending: string,
    write: (api: Comlink.Remote<WorkerApi>) => Promise<Outcome<Uint8Array<ArrayBuffer>>>,
  ): Promise<void> {
    const { activations } = this.#layers;
    if (activations.view.state !== "ready") return;
    const { model } = activations.view.result;
    const end = await this.#link.run("collecting", model, doing, (call) => call(doing, write));
    if (end !== null && "result" in end) {
      const plain = model.replaceAll(/[^A-Za-z0-9._-]+/g, "_");
      this.#offerFile(new Blob([end.result]), `${plain}-${ending}`);
    }
  }

  /** Looks at what goes into one layer, token by token of the first window. */
  async showStrip(module: string): Promise<void> {
    const { text: asked } = this.#store.state;
    const { text } = this.#layers;
    const keep = (view: Fetched<ActivationStrip>): void =>
      this.#set({ strips: keepNewest(this.#layers.strips, module, view, MAX_STRIPS) });
    keep({ state: "waiting", soFar: null });
    const doing = "looking at activations";
    const end = await this.#link.run("stripping", module, doing, async (call) => {
      const prepared = text ?? (await call("preparing text", (api) => api.prepareText(textChoice(asked))));
      this.#set({ text: prepared });
      return await call(doing, (api) => api.strip(module, prepared, STRIP_WINDOW));
    });
    keep(viewOf(end, null));
  }

  get #layers(): LayersState {
    return this.#store.state.layers;
  }

  #set(change: Partial<LayersState>): void {
    this.#store.set({ layers: { ...this.#layers, ...change } });
  }
}
