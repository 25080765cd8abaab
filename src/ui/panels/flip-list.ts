import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { PreparedText } from "../../engine/text-api.ts";
import type { Flip, FlipOrder, TokenAt } from "../../engine/word-statistics.ts";
import { differs } from "../parts/differs.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import { type Pieces, pieceMark, pieceStyles, pieceWords } from "../parts/pieces.ts";
import { baseStyles, controlStyles, tableStyles } from "../parts/shared-styles.ts";
import { tableHeadStyles } from "../parts/table-head-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { type FlipRow, flipRows, flipsCaption } from "./flip-list-model.ts";
import { emit } from "./panel-events.ts";

/** Rows at first, and at each press for more. */
const FIRST = 10;
const MORE = 40;

/** Where the most likely word changed, the worst first; a row opens its word in the text. */
export class LabFlipList extends TurnElement {
  @property({ attribute: false }) flips: readonly Flip[] = [];
  @property({ attribute: false }) text: PreparedText | null = null;
  @property({ attribute: false }) pieces: Pieces = new Map();
  @property() scheme = "";
  @property({ attribute: false, hasChanged: differs }) chosen: TokenAt | null = null;
  @state() private by: FlipOrder = "kld";
  @state() private most = FIRST;

  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    tableHeadStyles,
    pieceStyles,
    css`
      .sort {
        min-height: 24px;
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        cursor: pointer;
      }
      .sort:hover {
        color: var(--ink);
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      [aria-sort="descending"] {
        color: var(--ink);
        font-weight: 600;
      }
      .around {
        width: 100%;
        max-width: 0;
      }
      .around button {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto minmax(0, 1fr);
        width: 100%;
        min-height: 26px;
        padding: 0;
        border: 0;
        background: none;
        color: var(--ink-2);
        font: 15px/24px var(--serif);
        white-space: pre;
        cursor: pointer;
      }
      /* What leads to the word ends at it; what does not fit is cut at its far end. */
      .around span:first-child {
        display: flex;
        justify-content: flex-end;
        overflow: hidden;
        mask-image: linear-gradient(to right, transparent, #000 28px);
      }
      .around span:last-child {
        overflow: hidden;
        text-align: left;
        mask-image: linear-gradient(to left, transparent, #000 28px);
      }
      .around b {
        color: var(--ink);
        font-weight: 600;
      }
      .around button:hover b {
        text-decoration: underline;
      }
      tbody tr:hover {
        background: var(--sunk);
      }
      .picked {
        background: var(--sunk);
        box-shadow: inset 3px 0 var(--ink);
      }
      .picked > :first-child {
        padding-left: 8px;
      }
      .arrow {
        color: var(--ink-3);
        padding: 0 4px;
      }
      .flip-words,
      .flip-words .piece {
        white-space: pre;
      }
      .flip-words {
        max-width: 220px;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .more {
        margin-top: var(--s2);
      }
      @media (max-width: 599px) {
        .around {
          grid-column: 1 / -1;
          width: auto;
          max-width: none;
        }
        .cards tbody th {
          display: none;
        }
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("scheme")) this.most = FIRST;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { flips, text } = this;
    if (text === null) return nothing;
    const caption = flipsCaption(flips, this.scheme);
    const rows = flipRows(flips, this.by, this.most, text, this.pieces);
    return html`<figure>
      <div class="head"><figcaption class="caption">${caption.strong} <span>${caption.plain}</span></figcaption></div>
      ${rows.length === 0 ? nothing : this.#table(rows)}
      ${
        flips.length > rows.length
          ? html`<div class="actions more"><button type="button" class="button text" @click=${this.#showMore}>Show ${formatCount(Math.min(MORE, flips.length - rows.length))} more of ${formatCount(flips.length)}</button></div>`
          : nothing
      }
    </figure>`;
  }

  #table(rows: readonly FlipRow[]): TemplateResult {
    return html`<div class="scroll" role="region" aria-label="Flips" tabindex="0">
      <table class="cards">
        <thead><tr>
          <th class="left" scope="col">#</th>
          <th class="left" scope="col">text</th>
          <th class="left" scope="col">before → after${wordsMark(KIND_GLYPHS.measured, "Measured here: the most likely word by the original, and by the scheme")}</th>
          <th class="left" scope="col">the right word</th>
          ${this.#sortHead("deltaP", "Δp", "%", "q − p of the word that came")}
          ${this.#sortHead("kld", "KL", "nats", "Divergence of the prediction, over the whole vocabulary")}
        </tr></thead>
        <tbody>${rows.map((row) => this.#row(row))}</tbody>
      </table>
    </div>`;
  }

  #sortHead(by: FlipOrder, name: string, unit: string, meaning: string): TemplateResult {
    const isOn = this.by === by;
    const sort = (): void => {
      this.by = by;
    };
    return html`<th scope="col" aria-sort=${isOn ? "descending" : nothing}><button type="button" class="sort" data-tip="${meaning}. Sort by its size." @click=${sort}>${name}${isOn ? " ↓" : ""}</button><span class="unit">${unit}</span></th>`;
  }

  #row({ flip, rank, before, own, after, was, became, meaning, deltaP, kld }: FlipRow): TemplateResult {
    const { window, place } = flip;
    const isChosen = this.chosen?.window === window && this.chosen.place === place;
    const open = (): void => emit(this, "lab-pick-token", { window, place });
    return html`<tr class=${isChosen ? "picked" : ""}>
      <th scope="row">${rank}</th>
      <td class="left around"><button type="button" aria-pressed=${isChosen} aria-label="Open ${pieceWords(own)} in: ${before}${own}${after}" @click=${open}><span><bdi>${before}</bdi></span><b>${own.trim() === "" ? pieceMark(own) : own.replace(/\s+/g, " ")}</b><span><bdi>${after}</bdi></span></button></td>
      <td class="left flip-words" data-head="before → after">${pieceMark(was)}<span class="arrow">→</span>${pieceMark(became)}</td>
      <td class="left" data-head="the right word"><span class="small">${meaning}</span></td>
      <td data-head="Δp, %">${deltaP}</td>
      <td data-head="KL, nats">${kld}</td>
    </tr>`;
  }

  readonly #showMore = (): void => {
    this.most += MORE;
  };
}

customElements.define("lab-flip-list", LabFlipList);
