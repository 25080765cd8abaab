import { html, LitElement, nothing, type TemplateResult } from "lit";
import { query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { asLabError } from "../../base/errors.ts";
import type { ModelSummary } from "../../engine/result.ts";
import { EVALUATION_TEXTS } from "../../engine/text-api.ts";
import type { TokenAt } from "../../engine/word-statistics.ts";
import "../panels/command-palette.ts";
import type { LabChart } from "../charts/lab-chart.ts";
import type { LabCommandPalette } from "../panels/command-palette.ts";
import type { LabErrorMap } from "../panels/error-map.ts";
import "../panels/headline.ts";
import "../panels/keys-dialog.ts";
import type { LabKeysDialog } from "../panels/keys-dialog.ts";
import type { FrontierBy, PanelEvents, Surface } from "../panels/panel-events.ts";
import "../panels/run-bar.ts";
import { runBar } from "../panels/run-bar-model.ts";
import type { LabTextPicker } from "../panels/text-picker.ts";
import { textOfDrop } from "../panels/text-picker-model.ts";
import "../panels/top-bar.ts";
import type { LabTopBar } from "../panels/top-bar.ts";
import type { LabWordText } from "../panels/word-text.ts";
import { keyNames } from "../parts/key-names.ts";
import { offerFile } from "../parts/offer-file.ts";
import { choiceOf, filesOfDrop, type PickedFile } from "../parts/picked-files.ts";
import { baseStyles, controlStyles, figureStyles } from "../parts/shared-styles.ts";
import { answerOf } from "./answers.ts";
import { keepArchive } from "./archive-download.ts";
import { type Command, type CommandTarget, commands } from "./commands.ts";
import { KeyMap } from "./key-map.ts";
import { appStyles } from "./lab-app-styles.ts";
import { LabController } from "./lab-controller.ts";
import {
  chosenScheme,
  FIRST_MODEL,
  isMeasurementOld,
  isStale,
  type LabState,
  runState,
  situation,
} from "./lab-state.ts";
import { LabStore } from "./lab-store.ts";
import { startWorker } from "./start-worker.ts";
import { surface } from "./surfaces.ts";
import { restoreTheme, toggleTheme } from "./theme.ts";
import "./tip-layer.ts";
import { WorkerBridge } from "./worker-bridge.ts";

/** The page: meets its panels, gives them state, hands their wishes to the controller. */
export class LabApp extends LitElement implements CommandTarget {
  readonly #store = new LabStore();
  readonly #bridge = new WorkerBridge({
    createWorker: startWorker,
    device: () => this.#store.state.deviceChoice,
    onEvent: (event) => this.#controller.hear(event),
    onLost: (error) => this.#controller.lost(error),
  });
  readonly #controller: LabController = new LabController(this.#store, this.#bridge, keepArchive, offerFile);
  @state() private isDropping = false;
  @query("lab-keys-dialog") private keys!: LabKeysDialog;
  @query("lab-command-palette") private palette!: LabCommandPalette;
  @query("lab-top-bar") private topBar!: LabTopBar;
  readonly #keyMap = new KeyMap();

  static override styles = [baseStyles, controlStyles, figureStyles, appStyles];

  constructor() {
    super();
    const on = <Name extends keyof PanelEvents>(name: Name, act: (detail: PanelEvents[Name]) => unknown): void => {
      this.addEventListener(name, (event) => void act((event as CustomEvent<PanelEvents[Name]>).detail));
    };
    on("lab-open", (choice) => this.#controller.open(choice));
    on("lab-open-files", (files) => this.#openFiles(Promise.resolve(files)));
    on("lab-compare", () => this.compare());
    on("lab-measure", () => this.measure());
    on("lab-set-text", (text) => this.#controller.setText(text));
    on("lab-use-bundled-text", () => this.#controller.setSource({ kind: "bundled", names: EVALUATION_TEXTS }));
    on("lab-pick-text", () => this.pickText());
    on("lab-set-against", (files) => this.#setAgainst(files));
    on("lab-reset-measurement", () => this.#controller.resetMeasurement());
    on("lab-show-by", (by) => this.showBy(by));
    on("lab-forget", () => this.forget());
    on("lab-cancel", () => this.cancel());
    on("lab-export", () => this.export());
    on("lab-pick-scheme", (scheme) => this.pickScheme(scheme));
    on("lab-pick-module", (module) => {
      this.#controller.pickModule(module);
      if (this.state.surface === "model") this.show("layers");
    });
    on("lab-pick-other", (scheme) => this.#controller.pickOther(scheme));
    on("lab-swap", () => this.swap());
    on("lab-split", (isSplit) => this.setSplit(isSplit));
    on("lab-pick-role", (role) => this.#store.set({ role }));
    on("lab-view-errors", (errorView) => this.#store.set({ errorView }));
    on("lab-need-errors", ({ recipe, part }) => this.#controller.needErrors(recipe, part));
    on("lab-command", (id) =>
      commands(this)
        .find((command) => command.id === id)
        ?.run(),
    );
    on("lab-show-palette", () => this.showPalette());
    on("lab-set-plan", (plan) => this.#controller.setPlan(plan));
    on("lab-use-device", (device) => void this.#controller.useDevice(device));
    on("lab-set-rules", (rules) => this.#controller.setRules(rules));
    on("lab-pick-token", (token) => this.pickToken(token));
    on("lab-look", () => void this.#controller.words.look());
    on("lab-show-window", (window) => this.#controller.words.showWindow(window));
    on("lab-set-healing", (healing) => this.#controller.words.set({ healing }));
    on("lab-heal", () => this.heal());
    on("lab-set-generation", (generationAsk) => this.#controller.words.set({ generationAsk }));
    on("lab-generate", () => this.generate());
    on("lab-set-task-file", (taskFile) => this.#controller.words.set({ taskFile }));
    on("lab-answer", () => this.answer());
    on("lab-follow-depth", () => void this.#controller.layers.followDepth());
    on("lab-set-sweep", (sweepAsk) => this.#controller.layers.setSweep(sweepAsk));
    on("lab-sweep", (kind) => void this.#controller.layers.sweep(kind));
    on("lab-collect-activations", () => void this.#controller.layers.collect());
    on("lab-open-statistics", (file) => void this.#controller.layers.openStatistics(file));
    on("lab-save-statistics", () => void this.#controller.layers.saveStatistics());
    on("lab-save-importance", () => void this.#controller.layers.saveImportance());
    on("lab-show-strip", (module) => void this.#controller.layers.showStrip(module));
    on("lab-dismiss-failure", () => this.#controller.dismissFailure());
    on("lab-toggle-theme", () => this.toggleTheme());
    on("lab-show-keys", () => this.showKeys());
  }

  get state(): LabState {
    return this.#store.state;
  }

  show(surface: Surface): void {
    window.location.hash = surface;
  }

  pickFolder(): void {
    this.topBar.pickFolder();
  }

  openBundled(name: string): void {
    void this.#controller.open({ kind: "bundled", name });
  }

  compare(): void {
    void this.#controller.compare();
  }

  measure(): void {
    void this.#controller.measure();
  }

  pickText(): void {
    this.show("measure");
    this.renderRoot.querySelector<LabTextPicker>("lab-text-picker")?.pickFile();
  }

  showBy(by: FrontierBy): void {
    this.#store.set({ frontierBy: by });
  }

  forget(): void {
    void this.#controller.forget();
  }

  cancel(): void {
    this.#controller.cancel();
  }

  export(): void {
    void this.#controller.export();
  }

  pickScheme(scheme: string): void {
    this.#controller.pickScheme(scheme);
  }

  swap(): void {
    this.#controller.swap();
  }

  setSplit(isSplit: boolean): void {
    this.#controller.setSplit(isSplit);
  }

  pickModule(module: string): void {
    this.#controller.pickModule(module);
  }

  pickToken(token: TokenAt): void {
    this.#controller.words.pick(token);
  }

  showWindow(window: number): void {
    this.#controller.words.showWindow(window);
  }

  focusToken(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<LabWordText>("lab-word-text")?.focusChosen());
  }

  heal(): void {
    void this.#controller.words.heal();
  }

  generate(): void {
    void this.#controller.words.generate();
  }

  answer(): void {
    void this.#controller.words.answer();
  }

  actOnChart(key: string): void {
    this.#charts()[0]?.act(key);
  }

  actOnErrors(key: string): void {
    this.renderRoot.querySelector<LabErrorMap>("lab-error-map")?.act(key);
  }

  toggleTheme(): void {
    toggleTheme();
  }

  showKeys(): void {
    this.keys.lines = keyLines(commands(this));
    this.keys.show();
  }

  showPalette(): void {
    this.palette.commands = commands(this);
    this.palette.show();
  }

  /** Pictures of the surface, in reading order. Each lies in the shadow of its panel. */
  #charts(): readonly LabChart[] {
    const panels = this.renderRoot.querySelectorAll("main *");
    return [...panels].flatMap((panel) => [...(panel.shadowRoot?.querySelectorAll<LabChart>("lab-chart") ?? [])]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    restoreTheme();
    this.#store.subscribe(() => this.requestUpdate());
    this.#follow();
    window.addEventListener("hashchange", this.#follow);
    window.addEventListener("keydown", this.#key);
    window.addEventListener("dragover", this.#dragOver);
    window.addEventListener("dragleave", this.#dragLeave);
    window.addEventListener("drop", this.#drop);
    void this.#controller.open(FIRST_MODEL);
  }

  protected override render(): TemplateResult {
    const { state } = this;
    const { shown, model, job, measured } = state;
    const chosen = chosenScheme(state);
    const run = runState(state);
    const { percent } = runBar(run, shown);
    document.title = percent === "" ? "Quantization Lab" : `${percent} · Quantization Lab`;
    return html`
      <lab-top-bar .model=${job?.kind === "opening" ? null : model} .pendingName=${job?.name ?? "Open a model"} .surface=${state.surface}></lab-top-bar>
      <main class=${job !== null ? "" : `${isStale(state) ? "stale" : ""} ${isMeasurementOld(state) ? "old-text" : ""}`.trim()} aria-busy=${job !== null}>
        <lab-headline .situation=${situation(state)} .shown=${shown} .chosen=${chosen} .answer=${answerOf(state)} .measured=${measured?.result ?? null}></lab-headline>
        ${model === null ? nothing : warnings(model)}
        ${guard(withoutProgress(state), () => surface(state, this.#begin()))}
        ${foot(model)}
      </main>
      <lab-run-bar .run=${run} .shown=${shown} .device=${state.device}></lab-run-bar>
      <lab-keys-dialog></lab-keys-dialog>
      <lab-command-palette></lab-command-palette>
      <lab-tip-layer></lab-tip-layer>
      ${
        this.isDropping
          ? html`<div class="drop"><p>Drop a model's folder, or a text to measure on<span class="small">It is read on this machine and sent nowhere.</span></p></div>`
          : nothing
      }
    `;
  }

  /** What an empty surface offers. */
  #begin(): TemplateResult {
    return html`<div class="actions">
      <button type="button" class="button main" @click=${() => this.pickFolder()}>Open a folder</button>
      <button type="button" class="button" @click=${() => this.#controller.open(FIRST_MODEL)}>Try quantlab-4m</button>
    </div>`;
  }

  /** Shows the surface that the address names. */
  readonly #follow = (): void => {
    const wanted = window.location.hash.slice(1);
    this.#store.set({ surface: SURFACES.find((surface) => surface === wanted) ?? "measure" });
  };

  readonly #key = (event: KeyboardEvent): void => {
    if (event.composedPath().some((node) => node instanceof HTMLDialogElement)) return;
    const command = this.#keyMap.find(event, commands(this));
    if (command === null) return;
    event.preventDefault();
    command.run();
  };

  readonly #dragOver = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes("Files") !== true) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.isDropping = true;
  };

  readonly #dragLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.isDropping = false;
  };

  readonly #drop = (event: DragEvent): void => {
    this.isDropping = false;
    if (event.dataTransfer === null) return;
    event.preventDefault();
    void this.#openFiles(filesOfDrop(event.dataTransfer));
  };

  #setAgainst(files: readonly PickedFile[] | null): void {
    try {
      this.#controller.setAgainst(files === null ? null : choiceOf(files));
    } catch (thrown) {
      this.#controller.refuse(asLabError(thrown, "opening a folder"));
    }
  }

  async #openFiles(files: Promise<readonly PickedFile[]>): Promise<void> {
    try {
      const found = await files;
      const text = textOfDrop(found);
      if (text === null) await this.#controller.open(choiceOf(found));
      else {
        this.#controller.setSource({ kind: "file", file: text });
        this.show("measure");
      }
    } catch (thrown) {
      this.#controller.refuse(asLabError(thrown, "opening a folder"));
    }
  }
}

/** What a surface is drawn from: progress comes ten times a second and only the bar shows it. */
function withoutProgress({ job, ...rest }: LabState): unknown[] {
  return [...Object.values(rest), job?.kind, job?.name];
}

const SURFACES: readonly Surface[] = ["model", "measure", "layers", "words"];

/** Commands that have keys, for the list of keys. */
function keyLines(known: readonly Command[]): readonly { readonly keys: readonly string[]; readonly words: string }[] {
  return known.flatMap(({ key, words }) => (key === null || key === "Escape" ? [] : [{ keys: keyNames(key), words }]));
}

function warnings(model: ModelSummary): TemplateResult | typeof nothing {
  const found = model.notices.filter((notice) => notice.severity === "warning");
  if (found.length === 0) return nothing;
  return html`<ul class="warnings">${found.map((notice) => html`<li><bdi>${notice.text}</bdi></li>`)}</ul>`;
}

function foot(model: ModelSummary | null): TemplateResult {
  const notices = model?.notices.filter((notice) => notice.severity === "info") ?? [];
  return html`<footer class="foot">
    ${notices.map((notice) => html`<p><bdi>${notice.text}</bdi></p>`)}
    <p>● measured here &ensp;ƒ computed &ensp;§ looked up &ensp;✎ yours to change. Nothing is uploaded: the page may speak to its own origin only.</p>
  </footer>`;
}

customElements.define("lab-app", LabApp);
