import { css, html, nothing, svg, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { LabErrorData } from "../../base/errors.ts";
import type { DepthResult } from "../../engine/diagnosis-api.ts";
import { depthChart } from "../charts/depth-chart.ts";
import "../charts/lab-chart.ts";
import { failureWords, type JobState } from "../parts/job-state.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { depthBasis, depthDataOf, EXAMPLE_DEPTH } from "./depth-model.ts";
import { emit } from "./panel-events.ts";

const HEIGHT = 280;
const EMPTY = "Where does the error come in, and what becomes of it? Dimmed: W8A8 on quantlab-4m-loud.";
const UNIT = "error of the residual stream, % of the signal's power · log scale";

/**
 * How error grows along depth: what each decoder layer inherits, and what it adds.
 * @fires lab-follow-depth: to follow the error of the chosen scheme
 */
export class LabDepthPanel extends TurnElement {
  /** Results by recipe. */
  @property({ attribute: false }) depth: ReadonlyMap<string, DepthResult> = new Map();
  /** The chosen recipe. */
  @property() scheme = "";
  /** Of the chosen recipe. */
  @property() state: JobState = "none";
  @property({ attribute: false }) error: LabErrorData | null = null;
  /** Another job runs: nothing can be asked. */
  @property({ type: Boolean }) isBlocked = false;
  /** Name of the model, for files. */
  @property() model = "";

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s4);
      }
      .legend span {
        display: inline-flex;
        gap: 6px;
        align-items: center;
      }
      .legend svg {
        flex: none;
        color: var(--ink-2);
      }
      .actions {
        margin-top: var(--s2);
      }
      .job {
        margin-top: var(--s2);
      }
      .job b {
        color: var(--fail);
      }
      .stale lab-chart {
        --ink: var(--ink-3);
        --ink-2: var(--ink-3);
        filter: grayscale(1);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const data = depthDataOf(this.depth, this.scheme);
    const chosen = this.depth.get(this.scheme);
    const isStale = this.state === "stale" && chosen !== undefined;
    return html`<div class=${isStale ? "stale" : ""}>
      <lab-chart .chart=${depthChart} .data=${data} .example=${EXAMPLE_DEPTH} .height=${HEIGHT}
        .emptyWords=${this.state === "busy" ? "The error is followed from layer to layer." : EMPTY}
        .name=${"Error along depth"} .subject=${`${this.model} ${this.scheme}`} .note=${data === null ? "" : UNIT} @chart-pick=${this.#pick}>
        ${data === null ? nothing : html`<span slot="note">${UNIT}${chosen === undefined ? nothing : wordsMark("●", `Measured here over ${depthBasis(chosen)}`)}</span>`}
        ${data === null ? nothing : html`<span slot="legend" class="legend">${LEGEND}</span>`}
      </lab-chart>
      ${this.#job(chosen, isStale)}
    </div>`;
  }

  #job(chosen: DepthResult | undefined, isStale: boolean): TemplateResult | typeof nothing {
    if (this.state === "busy") {
      return html`<p class="job small" role="status">Following the error of ${safeName(this.scheme)} through the layers.</p>`;
    }
    const failed =
      this.state === "failed"
        ? html`<p class="job" role="alert"><b>✕</b> The error could not be followed: <bdi class="small">${failureWords(this.error)}</bdi></p>`
        : nothing;
    if (chosen !== undefined && !isStale && this.state !== "failed") return nothing;
    const isOther = chosen === undefined && this.depth.size > 0;
    const verb = this.state === "failed" ? "Try again" : isStale ? "Follow it again" : "Follow the error";
    const words = this.isBlocked
      ? "waits until what runs is done"
      : isStale
        ? "followed with other settings than are chosen now"
        : "";
    const ask = (): void => {
      if (!this.isBlocked) emit(this, "lab-follow-depth", undefined);
    };
    return html`${failed}<div class="actions">
      <button type="button" class="button" aria-disabled=${this.isBlocked} @click=${ask}><span>${verb}${isOther && this.state !== "failed" ? html` of ${safeName(this.scheme)}` : nothing}</span></button>
      <span class="small">${words}</span>
    </div>`;
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    const scheme = event.detail.split(" ").slice(2).join(" ");
    if (this.depth.has(scheme)) emit(this, "lab-pick-scheme", scheme);
  };
}

const LEGEND = html`<span><svg width="26" height="12" aria-hidden="true">${svg`<path d="M1 6H25" stroke="currentColor" stroke-width="2.5"></path><circle cx="13" cy="6" r="4" fill="currentColor"></circle>`}</svg>inherited: fed by the quantized layers before it</span>
  <span><svg width="16" height="12" aria-hidden="true">${svg`<rect width="16" height="12" fill="currentColor" opacity="0.25"></rect><rect width="16" height="3" fill="currentColor"></rect>`}</svg>fresh: what it adds, fed by the original</span>`;

customElements.define("lab-depth-panel", LabDepthPanel);
