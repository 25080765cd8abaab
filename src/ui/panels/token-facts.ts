import { scaleLinear } from "d3-scale";
import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatCount, formatNumber } from "../../base/format.ts";
import type { TokenLook } from "../../engine/diagnosis-api.ts";
import { differs } from "../parts/differs.ts";
import type { Fetched } from "../parts/fetched.ts";
import { NOT_FETCHED } from "../parts/fetched.ts";
import { familyStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import { type Pieces, pieceMark, pieceOf, pieceStyles, pieceWords } from "../parts/pieces.ts";
import { safeName } from "../parts/safe-name.ts";
import { recipeLook } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import { type NextRow, nextRows, type TokenFactsData, tokenFacts } from "./token-facts-model.ts";

/** The chosen token: what was predicted there, before and after, and the most likely tokens of both. */
export class LabTokenFacts extends TurnElement {
  /** Null: no token is chosen. */
  @property({ attribute: false, hasChanged: differs }) data: TokenFactsData | null = null;
  @property({ attribute: false }) look: Fetched<TokenLook> = NOT_FETCHED;
  @property({ attribute: false }) pieces: Pieces = new Map();
  /** Another job runs: this one has to wait. */
  @property({ type: Boolean }) isBusy = false;

  static override styles = [
    baseStyles,
    controlStyles,
    figureStyles,
    familyStyles,
    pieceStyles,
    css`
      h2 {
        margin: 0;
        color: var(--ink-2);
        font: 17px/24px var(--serif);
        white-space: pre-wrap;
        overflow-wrap: anywhere;
      }
      h2 b {
        color: var(--ink);
        font-weight: 600;
        text-decoration: underline 2px;
        text-underline-offset: 4px;
      }
      .numbers dd {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--s2);
        align-items: baseline;
        justify-content: flex-end;
      }
      .lists {
        display: grid;
        grid-template-columns: repeat(2, minmax(0, 1fr));
        gap: var(--s4);
        margin-top: var(--s4);
      }
      h3 {
        margin: 0 0 var(--s1);
        font: 600 12px/16px var(--sans);
        overflow-wrap: anywhere;
      }
      ol {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 var(--s2);
        padding: 3px 0 5px;
        border-top: 1px solid var(--line);
      }
      li .piece {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: pre;
      }
      .came .piece {
        font-weight: 700;
      }
      .came .piece::after {
        content: " ✓";
        color: var(--ink-2);
        font-family: var(--sans);
      }
      li span:last-of-type {
        font: var(--t-small);
        line-height: 18px;
        color: var(--ink-2);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      li svg {
        grid-column: 1 / -1;
        width: 100%;
        overflow: visible;
      }
      .p {
        fill: var(--ink);
      }
      .q {
        fill: var(--family);
      }
      .hollow .q {
        fill: var(--paper);
        stroke: var(--family);
      }
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s4);
        margin-top: var(--s2);
      }
      .key svg {
        margin-right: 6px;
      }
      .state {
        margin-top: var(--s4);
      }
      .waits {
        height: 180px;
        margin-top: var(--s4);
        border-radius: var(--radius);
      }
      .failed b {
        color: var(--fail);
      }
      @media (forced-colors: active) {
        li svg,
        .key svg {
          forced-color-adjust: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { data } = this;
    const facts = data === null ? null : tokenFacts(data, this.pieces);
    if (data === null || facts === null) {
      return html`<p class="caption">Choose a word. <span>Here will stand what the original predicted in its place, what the scheme predicts, and what heals it.</span></p>`;
    }
    const { score } = facts;
    const name = safeName(data.scheme);
    const isKnown = Number.isFinite(score.kld);
    return html`
      <h2><bdi>…${facts.before}${/^ */.exec(facts.own)?.[0]}<b>${facts.own.trim() === "" ? pieceMark(facts.own) : facts.own.trim()}</b></bdi></h2>
      <div class="big">
        <div><b>${formatNumber(score.kld)}</b><span class="small">KL, nats${wordsMark(KIND_GLYPHS.measured, "Measured here, over the whole vocabulary")}</span></div>
        <div><b>${isKnown ? formatNumber(score.deltaP * 100, 2) : "–"}<span class="unit">${isKnown ? " %" : ""}</span></b><span class="small">Δp of the word that came</span></div>
      </div>
      ${isKnown ? nothing : html`<p class="small">This position has no finite score: a logit is not a number or infinite.</p>`}
      <dl class="numbers">
        <dt>Original says</dt>
        <dd>${pieceMark(pieceOf(this.pieces, score.before))}<span>${shareText(score.pBefore)}</span></dd>
        <dt>${name} says</dt>
        <dd>${pieceMark(pieceOf(this.pieces, score.after))}<span>${shareText(score.qAfter)}</span></dd>
        <dt>What came</dt>
        <dd>${pieceMark(facts.own)}<span>${shareText(score.pNext)} → ${shareText(score.qNext)}</span></dd>
        <dt>Place</dt>
        <dd>window ${formatCount(data.token.window + 1)}, token ${formatCount(data.token.place + 1)}</dd>
      </dl>
      ${this.#look(data)}
    `;
  }

  #look(data: TokenFactsData): TemplateResult {
    const { look } = this;
    const again = (): void => emit(this, "lab-look", undefined);
    switch (look.state) {
      case "waiting":
        return html`<div class="waits hatched" role="status"><span class="spoken">Asking both models</span></div>`;
      case "failed":
        return html`<div class="state failed" role="alert"><p><b>✕</b> <bdi>${look.error.found}</bdi>. <bdi class="small">${look.error.advice}.</bdi></p>
          <div class="actions"><button type="button" class="button" @click=${again}>Look again</button></div></div>`;
      case "none":
        return html`<div class="state"><div class="actions">
          <button type="button" class="button" aria-disabled=${this.isBusy} @click=${() => (this.isBusy ? undefined : again())}>Show the ten most likely words</button>
          ${this.isBusy ? html`<span class="small">waits until what runs is done</span>` : nothing}</div></div>`;
      case "ready":
        return this.#lists(data, look.result);
    }
  }

  #lists({ scheme }: TokenFactsData, look: TokenLook): TemplateResult {
    const { original, variant, largest } = nextRows(look, this.pieces);
    const [fill] = recipeLook(scheme).fills;
    const family = `${fill?.family ?? "orig"} ${fill?.isHollow ? "hollow" : ""}`;
    const width = scaleLinear().domain([0, largest]).range([0, 100]);
    const row = (
      next: NextRow,
    ): TemplateResult => html`<li class=${next.isNext ? "came" : ""} aria-label=${rowSentence(next, scheme)}>
      ${pieceMark(next.piece)}<span aria-hidden="true">${shareText(next.p)} → ${shareText(next.q)}</span>
      <svg height="11" viewBox="0 0 100 11" preserveAspectRatio="none" aria-hidden="true">
        <rect class="p" width=${width(next.p)} height="4.5" y="0.5"></rect>
        <rect class="q" width=${width(next.q)} height="4.5" y="6" vector-effect="non-scaling-stroke"></rect>
      </svg>
    </li>`;
    return html`<div class="lists ${family}">
        <div><h3>Most likely by the original</h3><ol>${original.map(row)}</ol></div>
        <div><h3>By ${safeName(scheme)}</h3><ol>${variant.map(row)}</ol></div>
      </div>
      <p class="key small ${family}">
        <span><svg width="18" height="6" aria-hidden="true"><rect class="p" width="18" height="6"></rect></svg>p, original</span>
        <span><svg width="18" height="6" aria-hidden="true"><rect class="q" width="18" height="6"></rect></svg>q, ${safeName(scheme)}</span>
        <span>✓ what came</span>
      </p>`;
  }
}

function shareText(share: number): string {
  return Number.isFinite(share) ? `${formatNumber(share * 100, 2)} %` : "–";
}

function rowSentence({ piece, p, q, isNext }: NextRow, scheme: string): string {
  return `${pieceWords(piece)}: ${shareText(p)} by the original, ${shareText(q)} by ${scheme}${isNext ? ", what came" : ""}`;
}

customElements.define("lab-token-facts", LabTokenFacts);
