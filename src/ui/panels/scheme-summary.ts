import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatBytes, formatNumber } from "../../base/format.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { ModelSummary, SchemeResult } from "../../engine/result.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { kindMark } from "../parts/number-kind.ts";
import { schemeFamily, schemeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { worstLayer } from "./scheme-summary-model.ts";

/** The chosen scheme: two large figures, then the rest. */
export class LabSchemeSummary extends LitElement {
  @property({ attribute: false }) scheme: SchemeResult | null = null;
  @property({ attribute: false }) model: ModelSummary | null = null;

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
      .who .mark {
        width: 18px;
        height: 18px;
      }
      .big {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: var(--s4);
        margin: var(--s3) 0;
      }
      .big b {
        display: block;
        font: var(--t-display);
        letter-spacing: -0.01em;
        white-space: nowrap;
      }
      .big b .unit {
        font-size: 18px;
        letter-spacing: 0;
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
    return html`
      <h2 class="who">${schemeMark(schemeFamily(scheme.scheme), scheme.roundsActivations)}${scheme.scheme}</h2>
      <p class="small">
        ${scheme.description}${scheme.roundsActivations ? "; activations are rounded when it is served, these figures are of the weights alone" : ""}
      </p>
      <div class="big">
        <div>
          <b>${formatNumber(scheme.smaller.value)}<span class="unit"> ×</span></b>
          <span class="small">smaller: ${formatBytes(scheme.fileBytes.value)} of ${formatBytes(this.model.fileBytes.value)}${kindMark(scheme.smaller)}</span>
        </div>
        <div>
          ${
            scheme.sqnrDb === undefined
              ? html`<div class="hatched"></div><span class="small">signal over error waits</span>`
              : html`<b>${formatNumber(scheme.sqnrDb.value)}<span class="unit"> dB</span></b>
                  <span class="small">signal over error, ${scheme.error === undefined ? "all weights" : "what it can take"}${kindMark(scheme.sqnrDb)}</span>`
          }
        </div>
      </div>
      <dl class="numbers">
        <dt>Bits per weight, whole file${kindMark(scheme.bitsPerWeight)}</dt>
        <dd>${formatNumber(scheme.bitsPerWeight.value)}</dd>
        <dt>Bits per weight, quantized${kindMark(scheme.quantizedBitsPerWeight)}</dt>
        <dd>${formatNumber(scheme.quantizedBitsPerWeight.value, 4)}</dd>
        ${measuredRow("Relative squared error", scheme.relativeMse)}
        ${measuredRow("Largest error of one weight", scheme.maxAbsError)}
        <dt>Worst matrix</dt>
        ${
          worst === null
            ? html`<dd class="hatched">&emsp;&emsp;&emsp;</dd>`
            : html`<dd>${worst.name} <span class="unit">${worst.figure}</span></dd>`
        }
        <dt>Matrices quantized</dt>
        <dd>${scheme.quantizedModules}${scheme.quantizedModules === scheme.modules ? "" : html` <span class="unit">of ${scheme.modules}</span>`}</dd>
      </dl>
    `;
  }
}

function measuredRow(name: string, quantity: Quantity | undefined): TemplateResult {
  return html`<dt>${name}${kindMark(quantity)}</dt>
    ${quantity === undefined ? html`<dd class="hatched">&emsp;&emsp;&emsp;</dd>` : html`<dd>${formatNumber(quantity.value)}</dd>`}`;
}

customElements.define("lab-scheme-summary", LabSchemeSummary);
