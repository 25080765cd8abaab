import { css, html, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { formatBytes, formatCount } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { PlanSettings } from "../../engine/api.ts";
import type { FitResult } from "../../engine/result.ts";
import { MAX_CONTEXT_TOKENS, MAX_SEQUENCES } from "../../planner/fit.ts";
import { GPU_TABLE_SOURCE, GPUS } from "../../planner/gpus.ts";
import { type FitBarData, fitBarChart } from "../charts/fit-bar.ts";
import "../charts/lab-chart.ts";
import { figure, kindMark, wordsMark } from "../parts/number-kind.ts";
import { schemeFamily } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { fitSentence, wholeNumber } from "./gpu-fit-model.ts";
import { emit } from "./panel-events.ts";

const ASSUMED = "Assumed: yours to change";

/** What the chosen scheme means on one GPU: weights, KV cache, what stays free. */
export class LabGpuFit extends TurnElement {
  @property() scheme = "";
  @property({ attribute: false }) fit: FitResult | null = null;
  @property({ attribute: false }) plan: PlanSettings | null = null;
  /** The longest context the model was made for, or null. */
  @property({ type: Number }) maxPositions: number | null = null;
  @state() private wrong: "contextTokens" | "sequences" | null = null;

  static override styles = [
    baseStyles,
    controlStyles,
    figureStyles,
    css`
      .fields {
        display: grid;
        grid-template-columns: minmax(0, 1.5fr) minmax(0, 1fr) minmax(0, 0.8fr);
        gap: var(--s2);
        margin: var(--s3) 0 var(--s2);
      }
      .field {
        display: grid;
        gap: 2px;
        align-content: start;
        font: var(--t-small);
        color: var(--ink-2);
      }
      .field > span {
        white-space: nowrap;
      }
      .fields select,
      .fields input {
        width: 100%;
      }
      .hint {
        margin-top: var(--s2);
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const { fit, plan } = this;
    if (fit === null || plan === null) return nothing;
    return html`
      <lab-chart .chart=${fitBarChart} .data=${barData(fit, this.scheme)} .name=${"Memory of the GPU"} .subject=${`${this.scheme} ${fit.gpu}`}></lab-chart>
      <div class="fields">
        <div class="field">
          <span><label for="gpu">GPU</label>${wordsMark("§", `Looked up: ${GPU_TABLE_SOURCE}`)}</span>
          <select id="gpu" @change=${(event: Event) => this.#set({ ...plan, gpu: (event.target as HTMLSelectElement).value })}>
            ${GPUS.map((gpu) => html`<option value=${gpu.name} .selected=${gpu.name === plan.gpu}>${gpu.name}</option>`)}
          </select>
        </div>
        <div class="field">
          <span><label for="context">Context, tokens</label>${wordsMark("✎", ASSUMED)}</span>
          <input id="context" inputmode="numeric" autocomplete="off" .value=${formatCount(plan.contextTokens)}
            aria-invalid=${this.wrong === "contextTokens"}
            @change=${(event: Event) => this.#number(event, "contextTokens", MAX_CONTEXT_TOKENS)} />
        </div>
        <div class="field">
          <span><label for="sequences">Sequences</label>${wordsMark("✎", ASSUMED)}</span>
          <input id="sequences" inputmode="numeric" autocomplete="off" .value=${formatCount(plan.sequences)}
            aria-invalid=${this.wrong === "sequences"}
            @change=${(event: Event) => this.#number(event, "sequences", MAX_SEQUENCES)} />
        </div>
      </div>
      <dl class="numbers">
        ${row("Weights", fit.weightBytes)}
        ${fit.kvCacheBytes === undefined ? nothing : row("Keys and values", fit.kvCacheBytes)}
        ${row("Usable memory", fit.usableBytes)}
        ${fit.freeBytes === undefined ? nothing : row(fit.fits === false ? "Missing" : "Free, before activations", fit.freeBytes)}
      </dl>
      ${this.#hint(plan)}
    `;
  }

  #hint(plan: PlanSettings): TemplateResult | typeof nothing {
    if (this.wrong !== null) {
      const max = this.wrong === "contextTokens" ? MAX_CONTEXT_TOKENS : MAX_SEQUENCES;
      return html`<p class="small hint" role="alert">Give a whole number from 1 to ${formatCount(max)}; the figures keep the last one.</p>`;
    }
    if (this.maxPositions === null || plan.contextTokens <= this.maxPositions) return nothing;
    return html`<p class="small hint">This model was made for ${formatCount(this.maxPositions)} tokens; the cache is computed for ${formatCount(plan.contextTokens)} all the same.</p>`;
  }

  #number(event: Event, field: "contextTokens" | "sequences", max: number): void {
    const { plan } = this;
    if (plan === null) return;
    const value = wholeNumber((event.target as HTMLInputElement).value, max);
    this.wrong = value === null ? field : null;
    if (value !== null) this.#set({ ...plan, [field]: value });
  }

  #set(plan: PlanSettings): void {
    emit(this, "lab-set-plan", plan);
  }
}

function barData(fit: FitResult, scheme: string): FitBarData {
  return {
    weights: fit.weightBytes.value,
    cache: fit.kvCacheBytes?.value ?? null,
    usable: fit.usableBytes.value,
    family: schemeFamily(scheme),
    caption: fitSentence(scheme, fit),
  };
}

function row(name: string, quantity: Quantity): TemplateResult {
  return html`<dt>${name}${kindMark(quantity)}</dt><dd>${figure(formatBytes(quantity.value))}</dd>`;
}

customElements.define("lab-gpu-fit", LabGpuFit);
