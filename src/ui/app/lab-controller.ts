import { asLabError, type LabError, quote } from "../../base/errors.ts";
import type { DeviceChoice, PlanSettings } from "../../engine/api.ts";
import type { WindowRequest } from "../../engine/error-window.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import { applyPlan } from "../../engine/plan-column.ts";
import type { CompareResult, ExportResult } from "../../engine/result.ts";
import type { RunRules } from "../../engine/roundings.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import type { ModelChoice, WorkerEvent } from "../../engine/worker-api.ts";
import type { ExportedArchive } from "../panels/export-model.ts";
import type { AskedRules } from "../panels/panel-events.ts";
import { textChoice, textFacts } from "../panels/text-picker-model.ts";
import type { AskedText } from "../parts/asked-text.ts";
import type { AskEngine } from "./ask-engine.ts";
import { CloseLook } from "./close-look.ts";
import type { DeskLink } from "./desk-link.ts";
import {
  chosenScheme,
  exportBlocked,
  FIRST_VIEW,
  type Job,
  type MainJob,
  type MeasureAsk,
  otherScheme,
  type SideJob,
  worstModule,
} from "./lab-state.ts";
import type { LabStore } from "./lab-store.ts";
import { LayersDesk, type OfferFile } from "./layers-desk.ts";
import { heldAgainst, runRules, weightCalibration } from "./run-rules.ts";
import { WordsDesk } from "./words-desk.ts";
import type { WorkerBridge } from "./worker-bridge.ts";

/** The part of the bridge that the controller uses. */
export type EngineLink = Pick<WorkerBridge, "start" | "call" | "ask" | "cancel" | "isBusy" | "generation">;

/** Keeps a finished archive for the user under the engine's file name; the one before is let go. */
export type KeepArchive = (archive: File, fileName: string, result: ExportResult) => ExportedArchive;

/** Turns what people ask for into calls of the engine, and what comes back into state. */
export class LabController {
  readonly #store: LabStore;
  readonly #bridge: EngineLink;
  readonly #keepArchive: KeepArchive;
  /** The newest wish. Whatever an older one still brings is dropped. */
  #turn = 0;
  /** What the methods of the comparison that runs are calibrated on. */
  #calibratedOn: File | null = null;
  /** What the measurement that runs was asked for. */
  #measuring: MeasureAsk | null = null;
  /** What its scores are of. */
  #running: { readonly text: PreparedText; readonly rules: RunRules } | null = null;
  readonly #look: CloseLook;
  /** What is asked about the words of the measured text. */
  readonly words: WordsDesk;
  /** What is asked about the layers of the model as it runs. */
  readonly layers: LayersDesk;
  /** What the living worker has open. */
  #opened: { readonly choice: ModelChoice; readonly generation: number } | null = null;

