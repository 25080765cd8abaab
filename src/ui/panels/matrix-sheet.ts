import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { LayerResult } from "../../engine/result.ts";
import { spectrumChart } from "../charts/channel-spectrum.ts";
import { histogramChart } from "../charts/histogram.ts";
import "../charts/lab-chart.ts";
import { scaleMapChart } from "../charts/scale-map.ts";
import { differs } from "../parts/differs.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { histogramOf, type SheetView, scaleMapOf, spectrumOf } from "./matrix-sheet-model.ts";

const HEIGHT = 230;
const OVER_ALL = wordsMark("●", "Measured here, over all weights of this matrix");

/**
 * One matrix under one recipe, closely: its weights among the levels, its channels, its scales. Slot `error` is for the error
 * map.
 */
export class LabMatrixSheet extends TurnElement {
  @property({ attribute: false }) layer: LayerResult | null = null;
  @property({ attribute: false, hasChanged: differs }) view: SheetView = { state: "none" };
  /** Model, recipe and matrix, for names of files. */
  @property() subject = "";
  /** Half as wide: two sheets stand side by side. */
  @property({ type: Boolean, reflect: true }) isHalf = false;

  static override styles = [
    baseStyles,
    figureStyles,
    css`
      .figures {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: var(--s5);
      }
      :host([isHalf]) .figures {
        grid-template-columns: minmax(0, 1fr);
      }
      .wide {
        grid-column: 1 / -1;
      }
      .wait {
        display: grid;
        place-items: center;
        height: 230px;
        border-bottom: 1px solid var(--line-2);
        color: var(--ink-2);
        font: var(--t-small);
      }
      .wait span {
        padding: 2px 8px;
        background: var(--paper);
      }
      @media (max-width: 1099px) {
        .figures {
          grid-template-columns: repeat(2, minmax(0, 1fr));
        }
      }
      @media (max-width: 699px) {
        .figures {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { view } = this;
    if (view.state !== "ready") return html`<div class="figures">${this.#without()}</div>`;
    const sheet = view.result;
    const histogram = histogramOf(sheet);
    const scales = scaleMapOf(sheet);
    return html`<div class="figures">
      ${
        histogram === null
          ? html`<p class="caption">No levels here. <span>This recipe prunes the matrix and quantizes nothing in it: its weights stay numbers of their own type, so there are no codes to count.</span></p>`
          : html`<lab-chart .chart=${histogramChart} .data=${histogram} .name=${"Histogram of levels"} .subject=${this.subject}
              .note=${"count of weights, log scale"} .height=${HEIGHT}><span slot="note">count of weights · log scale${OVER_ALL}</span></lab-chart>`
      }
      <slot name="error"></slot>
      <lab-chart .chart=${spectrumChart} .data=${spectrumOf(sheet)} .name=${"Channel spectrum"} .subject=${this.subject}
        .note=${"magnitude in weight units, log scale"} .height=${HEIGHT}><span slot="note">magnitude, weight units · log scale${OVER_ALL}</span></lab-chart>
      ${
        scales === null
          ? nothing
          : html`<lab-chart class="wide" .chart=${scaleMapChart} .data=${scales} .name=${"Scale map"} .subject=${this.subject}
              .note=${"scale of each group, log colour; levels that each group uses"}><span slot="note">scale of each group, log colour · levels it uses · stronger is worse${OVER_ALL}</span></lab-chart>`
      }
    </div>`;
  }

  #without(): TemplateResult {
    const { view, layer } = this;
    if (layer?.error !== undefined) {
      return html`<p class="caption wide">Nothing to look at. <span><bdi>${layer.error.message}</bdi></span></p>`;
    }
    if (view.state === "failed") {
      return html`<p class="caption wide">This matrix could not be looked at. <span><bdi>${view.error.message}</bdi></span></p>`;
    }
    const words = view.state === "waiting" ? "Looking at its weights" : "Waits for the comparison";
    return html`${[
      "Where its weights fall between the levels.",
      "What error remains in each weight.",
      "Which input channels reach furthest.",
    ].map(
      (caption) =>
        html`<figure><figcaption class="caption"><span>${caption}</span></figcaption><div class="wait hatched"><span>${words}</span></div></figure>`,
    )}`;
  }
}

customElements.define("lab-matrix-sheet", LabMatrixSheet);
