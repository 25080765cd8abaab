import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import type { LayerResult } from "../../engine/result.ts";
import { drawHistogram, histogramTemplate } from "../charts/histogram.ts";
import { histogramStyles } from "../charts/histogram-styles.ts";
import { familyStyles } from "../parts/mark-styles.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { safeName } from "../parts/safe-name.ts";
import { schemeFamily } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import {
  appliesWords,
  cornerSentence,
  type HistogramView,
  histogramCaption,
  noLevelsWords,
  shapeWords,
  sheetRows,
} from "./matrix-sheet-model.ts";

const PICTURE_HEIGHT = 196;

/** One matrix opened: where its weights fall between the levels, and its figures. */
export class LabMatrixSheet extends LitElement {
  @property({ attribute: false }) layer: LayerResult | null = null;
  /** The recipe whose row is chosen. */
  @property() recipe = "";
  @property({ attribute: false }) histogram: HistogramView = { state: "none" };

  readonly #width = new OwnWidth(this);

  static override styles = [
    baseStyles,
    figureStyles,
    familyStyles,
    histogramStyles,
    css`
      h2 {
        font: 600 14px/20px var(--sans);
      }
      h2 code {
        font: 600 14px/20px var(--mono);
      }
      .under {
        margin: 2px 0 var(--s3);
      }
      .sheet {
        display: grid;
        grid-template-columns: minmax(0, 3fr) minmax(0, 2fr);
        gap: var(--s5);
      }
      .under b {
        color: var(--ink);
        font-weight: 600;
      }
      .corners {
        padding-top: var(--s1);
        border-top: 1px solid var(--line);
      }
      figcaption {
        margin-bottom: var(--s2);
      }
      .room {
        height: 196px;
      }
      .wait {
        display: grid;
        place-items: center;
        border-bottom: 1px solid var(--line-2);
        color: var(--ink-2);
        font: var(--t-small);
      }
      .soft {
        background: repeating-linear-gradient(135deg, var(--line) 0 1px, transparent 1px 7px);
        opacity: 0.6;
      }
      .wait span {
        padding: 2px 8px;
        background: var(--paper);
      }
      @media (max-width: 599px) {
        .sheet {
          grid-template-columns: minmax(0, 1fr);
          gap: var(--s3);
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const layer = this.layer;
    if (layer === null) return waitingSheet();
    const applies = appliesWords(layer, this.recipe);
    const corners = cornerSentence(layer);
    return html`
      <h2><code>${safeName(layer.module)}</code></h2>
      <p class="small under">
        ${shapeWords(layer)} weights, opened under ${safeName(this.recipe)}${applies === "" ? nothing : html`: <b>${applies}</b>`}
      </p>
      <div class="sheet">
        <figure>${this.#picture(layer)}</figure>
        <div>
          <dl class="numbers">
            ${sheetRows(layer).map((row) => html`<dt>${row.name}${wordsMark(row.glyph, row.words)}</dt><dd>${row.text}</dd>`)}
          </dl>
          ${corners === "" ? nothing : html`<p class="small corners">${corners} A group is what shares one scale.</p>`}
        </div>
      </div>
    `;
  }

  #picture(layer: LayerResult): TemplateResult {
    const view = this.histogram;
    const without = noLevelsWords(layer);
    if (without !== null) return html`<figcaption class="caption">No levels here. <span>${without}</span></figcaption>`;
    if (view.state === "ready") {
      const caption = histogramCaption(view.result, layer.scheme);
      const narrow = this.#width.px < 560;
      const width = narrow ? this.#width.px : Math.floor(((this.#width.px - 24) * 3) / 5);
      const drawing = drawHistogram(view.result, { width: Math.max(240, width), height: PICTURE_HEIGHT });
      const spoken = `Histogram of ${quote(layer.module)}. ${caption.strong} ${drawing.peak?.text ?? ""}`;
      return html`
        <figcaption class="caption">${caption.strong} <span>${caption.plain}</span></figcaption>
        ${histogramTemplate(drawing, spoken, schemeFamily(layer.scheme))}
      `;
    }
    if (view.state === "failed") {
      return html`<figcaption class="caption">Its histogram could not be drawn. <span>${view.error.message}</span></figcaption>`;
    }
    return html`
      <figcaption class="caption"><span>Where its weights fall between the levels.</span></figcaption>
      <div class="room wait hatched"><span>${view.state === "waiting" ? "Counting its weights" : "Waits for the comparison"}</span></div>
    `;
  }
}

/** Before any matrix is chosen: the room it will take, hatched. */
function waitingSheet(): TemplateResult {
  return html`
    <h2 class="dim">The worst matrix opens here</h2>
    <p class="small under">when all are measured</p>
    <div class="sheet"><div class="room wait soft"></div></div>
  `;
}

customElements.define("lab-matrix-sheet", LabMatrixSheet);
