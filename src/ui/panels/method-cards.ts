import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { MeasureRow, Verdict } from "../../engine/measure-result.ts";
import { rankMethods } from "../../engine/method-words.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { recipeName } from "../parts/safe-name.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { type CardStanding, type CardView, cardViews } from "./method-cards-model.ts";

/** A card for each method: what it does, what it costs, when it wins as its paper has it, and how it stands here. */
export class LabMethodCards extends TurnElement {
  /** Of the measurement on screen; empty: none. */
  @property({ attribute: false }) rows: readonly MeasureRow[] = [];
  /** Of the same measurement: which of the rows' differences are real. */
  @property({ attribute: false }) verdict: Verdict | null = null;

  static override styles = [
    baseStyles,
    css`
      h2 {
        margin-bottom: var(--s2);
      }
      details {
        border-top: 1px solid var(--line);
      }
      details:last-child {
        border-bottom: 1px solid var(--line);
      }
      summary {
        min-height: 32px;
        padding: 6px 0;
        cursor: pointer;
      }
      summary b {
        margin-right: var(--s1);
        font-weight: 600;
      }
      .body {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: var(--s3) var(--s5);
        padding: 0 0 var(--s3) var(--s4);
      }
      .about > * {
        max-width: 64ch;
      }
      dt {
        margin-top: var(--s2);
        color: var(--ink-2);
        font: var(--t-small);
      }
      h3 {
        font: 600 13px/20px var(--sans);
      }
      table {
        width: 100%;
        margin-top: var(--s1);
        border-collapse: collapse;
        font: var(--t-table);
        font-variant-numeric: tabular-nums;
      }
      caption {
        text-align: left;
        color: var(--ink-2);
        font: var(--t-small);
      }
      th,
      td {
        padding: 3px 0 3px var(--s3);
        border-top: 1px solid var(--line);
        text-align: right;
        vertical-align: baseline;
        font-weight: 400;
      }
      th:first-child {
        padding-left: 0;
        text-align: left;
      }
      td {
        white-space: nowrap;
      }
      thead th {
        border: 0;
        color: var(--ink-2);
        font: var(--t-small);
      }
      .own th,
      .own td {
        font-weight: 600;
      }
      .standing + .standing {
        margin-top: var(--s4);
      }
      .lines li {
        margin-top: var(--s1);
      }
      .lines b {
        font-weight: 600;
      }
      @media (max-width: 799px) {
        .body {
          grid-template-columns: minmax(0, 1fr);
          padding-left: 0;
        }
      }
      @media print {
        .body {
          grid-template-columns: minmax(0, 1fr);
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const cards = cardViews(rankMethods(this.rows, this.verdict));
    return html`<h2 class="caption">Methods <span>what each does, when it wins by its paper, and how it stands on this model</span></h2>
      <div>${cards.map(cardTemplate)}</div>`;
  }
}

function cardTemplate(card: CardView): TemplateResult {
  const { name, summary, does, time, memory, wins, source, standings } = card;
  return html`<details>
    <summary><b>${name}</b> <span class="small"><bdi>${summary}</bdi></span></summary>
    <div class="body">
      <div class="about">
        <p>${does}</p>
        <dl>
          <dt>Time</dt>
          <dd>${time}</dd>
          <dt>Memory</dt>
          <dd>${memory}</dd>
          <dt>When it wins</dt>
          <dd>${wins}${wordsMark("§", `Looked up: ${source}`)} <span class="small">${source}</span></dd>
        </dl>
      </div>
      <div>
        ${standings.length === 0 ? html`<h3>On this model</h3><p class="small">Not measured here: add it to the schemes and measure.</p>` : standings.map(standingTemplate)}
      </div>
    </div>
  </details>`;
}

function standingTemplate({ plain, lines, rows, basis }: CardStanding): TemplateResult {
  return html`<div class="standing">
    <h3>On this model: ${recipeName(plain)}</h3>
    <ul class="lines">${lines.map(
      ({ scheme, place, gain, isLoss, time }) => html`<li>
        ${lines.length === 1 ? nothing : html`<span>${recipeName(scheme)}: </span>`}<bdi>${lines.length === 1 ? upper(place) : place}</bdi>.
        ${gain === "" ? nothing : isLoss ? html`<b><bdi>${upper(gain)}</bdi>.</b>` : html`<bdi>${upper(gain)}</bdi>.`}
        ${time === "" ? nothing : html`<span class="small"><bdi>${time}</bdi>${wordsMark("●", "Time of its stages, measured here once")}</span>`}
      </li>`,
    )}</ul>
    <table>
      <caption>Mean KL divergence, nats${wordsMark("●", basis)}</caption>
      <thead><tr><th scope="col">recipe</th><th scope="col">mean</th><th scope="col">95 %</th></tr></thead>
      <tbody>${rows.map(
        ({ scheme, kld, interval, isOwn }) => html`<tr class=${isOwn ? "own" : ""}>
          <th scope="row">${recipeName(scheme)}${isOwn ? html`<span class="spoken"> (this method)</span>` : nothing}</th>
          <td>${kld}</td>
          <td>${interval === "" ? "–" : interval}</td>
        </tr>`,
      )}</tbody>
    </table>
  </div>`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

customElements.define("lab-method-cards", LabMethodCards);
