import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { PlanSettings } from "../../engine/api.ts";
import type { CompareResult } from "../../engine/result.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { kindMark } from "../parts/number-kind.ts";
import { schemeFamily, schemeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles, tableStyles } from "../parts/shared-styles.ts";
import { emit } from "./panel-events.ts";
import { schemeTable, type TableCell, type TableColumn } from "./scheme-table-model.ts";

/** The original and each scheme, figure by figure. A row is picked by its name. */
export class LabSchemeTable extends LitElement {
  @property({ attribute: false }) result: CompareResult | null = null;
  @property({ attribute: false }) plan: PlanSettings | null = null;
  @property() selected = "";

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
      .failed {
        color: var(--fail);
      }
      .why {
        white-space: normal;
        text-align: left;
        color: var(--ink-2);
      }
      .start {
        border-left: 12px solid transparent;
        background-clip: padding-box;
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
      @media (max-width: 599px) {
        .start {
          border-left: 0;
        }
        tr.picked {
          background: var(--sunk);
          box-shadow: inset 3px 0 var(--ink);
          padding-left: 10px;
          margin-left: -8px;
        }
        tr.picked > * {
          background: none;
          box-shadow: none;
        }
        tr.picked > th::before {
          display: none;
        }
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
    return html`
      <figure>
        <figcaption class="caption">${table.caption.strong} <span>${table.caption.plain}</span></figcaption>
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
                (row, index) => html`<tr class=${row.scheme !== null && row.scheme === this.selected ? "picked" : ""}>
                  <th scope="row">${this.#name(row)}</th>
                  ${
                    row.failure === null
                      ? table.columns.map((column, at) => cellTemplate(column, index, isStart(table.columns, at)))
                      : html`${table.columns.filter((column) => column.group === "size").map((column) => cellTemplate(column, index, false))}
                          <td class="why wide start" colspan="7">${row.failure}</td>`
                  }
                </tr>`,
              )}
            </tbody>
          </table>
        </div>
      </figure>
    `;
  }

  #name(row: ReturnType<typeof schemeTable>["rows"][number]): TemplateResult {
    const { scheme } = row;
    if (scheme === null) return html`<span class="name">${schemeMark("orig", false)}${row.name}</span>`;
    const mark = row.failure === null ? schemeMark(schemeFamily(scheme), row.roundsActivations) : html`<span class="failed" role="img" aria-label="failed">✕</span>`;
    return html`<button type="button" class="name" aria-pressed=${scheme === this.selected} data-tip=${row.description}
      @click=${() => emit(this, "lab-pick-scheme", scheme)}>${mark}${row.name}</button>`;
  }
}

function isStart(columns: readonly TableColumn[], index: number): boolean {
  return index > 0 && columns[index]?.group !== columns[index - 1]?.group;
}

function headTemplate(column: TableColumn, starts: boolean): TemplateResult {
  return html`<th scope="col" class=${starts ? "start" : ""}>
    ${column.name}${kindMark(column.example)}<span class="unit">${column.unit}</span>
  </th>`;
}

function cellTemplate(column: TableColumn, row: number, starts: boolean): TemplateResult {
  const cell: TableCell = column.cells[row] ?? { form: "none" };
  const start = starts ? "start" : "";
  const head = column.unit === "" ? column.name : `${column.name}, ${column.unit}`;
  switch (cell.form) {
    case "figure":
      return html`<td class=${start} data-head=${head}>${cell.value}${cell.unit === "" ? nothing : html`<span class="unit"> ${cell.unit}</span>`}</td>`;
    case "waiting":
      return html`<td class="hatched ${start}" data-head=${head}><span class="spoken">not measured yet</span></td>`;
    case "words":
      return html`<td class=${start} data-head=${head}>${cell.text}</td>`;
    case "none":
      return html`<td class="dim ${start}" data-head=${head}>–</td>`;
  }
}

customElements.define("lab-scheme-table", LabSchemeTable);
