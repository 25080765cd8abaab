import { css, html, nothing, svg, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { formatCount, formatDuration } from "../../base/format.ts";
import { hessianWords, type MethodReport, plainWords, type StageReport } from "../../engine/method-words.ts";
import "../charts/lab-chart.ts";
import { methodErrorsChart } from "../charts/method-errors.ts";
import { methodFactorsChart } from "../charts/method-factors.ts";
import { methodGridChart } from "../charts/method-grid.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import {
  calibrationWords,
  errorBasis,
  fallbacksOf,
  type LeftAlone,
  matrixFactsOf,
  methodErrorsOf,
  methodFactorsOf,
  methodGridOf,
  otherWords,
  refusedOf,
  shownMapping,
} from "./method-sheet-model.ts";
import { emit } from "./panel-events.ts";

const HEIGHT = 260;
const ERROR_UNIT = "error of the outputs, % of their power · log scale";
const FACTOR_UNIT = "smallest to largest factor of a channel · log scale";
const GRID_UNIT = "error of the outputs, % of that without factors · log scale";

/**
 * What a recipe's method did, stage by stage: what became of the outputs of each matrix and how well its Hessian was known, or
 * which factors were moved where.
 * @fires lab-pick-module when a matrix of a picture is chosen
 */
export class LabMethodSheet extends TurnElement {
  /** Null: nothing is shown. */
  @property({ attribute: false }) report: MethodReport | null = null;
  /** The open matrix. */
  @property() module: string | null = null;
  /** Names of model and recipe, for files. */
  @property() subject = "";
  /** Mappings that were picked, by stage. */
  @state() private picked: ReadonlyMap<string, string> = new Map();

  static override styles = [
    baseStyles,
    figureStyles,
    css`
      section {
        margin-top: var(--s3);
      }
      h2 {
        margin: 0;
      }
      h3 {
        margin-bottom: var(--s2);
        font: 600 14px/20px var(--sans);
      }
      .pair {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: var(--s5);
      }
      .pair > :only-child {
        grid-column: 1 / -1;
      }
      .meter {
        margin-top: var(--s2);
      }
      h4 {
        margin: var(--s3) 0 var(--s1);
        font: 600 13px/20px var(--sans);
      }
      .numbers {
        grid-template-columns: minmax(0, 2fr) minmax(0, 3fr);
        max-width: 640px;
        line-height: 20px;
      }
      .numbers > * {
        padding-block: 2px;
      }
      .numbers dd {
        overflow-wrap: anywhere;
      }
      .left {
        margin-top: var(--s2);
      }
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
        color: var(--ink);
      }
      .legend .worse {
        color: var(--p11);
      }
      @media (forced-colors: active) {
        .legend svg {
          forced-color-adjust: none;
        }
      }
      @media (max-width: 899px) {
        .pair {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const { report } = this;
    if (report === null) return nothing;
    return html`<h2 class="caption">What the method did <span><bdi>${report.method}</bdi>, on <bdi>${calibrationWords(report)}</bdi></span></h2>
      ${report.stages.map((stage) => this.#stage(stage, report))}`;
  }

  #stage(stage: StageReport, report: MethodReport): TemplateResult {
    const errors = methodErrorsOf(stage, this.module);
    const other = otherWords(stage);
    const fallback = `Left to ${plainWords(stage)}`;
    return html`<section aria-label=${stage.stage}>
      <h3>${stage.stage} <span class="small">${formatDuration(stage.elapsedMs)}${wordsMark("●", `Time of this stage, measured here once, over ${formatCount(report.calibration.tokens)} tokens`)}</span></h3>
      ${
        errors === null
          ? nothing
          : html`<lab-chart .chart=${methodErrorsChart} .data=${errors} .name=${`Output errors by ${stage.stage}`} .subject=${this.subject} .height=${HEIGHT}
              .note=${ERROR_UNIT} @chart-pick=${this.#open}>
              <span slot="note">${ERROR_UNIT}${wordsMark("●", errorBasis(stage, report))}</span>
              <span slot="legend" class="legend">${errorLegend(plainWords(stage), stage)}</span>
            </lab-chart>`
      }
      ${this.#meter(stage, errors === null ? "" : errorBasis(stage, report))}
      ${stage.smoothings.length === 0 ? nothing : this.#smoothing(stage, report)}
      ${other === "" ? nothing : html`<p class="meter">${other}</p>`}
      ${leftTemplate(fallback, fallbacksOf(stage))}
      ${leftTemplate("Left alone", refusedOf(stage))}
    </section>`;
  }

  /** @param basis what the figures of the open matrix stand on; empty where it has no measured ones */
  #meter(stage: StageReport, basis: string): TemplateResult | typeof nothing {
    const sentences = hessianWords(stage.matrices);
    const facts = matrixFactsOf(stage, this.module);
    if (sentences.length === 0 && facts.length === 0) return nothing;
    return html`${
      sentences.length === 0
        ? nothing
        : html`<p class="meter small">${sentences.join(" ")}${wordsMark("ƒ", "Computed in float64 from the Hessian, the mean of x xᵀ over the tokens of the calibration text. The condition is that of its Cholesky factor's diagonal, squared: the true one is no smaller.")}</p>`
    }
    ${facts.length === 0 ? nothing : html`<h4>${safeName(this.module ?? "")}${basis === "" ? nothing : wordsMark("●", basis)}</h4><dl class="numbers">${facts.map(({ name, value }) => html`<dt>${name}</dt><dd><bdi>${value}</bdi></dd>`)}</dl>`}`;
  }

  #smoothing(stage: StageReport, { calibration }: MethodReport): TemplateResult {
    const shown = shownMapping(stage, this.picked.get(stage.stage) ?? null, this.module);
    const factors = methodFactorsOf(stage, shown?.name ?? null);
    const grid = shown === null ? null : methodGridOf(shown);
    const tokens = `${formatCount(calibration.tokens)} tokens of the calibration text`;
    return html`<div class="pair">
      ${
        grid === null
          ? nothing
          : html`<lab-chart .chart=${methodGridChart} .data=${grid} .name=${`Search of ${stage.stage}`} .subject=${this.subject} .height=${HEIGHT} .note=${GRID_UNIT}>
              <span slot="note">${GRID_UNIT}${wordsMark("●", `Measured here behind the layers that read it, over ${tokens}`)}</span>
              <span slot="legend" class="legend">${GRID_LEGEND}</span>
            </lab-chart>`
      }
      <lab-chart .chart=${methodFactorsChart} .data=${factors} .name=${`Factors of ${stage.stage}`} .subject=${this.subject} .height=${HEIGHT}
        .note=${FACTOR_UNIT} @chart-pick=${(event: CustomEvent<string>) => this.#show(event, stage)}>
        <span slot="note">${FACTOR_UNIT}${wordsMark("ƒ", `Computed from the weights and from what goes into them over ${tokens}`)}</span>
      </lab-chart>
    </div>`;
  }

