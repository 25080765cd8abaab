import { html, LitElement, nothing, type TemplateResult } from "lit";
import { query, state } from "lit/decorators.js";
import { asLabError } from "../../base/errors.ts";
import type { ModelSummary } from "../../engine/result.ts";
import "../panels/compare-settings.ts";
import "../panels/export-panel.ts";
import "../panels/gpu-fit.ts";
import "../panels/headline.ts";
import "../panels/keys-dialog.ts";
import type { LabKeysDialog } from "../panels/keys-dialog.ts";
import "../panels/layer-map.ts";
import "../panels/matrix-sheet.ts";
import type { PanelEvents } from "../panels/panel-events.ts";
import "../panels/run-bar.ts";
import { runBar } from "../panels/run-bar-model.ts";
import "../panels/scheme-picker.ts";
import "../panels/scheme-summary.ts";
import "../panels/scheme-table.ts";
import "../panels/throughput.ts";
import "../panels/top-bar.ts";
import type { LabTopBar } from "../panels/top-bar.ts";
import { choiceOf, filesOfDrop, type PickedFile } from "../parts/picked-files.ts";
import { baseStyles, controlStyles, figureStyles } from "../parts/shared-styles.ts";
import { keepArchive } from "./archive-download.ts";
import { appStyles } from "./lab-app-styles.ts";
import { LabController } from "./lab-controller.ts";
import { chosenScheme, exportBlocked, FIRST_MODEL, isStale, runState, situation } from "./lab-state.ts";
import { LabStore } from "./lab-store.ts";
import { startWorker } from "./start-worker.ts";
import { restoreTheme, toggleTheme } from "./theme.ts";
import "./tip-layer.ts";
import { WorkerBridge } from "./worker-bridge.ts";

