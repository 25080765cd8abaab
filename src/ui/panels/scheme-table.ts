import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { PlanSettings } from "../../engine/api.ts";
import type { CompareResult } from "../../engine/result.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { kindMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { recipeName } from "../parts/safe-name.ts";
import { recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles, tableStyles } from "../parts/shared-styles.ts";
import { emit } from "./panel-events.ts";
import { type SchemeTable, schemeTable, type TableCell, type TableColumn } from "./scheme-table-model.ts";

/** Below this many pixels the eleven columns do not fit side by side. */
const NARROW = 900;

/** The original and each scheme, figure by figure. A row is picked by its name. */
export class LabSchemeTable extends LitElement {
  @property({ attribute: false }) result: CompareResult | null = null;
  @property({ attribute: false }) plan: PlanSettings | null = null;
  @property() selected = "";

  readonly #width = new OwnWidth(this);

  static override styles = [
    baseStyles,
    figureStyles,
    tableStyles,
    markStyles,
    css`
      .caption {
        margin-bottom: var(--s2);
      }
      .name {
        display: inline-flex;
        align-items: center;
        gap: var(--s2);
        min-height: 24px;
        padding: 0;
        border: 0;
        background: none;
        color: inherit;
        font: inherit;
        text-align: left;
      }
      button.name {
        font-weight: 600;
        cursor: pointer;
      }
      button.name:hover {
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .name .words {
        min-width: 0;
        max-width: 210px;
      }
      tbody th[scope="row"] {
        white-space: normal;
      }
      .ref {
        margin-left: 2px;
        color: var(--ink-2);
        font: 10px/1 var(--sans);
      }
      .notes {
        margin-top: var(--s2);
        max-width: 900px;
        color: var(--ink-2);
        font: var(--t-small);
      }
      .notes li {
        display: flex;
        gap: var(--s2);
        padding: 1px 0;
      }
      .notes li > span {
        flex: none;
        color: var(--ink-3);
      }
      .failed {
        color: var(--fail);
      }
      .why {
        white-space: normal;
        text-align: left;
        color: var(--ink-2);
      }
      td.start,
      th.start {
        padding-left: 28px;
      }
      tr.picked > * {
        background-color: var(--sunk);
        box-shadow:
          inset 0 1px var(--line-2),
          inset 0 -1px var(--line-2);
      }
      tr.picked > th {
        position: relative;
      }
      tr.picked > th::before {
        content: "";
        position: absolute;
        inset: 0 auto 0 -8px;
        width: 3px;
        background: var(--ink);
      }
      .turned th,
      .turned td {
        padding-inline: 4px;
      }
      .turned tbody .group-row th {
        padding-top: var(--s3);
        border-bottom-color: var(--line-2);
        color: var(--ink-3);
        font: var(--t-small);
      }
      .turned tbody th[scope="row"] {
        color: var(--ink-2);
        white-space: normal;
      }
      .turned .picked {
        background: var(--sunk);
      }
      .turned thead .picked {
        box-shadow: inset 0 3px var(--ink);
        padding-top: 6px;
      }
      .turned thead th {
        min-width: 100px;
      }
      .turned thead td {
        min-width: 112px;
      }
      .turned tr > :first-child {
        position: sticky;
        left: -8px;
        z-index: 1;
        padding-left: 8px;
        background: var(--paper);
      }
      .turned .group-row > th {
        z-index: 0;
      }
      .turned .name {
        flex-wrap: wrap;
        justify-content: flex-end;
        gap: var(--s1);
        color: var(--ink);
        font: var(--t-table);
        white-space: normal;
        text-align: right;
      }
      .turned button.name {
        font-weight: 600;
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    if (this.result === null) return nothing;
    const table = schemeTable(this.result);
    const plan = this.plan;
    const planWords =
      plan === null
        ? "plan"
        : `on one ${plan.gpu}, ${formatCount(plan.sequences)} × ${formatCount(plan.contextTokens)} tokens`;
    const caption = html`<figcaption class="caption">${table.caption.strong} <span>${table.caption.plain}</span></figcaption>`;
    if (this.#width.px > 0 && this.#width.px < NARROW)
      return html`<figure>${caption}${this.#turned(table, planWords)}${notesTemplate(table)}</figure>`;
    return html`
      <figure>
        ${caption}
        <div class="scroll" role="region" aria-label="Schemes side by side" tabindex="0">
          <table>
            <thead>
              <tr>
                <td></td>
                <th class="group" colspan="4" scope="colgroup">size, bits per weight</th>
                <th class="group start" colspan="3" scope="colgroup">error of the weights</th>
                <th class="group start" colspan="4" scope="colgroup">${planWords}</th>
              </tr>
              <tr>
                <th class="left" scope="col">scheme</th>
                ${table.columns.map((column, index) => headTemplate(column, isStart(table.columns, index)))}
              </tr>
            </thead>
            <tbody>
              ${table.rows.map(
                (row, index) => html`<tr class=${this.#picked(row.scheme)}>
                  <th scope="row">${this.#name(row)}</th>
                  ${
                    row.failure === null
                      ? table.columns.map((column, at) =>
                          cellTemplate(column, index, isStart(table.columns, at) ? "start" : ""),
                        )
                      : html`${table.columns.filter((column) => column.group === "size").map((column) => cellTemplate(column, index, ""))}
                          <td class="why start" colspan="7">${row.failure}</td>`
                  }
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
        ${notesTemplate(table)}
      </figure>
    `;
  }

  /** Schemes as columns: what is compared stays side by side where the page is narrow. */
  #turned(table: SchemeTable, planWords: string): TemplateResult {
    const groups = { size: "size, bits per weight", error: "error of the weights", plan: planWords };
    return html`<div class="scroll" role="region" aria-label="Schemes side by side" tabindex="0">
      <table class="turned">
        <thead>
          <tr>
            <td></td>
            ${table.rows.map((row) => html`<th scope="col" class=${this.#picked(row.scheme)}>${this.#name(row)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${table.columns.map(
            (column, index) => html`
              ${
                index === 0 || isStart(table.columns, index)
                  ? html`<tr class="group-row"><th scope="colgroup" colspan=${table.rows.length + 1}>${groups[column.group]}</th></tr>`
                  : nothing
              }
              <tr>
                <th scope="row">${column.name}${kindMark(column.example)}${column.unit === "" ? nothing : html` <span class="dim">${column.unit}</span>`}</th>
                ${table.rows.map((row, at) => cellTemplate(column, at, this.#picked(row.scheme)))}
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${table.rows.map((row) => (row.failure === null ? nothing : html`<p class="small"><span class="failed">✕</span> ${row.name}: ${row.failure}</p>`))}
    </div>`;
  }

  #picked(scheme: string | null): string {
    return scheme !== null && scheme === this.selected ? "picked" : "";
  }

  #name(row: SchemeTable["rows"][number]): TemplateResult {
    const { scheme } = row;
    if (scheme === null) return html`<span class="name">${recipeMark(row.look)}${row.name}</span>`;
    const mark =
      row.failure === null ? recipeMark(row.look) : html`<span class="failed" role="img" aria-label="failed">✕</span>`;
    const notes =
      row.notes.length === 0
        ? nothing
        : html`<sup class="ref"><span class="spoken">, note </span>${row.notes.join(", ")}</sup>`;
    return html`<button type="button" class="name" aria-pressed=${scheme === this.selected} data-tip=${row.description}
      @click=${() => emit(this, "lab-pick-scheme", scheme)}>${mark}<span class="words">${recipeName(scheme)}${notes}</span></button>`;
  }
}

function notesTemplate(table: SchemeTable): TemplateResult | typeof nothing {
  if (table.notes.length === 0) return nothing;
  return html`<ul class="notes">
    ${table.notes.map((note) => html`<li><span>${note.number}</span><bdi>${note.text}</bdi></li>`)}
  </ul>`;
}

function isStart(columns: readonly TableColumn[], index: number): boolean {
  return index > 0 && columns[index]?.group !== columns[index - 1]?.group;
}

function headTemplate(column: TableColumn, starts: boolean): TemplateResult {
  return html`<th scope="col" class=${starts ? "start" : ""}>
    ${column.name}${kindMark(column.example)}<span class="unit">${column.unit}</span>
  </th>`;
}

function cellTemplate(column: TableColumn, row: number, place: string): TemplateResult {
  const cell: TableCell = column.cells[row] ?? { form: "none" };
  switch (cell.form) {
    case "figure":
      return html`<td class=${place}>${cell.value}${cell.unit === "" ? nothing : html`<span class="unit"> ${cell.unit}</span>`}</td>`;
    case "waiting":
      return html`<td class="hatched ${place}"><span class="spoken">not measured yet</span></td>`;
    case "words":
      return html`<td class=${place}>${cell.text}</td>`;
    case "none":
      return html`<td class="dim ${place}">–</td>`;
  }
}

customElements.define("lab-scheme-table", LabSchemeTable);
