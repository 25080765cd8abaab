import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import { formatNumber } from "../../base/format.ts";
import type { LayerResult } from "../../engine/result.ts";
import { differs } from "../parts/differs.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, figureStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { appliesWords, cornerSentence, factRows, shapeWords } from "./matrix-facts-model.ts";
import { emit } from "./panel-events.ts";

/** A recipe with what it does to the open matrix. */
export interface Look {
  readonly recipe: string;
  readonly layer: LayerResult | null;
}

/** The open matrix in figures, under the chosen recipe and beside it under another. */
export class LabMatrixFacts extends TurnElement {
  @property({ attribute: false, hasChanged: differs }) chosen: Look | null = null;
  @property({ attribute: false, hasChanged: differs }) other: Look | null = null;
  /** Recipes to change with. */
  @property({ attribute: false, hasChanged: differs }) recipes: readonly string[] = [];
  @property({ type: Boolean }) isLeft = true;
  @property({ type: Boolean }) isSplit = false;

  static override styles = [
    baseStyles,
    controlStyles,
    figureStyles,
    pillStyles,
    markStyles,
    css`
      :host {
        container-type: inline-size;
      }
      h2 {
        font: 600 14px/20px var(--mono);
        overflow-wrap: anywhere;
      }
      .numbers.two {
        grid-template-columns: minmax(0, 1fr) auto auto;
      }
      .numbers.two dd {
        padding-left: var(--s3);
      }
      .numbers dd.second {
        color: var(--ink-2);
      }
      @container (min-width: 860px) {
        .big {
          grid-template-columns: 220px 220px;
        }
        .numbers,
        .numbers.two {
          grid-template-columns: repeat(2, minmax(0, 1fr) auto);
        }
        .numbers.two {
          grid-template-columns: repeat(2, minmax(0, 1fr) auto auto);
        }
        .numbers dd + dt:nth-of-type(even) {
          padding-left: var(--s5);
        }
      }
      .pair {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: var(--s1);
        margin-top: var(--s3);
      }
      .pair .pill {
        max-width: 170px;
      }
      .with {
        display: flex;
        align-items: center;
        gap: var(--s2);
        margin-top: var(--s2);
        font: var(--t-small);
        color: var(--ink-2);
      }
      .with select {
        flex: 1;
        max-width: 260px;
      }
      .corners {
        margin-top: var(--s2);
        padding-top: var(--s1);
        border-top: 1px solid var(--line);
      }
      @media print {
        .pair,
        .with {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { chosen, other } = this;
    const layer = chosen?.layer ?? null;
    if (chosen === null || layer === null) {
      return html`<h2 class="dim">The worst matrix opens here</h2><p class="small">when all are measured</p>`;
    }
    const applies = appliesWords(layer, chosen.recipe);
    const corners = cornerSentence(layer);
    return html`
      <h2>${safeName(layer.module)}</h2>
      <p class="small">
        ${shapeWords(layer)} weights under ${safeName(chosen.recipe)}${applies === "" ? nothing : html`: <b>${applies}</b>`}
      </p>
      ${layer.error === undefined ? nothing : html`<p class="small corners"><bdi>${layer.error.message}</bdi></p>`}
      <div class="big">
        <div>${big(layer.sqnrDb)}<span class="small">signal over error${wordsMark("●", "Measured here, over all weights of this matrix")}</span></div>
        ${
          other?.layer
            ? html`<div class="dim">${big(other.layer.sqnrDb)}<span class="small">under ${safeName(other.recipe)}${wordsMark("●", "Measured here, over all weights of this matrix")}</span></div>`
            : nothing
        }
      </div>
      ${this.#figures(layer, other?.layer ?? null)}
      ${corners === "" ? nothing : html`<p class="small corners">${corners} A group is what shares one scale.</p>`}
      ${other === null ? nothing : this.#pair(chosen, other)}
    `;
  }

  #figures(layer: LayerResult, other: LayerResult | null): TemplateResult {
    const rows = factRows(layer);
    const others = new Map(other === null ? [] : factRows(other).map((row) => [row.name, row.text]));
    return html`<dl class="numbers ${other === null ? "" : "two"}">
      ${rows.map(
        (row) => html`<dt>${row.name}${wordsMark(row.glyph, row.words)}</dt><dd>${row.text}</dd>
          ${other === null ? nothing : html`<dd class="second">${others.get(row.name) ?? "–"}</dd>`}`,
      )}
    </dl>`;
  }

  /** Two recipes to change between. Their places stay while the chosen one changes. */
  #pair(chosen: Look, other: Look): TemplateResult {
    const [left, right] = this.isLeft ? [chosen, other] : [other, chosen];
    const side = (look: Look, key: string): TemplateResult =>
      html`<button type="button" class="pill" aria-pressed=${look === chosen && !this.isSplit} data-tip=${quote(look.recipe)}
        @click=${() => this.#show(look, chosen)}>${recipeMark(recipeLook(look.recipe))}${safeName(look.recipe)} <kbd>${key}</kbd></button>`;
    return html`
      <div class="pair" role="group" aria-label="Two recipes">
        ${side(left, "1")}
        <button type="button" class="pill" aria-pressed=${this.isSplit} @click=${() => emit(this, "lab-split", !this.isSplit)}>Side by side <kbd>2</kbd></button>
        ${side(right, "3")}
      </div>
      <div class="with">
        <label for="other">Change with <kbd>x</kbd></label>
        <select id="other" @change=${(event: Event) => emit(this, "lab-pick-other", (event.target as HTMLSelectElement).value)}>
          ${this.recipes.filter((recipe) => recipe !== chosen.recipe).map((recipe) => html`<option value=${recipe} .selected=${recipe === other.recipe}>${quote(recipe)}</option>`)}
        </select>
      </div>
    `;
  }

  #show(look: Look, chosen: Look): void {
    if (this.isSplit) emit(this, "lab-split", false);
    if (look !== chosen) emit(this, "lab-swap", undefined);
  }
}

function big(value: number | null): TemplateResult {
  return value === null ? html`<b class="dim">–</b>` : html`<b>${formatNumber(value)}<span class="unit"> dB</span></b>`;
}

customElements.define("lab-matrix-facts", LabMatrixFacts);
