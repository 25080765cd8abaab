import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatBytes, formatCount, formatNumber, formatPercent } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type {
  Divergence,
  MeasureResult,
  MethodGain,
  ServedDivergence,
  UncertainValue,
} from "../../engine/measure-result.ts";
import { methodLines } from "../../engine/method-lines.ts";
import { methodGainWords } from "../../engine/method-words.ts";
import type { ModelSummary, SchemeResult } from "../../engine/result.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { DIVERGENCE_WORDS } from "../parts/metric-words.ts";
import { describeKind, KIND_GLYPHS, kindMark, wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { activationWords, worstLayer } from "./scheme-summary-model.ts";

/** The chosen scheme: two large figures, then the rest. */
export class LabSchemeSummary extends TurnElement {
  @property({ attribute: false }) scheme: SchemeResult | null = null;
  @property({ attribute: false }) model: ModelSummary | null = null;
  /** A measurement of this recipe under these rules. */
  @property({ attribute: false }) measured: MeasureResult | null = null;
  /** It is of another text than is chosen now. */
  @property({ type: Boolean }) isOld = false;

  static override styles = [
    baseStyles,
    figureStyles,
    markStyles,
    css`
      .who {
        display: flex;
        align-items: center;
        gap: var(--s2);
        font: 600 16px/24px var(--sans);
      }
      .line {
        margin-top: var(--s1);
      }
      .note {
        margin-top: var(--s1);
        padding-left: var(--s2);
        border-left: 2px solid var(--line-2);
      }
      .note.warning {
        border-left-color: var(--ink-2);
      }
      .who .mark {
        width: 18px;
        height: 18px;
      }
      .old {
        color: var(--ink-3);
      }
      .big .hatched {
        width: 96px;
        height: 26px;
        margin: 5px 0;
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const scheme = this.scheme;
    if (scheme === null || this.model === null) return nothing;
    const worst = worstLayer(scheme);
    const { measured } = this;
    const row = measured?.rows.find((own) => own.scheme === scheme.scheme && own.method !== "given");
    const divergence = row?.divergence ?? null;
    return html`
      <h2 class="who">${recipeMark(recipeLook(scheme.scheme))}${safeName(scheme.scheme)}</h2>
      <p class="small">
        <bdi>${scheme.description}</bdi>${activationWords(scheme, measured)}
      </p>
      ${scheme.methodRun === null ? nothing : methodLines(scheme.methodRun).map((line) => html`<p class="small line"><bdi>${line}</bdi></p>`)}
      ${row?.gain && measured !== null ? gainTemplate(row.gain, measured, this.isOld) : nothing}
      ${scheme.notices.map((notice) => html`<p class="small note ${notice.severity}"><bdi>${notice.text}</bdi></p>`)}
      <div class="big">
        <div>
          <b>${formatNumber(scheme.smaller.value)}<span class="unit"> ×</span></b>
          <span class="small">smaller: ${formatBytes(scheme.fileBytes.value)} of ${formatBytes(this.model.fileBytes.value)}${kindMark(scheme.smaller)}</span>
        </div>
        <div>
          ${
            measured !== null && divergence !== null
              ? meanKld(divergence, measured, this.isOld)
              : scheme.sqnrDb === undefined
                ? scheme.layers.length < scheme.modules
                  ? html`<div class="hatched"></div><span class="small">signal over error waits</span>`
                  : html`<b class="dim">–</b><span class="small">no finite signal over error</span>`
                : html`<b>${formatNumber(scheme.sqnrDb.value)}<span class="unit"> dB</span></b>
                  <span class="small">signal over error, ${scheme.error === undefined ? "all weights" : "what it can take"}${kindMark(scheme.sqnrDb)}</span>`
          }
        </div>
      </div>
      <dl class="numbers">
        ${measured === null || divergence === null ? nothing : this.#divergence(divergence, row?.served ?? null, measured)}
        <dt>Bits per weight, whole file${kindMark(scheme.bitsPerWeight)}</dt>
        <dd>${formatNumber(scheme.bitsPerWeight.value)}</dd>
        <dt>Bits per weight, quantized${kindMark(scheme.quantizedBitsPerWeight)}</dt>
        <dd>${scheme.quantizedBitsPerWeight === undefined ? "–" : formatNumber(scheme.quantizedBitsPerWeight.value, 4)}</dd>
        ${this.#measured("Relative squared error", scheme.relativeMse)}
        ${this.#measured("Largest error of one weight", scheme.maxAbsError)}
        ${this.#measured("Cosine with the original", scheme.cosine)}
        ${this.#measured("Clipped weights", scheme.clippedShare, formatPercent)}
        ${this.#measured("Levels used, mean", scheme.usedLevels, formatPercent)}
        ${this.#measured("Weight-histogram divergence", scheme.histogramDivergence, formatNumber, " bits", `: ${DIVERGENCE_WORDS}`)}
        <dt>Worst matrix</dt>
        ${
          worst === null
            ? html`<dd class="hatched">&emsp;&emsp;&emsp;</dd>`
            : html`<dd>${worst.name} <span class="unit">${worst.figure}</span></dd>`
        }
        <dt>Matrices ${scheme.pruning === null ? "quantized" : scheme.quantizedBitsPerWeight === undefined ? "pruned" : "pruned or quantized"}</dt>
        <dd>${scheme.quantizedModules}${scheme.quantizedModules === scheme.modules ? "" : html` <span class="unit">of ${scheme.modules}</span>`}</dd>
      </dl>
    `;
  }

  /** What measuring said of it, and its signal over error, whose place above the mean has taken. */
  #divergence(divergence: Divergence, served: ServedDivergence | null, result: MeasureResult): TemplateResult {
    const { kldPercentiles, pplRatio, sameTopP, rmsDeltaP } = divergence;
    const mark = measuredMark(divergence, result);
    const line = (name: string, { value, uncertainty }: UncertainValue, write = formatNumber, unit = "") =>
      html`<dt>${name}${mark}</dt>
        <dd class=${this.isOld ? "old" : ""}>${write(value)}<span class="unit">${uncertainty === null ? "" : ` ± ${write(uncertainty, 2)}`}${unit}</span></dd>`;
    return html`
      ${served?.divergence ? servedTemplate(served, this.isOld) : nothing}
      ${line("99.0 % KLD", { value: kldPercentiles["99"], uncertainty: null }, formatNumber, " nats")}
      ${line("PPL(Q)/PPL(base)", pplRatio)}
      ${line("Same top p", percentOf(sameTopP), formatNumber, " %")}
      ${line("RMS Δp", percentOf(rmsDeltaP), formatNumber, " %")}
      ${this.#measured("Signal over error, weights", this.scheme?.sqnrDb, formatNumber, " dB")}
    `;
  }

  /** A figure; hatched while it waits, a dash where the whole recipe is measured and has none. */
  #measured(name: string, quantity: Quantity | undefined, write = formatNumber, unit = "", more = ""): TemplateResult {
    const waits = this.scheme !== null && this.scheme.layers.length < this.scheme.modules;
    const without = waits ? html`<dd class="hatched">&emsp;&emsp;&emsp;</dd>` : html`<dd class="dim">–</dd>`;
    const mark =
      quantity === undefined ? nothing : wordsMark(KIND_GLYPHS[quantity.kind], describeKind(quantity) + more);
    return html`<dt>${name}${mark}</dt>
      ${quantity === undefined ? without : html`<dd>${write(quantity.value)}<span class="unit">${unit}</span></dd>`}`;
  }
}

/** What the method buys over plain rounding. */
function gainTemplate(gain: MethodGain, { text }: MeasureResult, isOld: boolean): TemplateResult {
  const words = `Measured here over the same ${formatCount(text.doneWindows)} windows: ${text.name}`;
  return html`<p class="small ${gain.verdict === "loses" ? "note warning" : "line"} ${isOld ? "old" : ""}">
    <bdi>${methodGainWords(gain)}</bdi>${wordsMark(KIND_GLYPHS.measured, words)}
  </p>`;
}

/** Mean KL divergence by the rule of the engine that serves, and what it differs by. */
function servedTemplate({ divergence, difference, evidence }: ServedDivergence, isOld: boolean): TemplateResult {
  const range = difference?.interval ?? null;
  const by =
    difference === null
      ? nothing
      : html`<span class="unit"> simulated ${difference.value < 0 ? "−" : "+"} ${formatNumber(Math.abs(difference.value), 2)}</span>`;
  const words =
    range === null
      ? ""
      : `; served − simulated at 95 %: ${formatNumber(range.low, 2)} … ${formatNumber(range.high, 2)}`;
  return html`<dt>Mean KLD as served (vLLM)${wordsMark(KIND_GLYPHS.measured, `Measured here by another rule: ${evidence}${words}`)}</dt>
    <dd class=${isOld ? "old" : ""}>${formatNumber(divergence?.kld.value ?? Number.NaN)}${by}</dd>`;
}

function meanKld(divergence: Divergence, result: MeasureResult, isOld: boolean): TemplateResult {
  const { kld, intervals } = divergence;
  const range =
    intervals.kld === null ? "" : `${formatNumber(intervals.kld.low, 2)} … ${formatNumber(intervals.kld.high, 2)}`;
  const state = isOld ? " of the text before" : result.finished ? "" : " so far";
  return html`<b class=${isOld ? "old" : ""}>${formatNumber(kld.value)}</b>
    <span class="small">mean KLD, nats${range === "" ? nothing : html` · ${range}`}${state}${measuredMark(divergence, result)}</span>`;
}

function measuredMark({ scored }: Divergence, { text }: MeasureResult): TemplateResult {
  const words = `Measured here over ${formatCount(scored)} positions of ${formatCount(text.doneWindows)} windows: ${text.name}`;
  return wordsMark(KIND_GLYPHS.measured, words);
}

function percentOf({ value, uncertainty }: UncertainValue): UncertainValue {
  return { value: value * 100, uncertainty: uncertainty === null ? null : uncertainty * 100 };
}

customElements.define("lab-scheme-summary", LabSchemeSummary);