/** The page: meets its panels, gives them state, hands their wishes to the controller. */
export class LabApp extends LitElement {
  readonly #store = new LabStore();
  readonly #bridge = new WorkerBridge({
    createWorker: startWorker,
    onEvent: (event) => this.#controller.hear(event),
    onLost: (error) => this.#controller.lost(error),
  });
  readonly #controller: LabController = new LabController(this.#store, this.#bridge, keepArchive);
  @state() private isDropping = false;
  @query("lab-keys-dialog") private keys!: LabKeysDialog;
  @query("lab-top-bar") private topBar!: LabTopBar;

  static override styles = [baseStyles, controlStyles, figureStyles, appStyles];

  constructor() {
    super();
    const on = <Name extends keyof PanelEvents>(name: Name, act: (detail: PanelEvents[Name]) => unknown): void => {
      this.addEventListener(name, (event) => void act((event as CustomEvent<PanelEvents[Name]>).detail));
    };
    on("lab-open", (choice) => this.#controller.open(choice));
    on("lab-open-files", (files) => this.#openFiles(Promise.resolve(files)));
    on("lab-compare", () => this.#controller.compare());
    on("lab-cancel", () => this.#controller.cancel());
    on("lab-export", () => this.#controller.export());
    on("lab-pick-scheme", (scheme) => this.#controller.pickScheme(scheme));
    on("lab-pick-module", (module) => this.#controller.pickModule(module));
    on("lab-set-plan", (plan) => this.#controller.setPlan(plan));
    on("lab-set-rules", (rules) => this.#controller.setRules(rules));
    on("lab-dismiss-failure", () => this.#controller.dismissFailure());
    on("lab-toggle-theme", () => toggleTheme());
    on("lab-show-keys", () => this.keys.show());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    restoreTheme();
    this.#store.subscribe(() => this.requestUpdate());
    window.addEventListener("keydown", this.#key);
    window.addEventListener("dragover", this.#dragOver);
    window.addEventListener("dragleave", this.#dragLeave);
    window.addEventListener("drop", this.#drop);
    void this.#controller.open(FIRST_MODEL);
  }

  protected override render(): TemplateResult {
    const state = this.#store.state;
    const { shown, model, job } = state;
    const chosen = chosenScheme(state);
    const layer = chosen?.layers.find((candidate) => candidate.module === state.module) ?? null;
    const run = runState(state);
    const { percent } = runBar(run, shown);
    document.title = percent === "" ? "Quantization Lab" : `${percent} · Quantization Lab`;
    return html`
      <lab-top-bar .model=${job?.kind === "opening" ? null : model} .pendingName=${job?.name ?? "Open a model"}></lab-top-bar>
      <main class=${isStale(state) && job === null ? "stale" : ""} aria-busy=${job !== null}>
        <lab-headline .situation=${situation(state)} .shown=${shown} .chosen=${chosen}></lab-headline>
        ${model === null ? nothing : warnings(model)}
        <div class="split numbers-of-result">
          <section class="main" aria-label="Where it hurts">
            ${
              chosen === null
                ? this.#blank(job !== null)
                : html`
                    <lab-layer-map
                      .scheme=${chosen}
                      .schemes=${shown?.schemes.map((row) => row.scheme) ?? []}
                      .decoderLayers=${decoderLayers(model)}
                      .selected=${state.module}
                    ></lab-layer-map>
                    <lab-matrix-sheet .layer=${layer} .recipe=${chosen.scheme} .histogram=${state.histogram}></lab-matrix-sheet>
                  `
            }
          </section>
          ${
            chosen === null || shown === null
              ? nothing
              : html`<section class="aside" aria-label="The chosen scheme">
                  <lab-scheme-summary .scheme=${chosen} .model=${shown.model}></lab-scheme-summary>
                  <lab-export-panel
                    .scheme=${chosen.scheme}
                    .promisedBytes=${chosen.fileBytes.value}
                    .blocked=${exportBlocked(state)}
                    .exported=${state.exported}
                  ></lab-export-panel>
                  <lab-gpu-fit
                    .scheme=${chosen.scheme}
                    .fit=${chosen.fit}
                    .plan=${state.plan}
                    .maxPositions=${shown.model.maxPositions}
                  ></lab-gpu-fit>
                </section>`
          }
        </div>
        ${
          shown === null
            ? nothing
            : html`
                <section class="band" aria-label="Schemes">
                  <lab-scheme-table class="numbers-of-result" .result=${shown} .plan=${state.plan} .selected=${chosen?.scheme ?? ""}></lab-scheme-table>
                  <lab-scheme-picker .asked=${state.asked} .isStale=${isStale(state) && job === null}></lab-scheme-picker>
                  <lab-compare-settings .asked=${state.asked}></lab-compare-settings>
                </section>
                <section class="band numbers-of-result" aria-label="Kernels">
                  <lab-throughput .result=${shown} .scheme=${chosen?.scheme ?? ""}></lab-throughput>
                </section>
              `
        }
        ${foot(model)}
      </main>
      <lab-run-bar .run=${run} .shown=${shown} .device=${state.device}></lab-run-bar>
      <lab-keys-dialog></lab-keys-dialog>
      <lab-tip-layer></lab-tip-layer>
      ${
        this.isDropping
          ? html`<div class="drop"><p>Drop a model's folder<span class="small">It is read on this machine and sent nowhere.</span></p></div>`
          : nothing
      }
    `;
  }

  #blank(isBusy: boolean): TemplateResult {
    return html`
      <div class="blank" aria-hidden="true">
        ${Array.from({ length: 7 }, () => html`<span></span>${Array.from({ length: 4 }, () => html`<span class="cell hatched"></span>`)}`)}
      </div>
      ${
        isBusy
          ? nothing
          : html`
              <p class="blank-note">Every matrix of a model will stand here by its error, layer by layer.</p>
              <div class="actions">
                <button type="button" class="button main" @click=${() => this.topBar.pickFolder()}>Open a folder</button>
                <button type="button" class="button" @click=${() => this.#controller.open(FIRST_MODEL)}>Try quantlab-4m</button>
              </div>
            `
      }
    `;
  }

  readonly #key = (event: KeyboardEvent): void => {
    const path = event.composedPath();
    if (path.some((node) => node instanceof HTMLDialogElement)) return;
    const target = path[0];
    const isTyping = target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
    if (event.key === "Escape" && this.#store.state.job !== null) {
      this.#controller.cancel();
    } else if (event.key === "?" && !isTyping && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.keys.show();
    }
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

  async #openFiles(files: Promise<readonly PickedFile[]>): Promise<void> {
    try {
      await this.#controller.open(choiceOf(await files));
    } catch (thrown) {
      this.#controller.refuse(asLabError(thrown, "opening a folder"));
    }
  }
}

function decoderLayers(model: ModelSummary | null): number | null {
  const cache = model?.kvCache;
  return cache === undefined || typeof cache === "string" ? null : cache.layers;
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
