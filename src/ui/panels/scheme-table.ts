import { html, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { PlanSettings } from "../../engine/api.ts";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult } from "../../engine/result.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, kindMark, wordsMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { recipeName } from "../parts/safe-name.ts";
import { recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles, tableStyles } from "../parts/shared-styles.ts";
import { tableHeadStyles } from "../parts/table-head-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import {
  differingColumns,
  hiddenWords,
  NAME_COLUMN,
  nextSort,
  type SchemeTable,
  schemeTable,
  sortedRows,
  type TableCell,
  type TableColumn,
  type TableSort,
} from "./scheme-table-model.ts";
import { schemeTableStyles } from "./scheme-table-styles.ts";

/** Below this many pixels the twelve columns do not fit side by side, and with that of the divergence. */
const NARROW = { twelve: 1180, thirteen: 1320 } as const;

/** A longer name is not squeezed into a word a line. */
const LONG_NAME = 24;

type TableRow = SchemeTable["rows"][number];

/** A table as it is shown: some columns, rows in their order. */
interface View {
  readonly table: SchemeTable;
  readonly columns: readonly TableColumn[];
  readonly rows: readonly { readonly row: TableRow; readonly at: number }[];
  readonly groupWords: Readonly<Record<TableColumn["group"], string>>;
}

/** The original and each scheme, figure by figure. A row is picked by its name, sorted by the head of a column. */
export class LabSchemeTable extends TurnElement {
  @property({ attribute: false }) result: CompareResult | null = null;
  @property({ attribute: false }) plan: PlanSettings | null = null;
  /** A measurement of these recipes under these rules. */
  @property({ attribute: false }) measured: MeasureResult | null = null;
  /** It is of another text than is chosen now. */
  @property({ type: Boolean }) isOld = false;
  @property() selected = "";
  @state() private sort: TableSort | null = null;
  @state() private showsDifferences = false;

  readonly #width = new OwnWidth(this);

  static override styles = [baseStyles, figureStyles, tableStyles, tableHeadStyles, markStyles, schemeTableStyles];

  protected override render(): TemplateResult | typeof nothing {
    if (this.result === null) return nothing;
    const table = schemeTable(this.result, this.measured);
    const view = this.#view(table);
    const room = this.measured === null ? NARROW.twelve : NARROW.thirteen;
    const isNarrow = this.#width.px > 0 && this.#width.px < room;
    return html`<figure>
      <div class="head">
        <figcaption class="caption">${table.caption.strong} <span>${table.caption.plain}</span></figcaption>
        ${this.#choice(table)}
      </div>
      <div class="scroll" role="region" aria-label="Schemes side by side" tabindex="0">
        ${isNarrow ? this.#turned(view) : this.#upright(view)}
      </div>
      ${notesTemplate(table)}
    </figure>`;
  }