  constructor(store: LabStore, bridge: EngineLink, keepArchive: KeepArchive, offerFile: OfferFile) {
    this.#store = store;
    this.#bridge = bridge;
    this.#keepArchive = keepArchive;
    this.#look = new CloseLook(store, async (doing, invoke) => {
      const { choice } = store.state;
      if (choice !== null) await this.#ensureOpen(choice);
      return await bridge.call(doing, invoke);
    });
    const link: DeskLink = {
      ask: (doing, invoke) => bridge.ask(doing, invoke),
      rules: (asked) => runRules(asked, this.#call),
      run: (kind, name, doing, work) => this.#beside(kind, name, doing, () => work(this.#call)),
    };
    this.words = new WordsDesk(store, link);
    this.layers = new LayersDesk(store, link, offerFile);
  }

  /** Opens a checkpoint and compares it. When it cannot be opened, what is shown stands. */
  async open(choice: ModelChoice): Promise<void> {
    const turn = this.#begin({ kind: "opening", name: choice.name, progress: null });
    try {
      await this.#greet();
      const model = await this.#openInWorker(choice);
      const ledger = await this.#bridge.call(`listing ${quote(choice.name)}`, (api) => api.ledger());
      if (turn !== this.#turn) return;
      this.#look.forget();
      this.words.forget();
      this.layers.forget();
      this.#store.set({ choice, model, ledger, shown: null, module: null, role: null, exported: null });
      this.#store.set({ calibratedOn: null, measured: null, prepared: null, against: null, frontierBy: "weights" });
    } catch (thrown) {
      this.#finish(turn, "opening", asLabError(thrown, `opening ${quote(choice.name)}`));
      return;
    }
    await this.compare();
  }

  /** Compares the open checkpoint under the asked rules. */
  async compare(): Promise<void> {
    const { choice, asked, plan, shown: before, calibratedOn } = this.#store.state;
    if (choice === null) return;
    const turn = this.#begin({ kind: "comparing", name: choice.name, progress: null });
    this.#look.forget();
    this.#calibratedOn = asked.calibration;
    try {
      await this.#greet();
      await this.#ensureOpen(choice);
      const calibration = await weightCalibration(asked, this.#call);
      if (turn !== this.#turn) return;
      const { schemes, arithmetic, ignore } = asked;
      const request = { schemes, arithmetic, ignore, plan, throughput: true, calibration };
      const result = await this.#bridge.call(`comparing ${quote(choice.name)}`, (api) => api.compare(request));
      if (turn !== this.#turn) return;
      this.#show(result);
      this.#finish(turn, "comparing", null, result.outcome === "cancelled" ? "cancelled" : "done");
      this.#select();
      await this.#countKept();
    } catch (thrown) {
      const error = asLabError(thrown, `comparing ${quote(choice.name)}`);
      // What a failed run left half done is worth less than the whole comparison before it.
      if (turn === this.#turn && error.code !== "run/cancelled" && before?.finished === true)
        this.#show(before, calibratedOn);
      this.#finish(turn, "comparing", error);
    }
  }

  /**
   * Prepares the asked text and measures the asked recipes on it. Windows that were measured before are not measured again, so
   * that a stopped measurement goes on, and one with more windows adds them.
   */
  async measure(): Promise<void> {
    const { choice, asked: rules, text, against } = this.#store.state;
    if (choice === null) return;
    const turn = this.#begin({ kind: "measuring", name: choice.name, progress: null });
    this.#measuring = { rules, text, against };
    const doing = `measuring ${quote(choice.name)}`;
    try {
      await this.#greet();
      await this.#ensureOpen(choice);
      const run = await runRules(rules, this.#call);
      const wanted = { ...textChoice(text), ...heldAgainst(run) };
      const prepared = await this.#bridge.call("preparing text", (api) => api.prepareText(wanted));
      if (turn !== this.#turn) return;
      this.#store.set({ prepared: textFacts(prepared) });
      this.#running = { text: prepared, rules: run };
      const request = { ...run, schemes: rules.schemes, served: rules.served, text: prepared };
      const others = against === null ? [] : [against];
      const { result, tokens } = await this.#bridge.call(doing, (api) => api.measure(request, others));
      if (turn !== this.#turn) return;
      if (tokens !== null) this.words.hear(tokens, prepared, run);
      this.#showMeasured(result);
      this.#finish(turn, "measuring", null);
    } catch (thrown) {
      this.#finish(turn, "measuring", asLabError(thrown, doing));
    }
    if (turn !== this.#turn) return;
    this.#look.update();
    await this.#countKept();
  }

  /** What to measure on; nothing runs. */
  setText(text: AskedText): void {
    this.#store.set({ text });
  }

  /** Another text, cut as is usual with it. A failure about the one before is over. */
  setSource(source: AskedText["source"]): void {
    const { text, failure, end, measured } = this.#store.state;
    this.#store.set({ text: { ...text, source, context: null } });
    if (failure?.during === "measuring") this.#store.set({ failure: null, end: measured === null ? "done" : end });
  }

  /** Asks for what the measurement on screen was asked for. */
  resetMeasurement(): void {
    const { measured } = this.#store.state;
    if (measured === null) return;
    const { rules, text, against } = measured.ask;
    this.#store.set({ asked: rules, text, against });
  }

  /** Which checkpoint to measure beside the recipes. */
  setAgainst(against: ModelChoice | null): void {
    this.#store.set({ against });
  }

  /** Lets go of the results that are kept on this machine; what is on screen stays. */
  async forget(): Promise<void> {
    try {
      this.#store.set({ kept: await this.#bridge.call("forgetting results", (api) => api.forget()) });
    } catch (thrown) {
      const error = asLabError(thrown, "forgetting results");
      if (error.code !== "run/cancelled") this.#store.set({ failure: { error: error.toData(), during: "comparing" } });
    }
  }

  /** Writes the chosen scheme under the rules of the shown comparison. */
  async export(): Promise<void> {
    const { choice, shown, calibratedOn } = this.#store.state;
    const scheme = chosenScheme(this.#store.state)?.scheme;
    if (choice === null || shown === null || scheme === undefined || exportBlocked(this.#store.state) !== null) return;
    const turn = this.#begin({ kind: "exporting", name: scheme, progress: null });
    const doing = `exporting ${quote(scheme)}`;
    try {
      await this.#greet();
      await this.#ensureOpen(choice);
      const calibration = await weightCalibration({ schemes: [scheme], calibration: calibratedOn }, this.#call);
      if (turn !== this.#turn) return;
      const { arithmetic, ignore } = shown;
      const request = { scheme, arithmetic, ignore, calibration };
      const { result, archive, fileName } = await this.#bridge.call(doing, (api) => api.exportCheckpoint(request));
      if (turn !== this.#turn) return;
      this.#store.set({ exported: this.#keepArchive(archive, fileName, result) });
      this.#finish(turn, "exporting", null);
    } catch (thrown) {
      this.#finish(turn, "exporting", asLabError(thrown, doing));
    }
  }

  /** Stops what runs. */
  cancel(): void {
    this.#bridge.cancel();
  }

  /** Hands on what the worker says while the present job runs. */
  hear(event: WorkerEvent): void {
    const { job } = this.#store.state;
    if (job === null) return;
    if (event.type === "progress") this.#store.set({ job: { ...job, progress: event.progress } });
    if (event.type === "partial" && job.kind === "comparing") this.#show(event.result);
    if (event.type === "measured" && job.kind === "measuring") this.#showMeasured(event.result);
    if (event.type === "tokens" && job.kind === "measuring" && this.#running !== null) {
      this.words.hear(event.tokens, this.#running.text, this.#running.rules);
    }
    if (event.type === "healed" && job.kind === "healing") this.words.hearHealed(event.result);
  }

  /** The worker was lost. A running job tells so itself. */
  lost(error: LabError): void {
    this.#store.set({ device: null });
    if (this.#store.state.job === null) {
      this.#store.set({ failure: { error: error.toData(), during: "comparing" }, end: "failed" });
    }
    void this.#greet().catch(() => undefined);
  }

  /** Chooses a recipe. Choosing the one to change with changes the two. */
  pickScheme(scheme: string): void {
    const { state } = this.#store;
    const before = chosenScheme(state)?.scheme ?? state.scheme;
    if (otherScheme(state)?.scheme === scheme) this.#store.set({ scheme, other: before, isLeft: !state.isLeft });
    else this.#store.set({ scheme });
    this.#select();
  }

  /** Chooses the recipe to change with. */
  pickOther(scheme: string): void {
    this.#store.set({ other: scheme });
    this.#look.update();
  }

  /** Changes between two recipes; what was looked at of both is kept. */
  swap(): void {
    const other = otherScheme(this.#store.state);
    if (other !== null) this.pickScheme(other.scheme);
  }

  setSplit(isSplit: boolean): void {
    this.#store.set({ isSplit });
    this.#look.update();
  }

  pickModule(module: string): void {
    this.#store.set({ module, errorView: FIRST_VIEW });
    this.#look.update();
  }

  /** Hands on what an error map lacks. */
  needErrors(recipe: string, part: WindowRequest): void {
    void this.#look.readPart(recipe, part);
  }

  /** The planner is pure: its column is filled again without running anything. */
  setPlan(plan: PlanSettings): void {
    const { shown } = this.#store.state;
    this.#store.set({ plan, shown: shown === null ? null : applyPlan(shown, plan) });
  }

  setRules(change: Partial<AskedRules>): void {
    this.#store.set({ asked: { ...this.#store.state.asked, ...change } });
  }

  /** Says where kernels run from the next job on. What is shown stays: the digits are the same. */
  async useDevice(choice: DeviceChoice): Promise<void> {
    const before = this.#store.state.deviceChoice;
    this.#store.set({ deviceChoice: choice });
    try {
      const device = await this.#bridge.call("choosing where to compute", (api) => api.useDevice(choice));
      this.#store.set({ device });
    } catch (thrown) {
      const error = asLabError(thrown, "choosing where to compute");
      this.#store.set({ deviceChoice: before });
      // Whoever stopped what ran before it knows.
      if (error.code !== "run/cancelled") this.#store.set({ failure: { error: error.toData(), during: "comparing" } });
    }
  }

  dismissFailure(): void {
    this.#store.set({ failure: null, end: this.#store.state.shown === null ? "none" : "done" });
  }

  /** Shows why files could not even be collected. */
  refuse(error: LabError): void {
    this.#store.set({ failure: { error: error.toData(), during: "opening" } });
  }

  /** Calls the engine. */
  readonly #call: AskEngine = (doing, invoke) => this.#bridge.call(doing, invoke);

  /** Shows where kernels run, once the worker has answered. */
  async #greet(): Promise<void> {
    const device = await this.#bridge.start();
    if (this.#store.state.device !== device) this.#store.set({ device });
  }

  async #openInWorker(choice: ModelChoice) {
    this.#opened = null;
    const model = await this.#bridge.call(`opening ${quote(choice.name)}`, (api) => api.open(choice));
    this.#opened = { choice, generation: this.#bridge.generation };
    return model;
  }

  /** A new worker has nothing open, and a failed opening leaves the one before closed. */
  async #ensureOpen(choice: ModelChoice): Promise<void> {
    if (this.#opened?.choice === choice && this.#opened.generation === this.#bridge.generation) return;
    await this.#openInWorker(choice);
  }

  #begin(job: Job): number {
    if (this.#bridge.isBusy) this.#bridge.cancel();
    this.#store.set({ job, failure: null });
    return ++this.#turn;
  }

  /** Runs a job that concerns one panel alone: that tells what came of it, and the headline stands. */
  async #beside<T>(
    kind: SideJob,
    name: string,
    doing: string,
    work: () => Promise<T>,
  ): Promise<{ readonly result: T } | { readonly error: LabError } | null> {
    const { choice } = this.#store.state;
    const turn = this.#begin({ kind, name, progress: null });
    let end: { readonly result: T } | { readonly error: LabError };
    try {
      await this.#greet();
      if (choice !== null) await this.#ensureOpen(choice);
      end = { result: await work() };
    } catch (thrown) {
      end = { error: asLabError(thrown, doing) };
    }
    if (turn !== this.#turn) return null;
    const how = "result" in end ? "done" : end.error.code === "run/cancelled" ? "cancelled" : "failed";
    this.#store.set({ job: null, lastJob: kind, end: how });
    // What it may have pushed aside.
    this.#look.update();
    return end;
  }

  #finish(turn: number, during: MainJob, error: LabError | null, end: "done" | "cancelled" = "done"): void {
    if (turn !== this.#turn) return;
    const { shown } = this.#store.state;
    this.#store.set({ lastJob: during });
    if (error === null) {
      this.#store.set({ job: null, end });
    } else if (error.code === "run/cancelled") {
      const stopped = shown !== null && !shown.finished ? ({ ...shown, outcome: "cancelled" } as const) : shown;
      this.#store.set({ job: null, end: "cancelled", shown: stopped });
      if (during === "comparing") this.#select();
    } else {
      this.#store.set({ job: null, end: "failed", failure: { error: error.toData(), during } });
    }
  }

  #show(result: CompareResult, calibratedOn = this.#calibratedOn): void {
    this.#store.set({ shown: applyPlan(result, this.#store.state.plan), calibratedOn, exported: null });
  }

  /** The first figures turn the frontier to them; later it stays as it was turned. */
  #showMeasured(result: MeasureResult): void {
    const { measured, frontierBy } = this.#store.state;
    if (this.#measuring === null) return;
    this.#store.set({
      measured: { result, ask: this.#measuring },
      frontierBy: measured === null ? "divergence" : frontierBy,
    });
  }

  /** Asked when nothing runs. Where it cannot be listed, the page has no line about it. */
  async #countKept(): Promise<void> {
    const kept = await this.#bridge.call("listing what is kept", (api) => api.kept()).catch(() => null);
    if (kept !== null) this.#store.set({ kept });
  }

  /** Keeps the chosen matrix where the scheme has it, else takes the worst, and looks at it closely. */
  #select(): void {
    const chosen = chosenScheme(this.#store.state);
    const { module } = this.#store.state;
    const isThere = chosen?.layers.some((layer) => layer.module === module) ?? false;
    if (!isThere) this.#store.set({ module: worstModule(chosen), errorView: FIRST_VIEW });
    // One after the other: the closer look follows when the token was looked at.
    if (this.#store.state.surface === "words") void this.words.look().then(() => this.#look.update());
    else this.#look.update();
  }
}
