import { html, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import type { LabErrorData } from "../../base/errors.ts";
import { formatCount } from "../../base/format.ts";
import type { ActivationReport, ActivationStrip } from "../../engine/diagnosis-api.ts";
import { activationSpectrumChart } from "../charts/activation-spectrum.ts";
import { activationStripChart } from "../charts/activation-strip.ts";
import "../charts/lab-chart.ts";
import { failureWords, type JobState } from "../parts/job-state.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles, tableStyles } from "../parts/shared-styles.ts";
import { tableHeadStyles } from "../parts/table-head-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import {
  ACTIVATION_COLUMNS,
  type ActivationRow,
  type ActivationSort,
  activationRows,
  EXAMPLE_ROWS,
  LOUDEST_FIRST,
  MODULE_COLUMN,
  nextActivationSort,
  RATIO_COLUMN,
  reportCaption,
  rowOf,
  shortModule,
  sortedActivations,
  spectrumOf,
  stripOf,
} from "./activation-model.ts";
import { activationStyles } from "./activation-styles.ts";
import { emit } from "./panel-events.ts";

const SPECTRUM_HEIGHT = 300;
const SPECTRUM_UNIT = "largest |x| of each channel · log scale";
const WAITS = "waits until what runs is done";

/**
 * What goes into the linear layers of the original: which channels are loud, and when.
 * @fires lab-collect-activations, lab-show-strip, lab-open-statistics, lab-save-statistics, lab-save-importance, lab-pick-module
 */
export class LabActivationPanel extends TurnElement {
  @property({ attribute: false }) report: ActivationReport | null = null;
  @property() state: JobState = "none";
  @property({ attribute: false }) error: LabErrorData | null = null;
  /** The chosen module; null: that of the loudest input is shown. */
  @property() selected: string | null = null;
  /** Of any module; shown where it is of the chosen one. */
  @property({ attribute: false }) strip: ActivationStrip | null = null;
  @property() stripState: JobState = "none";
  @property({ attribute: false }) stripError: LabErrorData | null = null;
  /** Another job runs: nothing can be asked. */
  @property({ type: Boolean }) isBlocked = false;
  @state() private sort: ActivationSort = LOUDEST_FIRST;
  @query("input[type=file]") private input!: HTMLInputElement;

  static override styles = [baseStyles, controlStyles, tableStyles, tableHeadStyles, activationStyles];

  protected override render(): TemplateResult {
    const { report } = this;
    const isOld = this.state === "stale" && report !== null;
    return html`<section class=${isOld ? "old" : ""} aria-label="Activations">
      ${report === null ? this.#empty() : this.#report(report)}
      ${
        this.state === "failed"
          ? html`<p class="job" role="alert"><b>✕</b> No statistics: <bdi class="small">${failureWords(this.error)}</bdi></p>`
          : nothing
      }
      ${report === null ? this.#actions("actions") : nothing}
      <input type="file" hidden accept=".safetensors" aria-label="File of activation statistics" @change=${this.#picked} />
    </section>`;
  }