  #view(table: SchemeTable): View {
    const { plan } = this;
    const order = sortedRows(table, this.sort);
    return {
      table,
      columns: this.showsDifferences ? differingColumns(table) : table.columns,
      rows: order.flatMap((at) => {
        const row = table.rows[at];
        return row === undefined ? [] : [{ row, at }];
      }),
      groupWords: {
        size: "size, bits per weight",
        error: "error of the weights",
        divergence:
          this.measured === null ? "" : `${windowWords(this.measured)}${this.isOld ? " of the text before" : ""}`,
        plan:
          plan === null
            ? "plan"
            : `on one ${plan.gpu}, ${formatCount(plan.sequences)} × ${formatCount(plan.contextTokens)} tokens`,
      },
    };
  }

  #choice(table: SchemeTable): TemplateResult {
    const hidden = table.columns.length - differingColumns(table).length;
    const toggle = (): void => {
      this.showsDifferences = !this.showsDifferences;
    };
    return html`<div class="choice">
      <span aria-live="polite">${this.showsDifferences ? hiddenWords(hidden) : ""}</span>
      <button type="button" aria-pressed=${this.showsDifferences} @click=${toggle}>Only what differs</button>
    </div>`;
  }

  #upright({ table, columns, rows, groupWords }: View): TemplateResult {
    const groups = Map.groupBy(columns, (column) => column.group);
    const place = (at: number): string =>
      [isStart(columns, at) ? "start" : "", isWords(columns[at]) ? "left" : ""].join(" ").trim();
    return html`<table>
      <thead>
        <tr>
          <td></td>
          ${[...groups].map(([group, members], at) => html`<th class="group ${at > 0 ? "start" : ""}" colspan=${members.length} scope="colgroup">${groupWords[group]}</th>`)}
        </tr>
        <tr>
          <th class="left" scope="col" aria-sort=${this.#direction(NAME_COLUMN)}>${this.#sortButton(table, NAME_COLUMN)}</th>
          ${columns.map(
            (column, at) => html`<th scope="col" class=${place(at)} aria-sort=${this.#direction(column.name)}>
              ${this.#sortButton(table, column.name)}${sourceMark(column)}<span class="unit">${column.unit}</span>
            </th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(({ row, at }) => {
          const shown = row.failure === null ? columns : columns.filter((column) => column.group === "size");
          const rest = columns.length - shown.length;
          return html`<tr class=${this.#picked(row.scheme)}>
            <th scope="row">${this.#name(row)}</th>
            ${shown.map((column, index) => cellTemplate(column, at, place(index)))}
            ${rest === 0 ? nothing : html`<td class="why start" colspan=${rest}>${row.failure}</td>`}
          </tr>`;
        })}
      </tbody>
    </table>`;
  }

  /** Schemes as columns: what is compared stays side by side where the page is narrow. */
  #turned({ table, columns, rows, groupWords }: View): TemplateResult {
    return html`<table class="turned">
        <thead>
          <tr>
            <th class="left" scope="row" aria-sort=${this.#direction(NAME_COLUMN)}>${this.#sortButton(table, NAME_COLUMN)}</th>
            ${rows.map(({ row }) => html`<th scope="col" class=${this.#picked(row.scheme)}>${this.#name(row)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${columns.map(
            (column, index) => html`
              ${
                index === 0 || isStart(columns, index)
                  ? html`<tr class="group-row"><th scope="colgroup" colspan=${rows.length + 1}>${groupWords[column.group]}</th></tr>`
                  : nothing
              }
              <tr>
                <th scope="row" aria-sort=${this.#direction(column.name)}>
                  ${this.#sortButton(table, column.name)}${sourceMark(column)}${column.unit === "" ? nothing : html` <span class="dim">${column.unit}</span>`}
                </th>
                ${rows.map(({ row, at }) => cellTemplate(column, at, `${this.#picked(row.scheme)} ${isWords(column) ? "words" : ""}`.trim()))}
              </tr>
            `,
          )}
        </tbody>
      </table>
      ${rows.map(({ row }) => (row.failure === null ? nothing : html`<p class="small"><span class="failed">✕</span> ${row.name}: ${row.failure}</p>`))}`;
  }

  #direction(name: string): TableSort["direction"] | typeof nothing {
    return this.sort?.column === name ? this.sort.direction : nothing;
  }

  #sortButton(table: SchemeTable, name: string): TemplateResult {
    const press = (): void => {
      this.sort = nextSort(table, this.sort, name);
    };
    const direction = this.#direction(name);
    const arrow = direction === nothing ? nothing : direction === "ascending" ? "↑" : "↓";
    return html`<button type="button" class="sort" @click=${press}>${name}<span class="arrow" aria-hidden="true">${arrow}</span></button>`;
  }

  #picked(scheme: string | null): string {
    return scheme !== null && scheme === this.selected ? "picked" : "";
  }

  #name(row: TableRow): TemplateResult {
    const { scheme } = row;
    if (scheme === null) return html`<span class="name">${recipeMark(row.look)}${row.name}</span>`;
    const mark =
      row.failure === null ? recipeMark(row.look) : html`<span class="failed" role="img" aria-label="failed">✕</span>`;
    const notes =
      row.notes.length === 0
        ? nothing
        : html`<sup class="ref"><span class="spoken">, note </span>${row.notes.join(", ")}</sup>`;
    return html`<button type="button" class="name" aria-pressed=${scheme === this.selected} data-tip=${row.description}
      @click=${() => emit(this, "lab-pick-scheme", scheme)}>${mark}<span class="words ${scheme.length > LONG_NAME ? "long" : ""}">${recipeName(scheme)}${notes}</span></button>`;
  }
}

function windowWords({ text }: MeasureResult): string {
  return text.doneWindows === 1 ? "over one window" : `over ${formatCount(text.doneWindows)} windows`;
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

/** Words of several letters stand at the left, so that they are read from one edge. */
function isWords(column: TableColumn | undefined): boolean {
  return column?.about !== "";
}

function sourceMark(column: TableColumn): TemplateResult | typeof nothing {
  const stands = column.group === "divergence" ? "positions" : "weights";
  return column.about === "" ? kindMark(column.example, stands) : wordsMark(KIND_GLYPHS.computed, column.about);
}

function cellTemplate(column: TableColumn, row: number, place: string): TemplateResult {
  const cell: TableCell = column.cells[row] ?? { form: "none" };
  switch (cell.form) {
    case "figure":
      if (column.group === "divergence") {
        return html`<td class=${place}>${cell.value}<span class="unit range">${cell.unit}</span></td>`;
      }
      return html`<td class=${place}>${cell.value}${cell.unit === "" ? nothing : html`<span class="unit"> ${cell.unit}</span>`}</td>`;
    case "waiting":
      return html`<td class="hatched ${place}"><span class="spoken">not measured yet</span></td>`;
    case "words":
      return html`<td class=${place}><bdi>${cell.text}</bdi></td>`;
    case "none":
      return html`<td class="dim ${place}">–</td>`;
  }
}

customElements.define("lab-scheme-table", LabSchemeTable);