  readonly #open = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    emit(this, "lab-pick-module", event.detail);
  };

  #show(event: CustomEvent<string>, { stage }: StageReport): void {
    event.stopPropagation();
    this.picked = new Map([...this.picked, [stage, event.detail]]);
  }
}

function leftTemplate(what: string, parts: readonly LeftAlone[]): TemplateResult | typeof nothing {
  if (parts.length === 0) return nothing;
  return html`<ul class="left small">${parts.map(({ reason, names }) => html`<li>${what}: <bdi>${names}</bdi>. <bdi>${reason}</bdi>.</li>`)}</ul>`;
}

function errorLegend(plainName: string, { stage, worse }: StageReport): TemplateResult {
  const shape = (body: TemplateResult, kind = ""): TemplateResult =>
    html`<svg class=${kind} width="12" height="12" aria-hidden="true">${body}</svg>`;
  const diamond = (fill: string): TemplateResult =>
    svg`<path d="M6 1L11 6L6 11L1 6Z" fill=${fill} stroke="currentColor" stroke-width="1.5"></path>`;
  return html`<span>${shape(svg`<circle cx="6" cy="6" r="3.5" fill="none" stroke="currentColor" stroke-width="1.5"></circle>`)}${plainName}</span>
    <span>${shape(diamond("currentColor"))}${stage}</span>
    ${worse.length === 0 ? nothing : html`<span>${shape(diamond("none"), "worse")}${stage}, worse</span>`}`;
}

const GRID_LEGEND = html`<span><svg width="26" height="10" aria-hidden="true">${svg`<path d="M0 5H26" stroke="currentColor" stroke-width="1.5"></path><circle cx="13" cy="5" r="3.5" fill="currentColor"></circle>`}</svg>with duo scaling: the weights' size counts too</span>
  <span><svg width="26" height="10" aria-hidden="true">${svg`<path d="M0 5H26" stroke="currentColor" stroke-width="1.5" stroke-dasharray="5 3"></path><circle cx="13" cy="5" r="3.5" fill="none" stroke="currentColor" stroke-width="1.5"></circle>`}</svg>without</span>
  <span><svg width="10" height="10" aria-hidden="true">${svg`<rect x="1" y="1" width="8" height="8" fill="currentColor"></rect>`}</svg>no factors</span>`;

customElements.define("lab-method-sheet", LabMethodSheet);