  #empty(): TemplateResult {
    const isBusy = this.state === "busy";
    return html`<p class="caption">${isBusy ? "Collecting what goes into each layer." : "Which channels are loud?"}
        <span>A text runs through the original; what goes into each linear layer is added up channel by channel.${isBusy ? "" : " Here dimmed, what it says of quantlab-4m-loud."}</span></p>
      ${
        isBusy
          ? html`<div class="waits" role="status"><span>Collecting</span></div>`
          : html`<div class="example" aria-hidden="true"><div class="scroll"><table>
              <thead><tr><th class="left">${MODULE_COLUMN}</th>${ACTIVATION_COLUMNS.map(({ name }) => html`<th>${name}</th>`)}</tr></thead>
              <tbody>${EXAMPLE_ROWS.map(
                ([name, ...figures]) =>
                  html`<tr><th>${name}</th>${figures.map((figure) => html`<td>${figure}</td>`)}</tr>`,
              )}</tbody>
            </table></div></div>`
      }`;
  }

  #report(report: ActivationReport): TemplateResult {
    const rows = activationRows(report);
    const sorted = sortedActivations(rows, this.sort);
    const shown = rowOf(rows, this.selected) ?? sortedActivations(rows, LOUDEST_FIRST)[0] ?? null;
    const caption = reportCaption(report);
    const mark =
      report.origin === "measured"
        ? wordsMark("●", `Measured here over ${formatCount(report.tokens)} tokens, in float32`)
        : wordsMark("§", "Looked up: read from a file of statistics of the same weights");
    return html`<div class="head">
        <p class="caption"><bdi>${caption.strong}</bdi> <span><bdi>${caption.plain}</bdi>${mark}</span></p>
        ${this.#actions("choice")}
      </div>
      <div class="both">
        <div class="rows scroll" role="region" aria-label="Inputs of the linear layers" tabindex="0">${this.#table(sorted, shown)}</div>
        ${
          shown === null
            ? nothing
            : html`<lab-chart .chart=${activationSpectrumChart} .data=${spectrumOf(shown)} .height=${SPECTRUM_HEIGHT}
                .name=${"Spectrum of activations"} .subject=${`${report.model} ${shown.name}`} .note=${SPECTRUM_UNIT}><span slot="note">${SPECTRUM_UNIT}${mark}</span></lab-chart>`
        }
      </div>
      ${shown === null ? nothing : this.#strip(report, shown)}`;
  }

  #table(rows: readonly ActivationRow[], shown: ActivationRow | null): TemplateResult {
    const direction = (name: string): ActivationSort["direction"] | typeof nothing =>
      this.sort.column === name ? this.sort.direction : nothing;
    const head = (name: string): TemplateResult => {
      const press = (): void => {
        this.sort = nextActivationSort(this.sort, name);
      };
      const own = direction(name);
      const arrow = own === nothing ? nothing : own === "ascending" ? "↑" : "↓";
      return html`<button type="button" class="sort" @click=${press}>${name}<span class="arrow" aria-hidden="true">${arrow}</span></button>`;
    };
    return html`<table class="cards">
      <thead><tr>
        <th class="left" scope="col" aria-sort=${direction(MODULE_COLUMN)}>${head(MODULE_COLUMN)}</th>
        ${ACTIVATION_COLUMNS.map(
          ({ name, unit, about }) =>
            html`<th scope="col" aria-sort=${direction(name)}>${head(name)}${wordsMark("?", about)}<span class="unit">${unit}</span></th>`,
        )}
      </tr></thead>
      <tbody>${rows.map((row) => this.#row(row, row.modules[0] === shown?.modules[0]))}</tbody>
    </table>`;
  }

  #row({ name, others, modules, layer }: ActivationRow, isShown: boolean): TemplateResult {
    const pick = (): void => emit(this, "lab-pick-module", modules[0] ?? "");
    const [loudest] = layer.outliers;
    return html`<tr class=${isShown ? "picked" : ""}>
      <th scope="row"><button type="button" class="name" aria-pressed=${isShown} @click=${pick}><b>${name}</b><span class="others"> ${others.join(" ")}</span></button></th>
      ${ACTIVATION_COLUMNS.map(
        (column) =>
          html`<td data-head=${column.name}>${
            column.name === RATIO_COLUMN && loudest !== undefined
              ? html`<span class="channel">${formatCount(loudest.channel)} · </span>`
              : nothing
          }${column.text(layer)}</td>`,
      )}
    </tr>`;
  }

  #strip(report: ActivationReport, shown: ActivationRow): TemplateResult {
    const { strip, stripState } = this;
    const own = strip !== null && shown.modules.includes(strip.module) ? strip : null;
    const module = modulesOf(shown, this.selected);
    const ask = (): void => {
      if (!this.isBlocked) emit(this, "lab-show-strip", module);
    };
    const button = (words: string): TemplateResult =>
      html`<div class="actions"><button type="button" class="button" aria-disabled=${this.isBlocked} @click=${ask}>${words}</button>
        <span class="small">${this.isBlocked ? WAITS : `looks at ${shortModule(module)} over one window`}</span></div>`;
    if (stripState === "busy" && own === null) {
      return html`<div class="waits" role="status"><span>Looking at ${shortModule(module)} token by token</span></div>`;
    }
    if (own === null) {
      return html`<div class="strip">
        ${
          stripState === "failed"
            ? html`<p class="job" role="alert"><b>✕</b> It could not be looked at: <bdi class="small">${failureWords(this.stripError)}</bdi></p>`
            : nothing
        }
        ${button(stripState === "failed" ? "Try again" : "Token by token")}
      </div>`;
    }
    return html`<div class="strip">
      <lab-chart .chart=${activationStripChart} .data=${stripOf(own)} .name=${"Activations token by token"}
        .subject=${`${report.model} ${shown.name}`} .note=${"magnitude of each token and channel, log colour · stronger is louder"}>
        <span slot="note">what goes into ${shown.name}: tokens down, channels across · stronger is louder${wordsMark("●", `Measured here: ${formatCount(own.tokens)} tokens of window ${formatCount(own.window)}, in float32`)}</span></lab-chart>
      ${stripState === "stale" ? button("Look again") : nothing}
    </div>`;
  }

  /** Buttons: below where there is nothing yet, small beside the caption where there is something. */
  #actions(place: "actions" | "choice"): TemplateResult {
    const { report } = this;
    const isBusy = this.isBlocked || this.state === "busy";
    const button = (words: string, look: string, act: () => void, isOff = isBusy): TemplateResult => {
      const press = (): void => {
        if (!isOff) act();
      };
      return html`<button type="button" class=${place === "actions" ? look : ""} aria-disabled=${isOff} @click=${press}>${words}</button>`;
    };
    const verb = report === null ? (this.state === "failed" ? "Try again" : "Collect") : "Collect again";
    const words = isBusy ? WAITS : this.state === "stale" ? "of another text than is chosen now" : "";
    return html`<div class=${place} role="group" aria-label="Statistics of activations">
      ${words === "" ? nothing : html`<span class="small">${words}</span>`}
      ${button(verb, "button", () => emit(this, "lab-collect-activations", undefined))}
      ${button("Open statistics file", "button text", () => this.input.click())}
      ${report === null ? nothing : button("Save statistics", "", () => emit(this, "lab-save-statistics", undefined), false)}
      ${report === null ? nothing : button("Save imatrix", "", () => emit(this, "lab-save-importance", undefined), false)}
    </div>`;
  }

  readonly #picked = (): void => {
    const [file] = this.input.files ?? [];
    if (file !== undefined) emit(this, "lab-open-statistics", file);
    // The same file picked again shall be read again.
    this.input.value = "";
  };
}

/** The chosen module where the row has it, else its first. */
function modulesOf({ modules }: ActivationRow, selected: string | null): string {
  return modules.find((module) => module === selected) ?? modules[0] ?? "";
}

customElements.define("lab-activation-panel", LabActivationPanel);
