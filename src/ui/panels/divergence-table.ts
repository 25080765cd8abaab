import { html, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { MeasureResult } from "../../engine/measure-result.ts";
import { toCsv } from "../charts/table-text.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { recipeName, safeName } from "../parts/safe-name.ts";
import { recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, figureStyles, tableStyles } from "../parts/shared-styles.ts";
import { tableHeadStyles } from "../parts/table-head-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import {
  exampleTable,
  type StatisticsCell,
  type StatisticsColumn,
  type StatisticsTable,
  statisticsCsvTable,
  statisticsTable,
  statisticsText,
} from "./divergence-table-model.ts";
import { divergenceTableStyles } from "./divergence-table-styles.ts";
import { emit } from "./panel-events.ts";

/** Narrower than this, each model is a card. */
const NARROW = 600;

/** llama.cpp's statistics of every measured model side by side, and its parts of the text below. */
export class LabDivergenceTable extends TurnElement {
  /** Null: an example stands there, dimmed, and the button that measures. */
  @property({ attribute: false }) result: MeasureResult | null = null;
  /** Recipes that are being measured before there is a figure; null while nothing runs. */
  @property({ attribute: false }) waiting: readonly string[] | null = null;
  @property() selected = "";
  @state() private copied: "text" | "csv" | null = null;

  readonly #width = new OwnWidth(this);

  static override styles = [
    baseStyles,
    controlStyles,
    figureStyles,
    tableStyles,
    tableHeadStyles,
    markStyles,
    divergenceTableStyles,
  ];

  protected override render(): TemplateResult {
    const { result, waiting } = this;
    if (result === null) return waiting === null ? this.#empty() : this.#waiting(waiting);
    const table = statisticsTable(result);
    const isNarrow = this.#width.px > 0 && this.#width.px < NARROW;
    return html`<figure>
      <div class="head">
        <figcaption class="caption">${table.caption.strong} <span>${table.caption.plain}</span></figcaption>
        <div class="choice" role="group" aria-label="Copy the statistics">
          <button type="button" @click=${() => this.#copy("text", statisticsText(result))}>${this.copied === "text" ? "Copied" : "Copy as llama.cpp prints"}</button>
          <button type="button" @click=${() => this.#copy("csv", toCsv(statisticsCsvTable(result)))}>${this.copied === "csv" ? "Copied" : "Copy CSV"}</button>
        </div>
      </div>
      ${isNarrow ? this.#cards(table) : this.#table(table, !result.finished, result)}
      <p class="spoken" aria-live="polite">${this.copied === null ? "" : "Copied"}</p>
    </figure>`;
  }

  #empty(): TemplateResult {
    return html`<figure>
      <figcaption class="caption">How far does each scheme move what the model says?
        <span>Measuring runs the original and every scheme over a text and compares their predictions; here dimmed, what it says of quantlab-4m.</span></figcaption>
      <div class="example" aria-hidden="true">${this.#plain(exampleTable(null), false)}</div>
      <div class="actions"><button type="button" class="button" @click=${() => emit(this, "lab-measure", undefined)}>Measure</button></div>
    </figure>`;
  }

  #waiting(schemes: readonly string[]): TemplateResult {
    return html`<figure>
      <figcaption class="caption">The first window brings the first figures. <span>Each hatched place waits for it.</span></figcaption>
      <div class="scroll" role="region" aria-label="Statistics of the divergence" tabindex="0">${this.#plain(exampleTable(schemes), true)}</div>
    </figure>`;
  }

  /** A table that says nothing yet. */
  #plain({ columns, sections }: StatisticsTable, waits: boolean): TemplateResult {
    return html`<table>
      <thead><tr><th class="left" scope="col">statistic</th>${columns.map((column) => html`<th scope="col">${headTemplate(column)}</th>`)}</tr></thead>
      <tbody>${sections[0]?.rows.map(
        ({ label, unit, cells }) => html`<tr><th scope="row">${label} <span class="unit">${unit}</span></th>
          ${cells.map((cell) => (waits ? html`<td class="hatched"><span class="spoken">not measured yet</span></td>` : cellTemplate(cell, "")))}</tr>`,
      )}</tbody>
    </table>`;
  }

  #table({ columns, sections }: StatisticsTable, isPartial: boolean, { rows }: MeasureResult): TemplateResult {
    const scored = rows[0]?.divergence?.scored ?? 0;
    const place = ({ scheme }: StatisticsColumn): string =>
      scheme !== null && scheme === this.selected ? "picked" : "";
    return html`<div class="scroll" role="region" aria-label="Statistics of the divergence" tabindex="0">
      <table>
        <thead>
          <tr class=${isPartial ? "growing" : ""}>
            <th class="left" scope="col">statistic${wordsMark(KIND_GLYPHS.measured, `Measured here over ${scored} positions; names, order and ± are llama.cpp's`)}</th>
            ${columns.map((column) => html`<th scope="col" class=${place(column)}>${this.#head(column)}</th>`)}
          </tr>
        </thead>
        ${sections.map(
          (section) => html`<tbody>
            <tr class="group-row"><th scope="colgroup" colspan=${columns.length + 1}>${section.title}</th></tr>
            ${section.rows.map(
              ({ label, unit, cells, about }) => html`<tr>
                <th scope="row"><bdi>${label}</bdi>${about === undefined ? nothing : wordsMark(KIND_GLYPHS.measured, about)} <span class="unit">${unit}</span></th>
                ${cells.map((cell, at) => cellTemplate(cell, columns[at] === undefined ? "" : place(columns[at])))}
              </tr>`,
            )}
          </tbody>`,
        )}
      </table>
    </div>`;
  }

  /** One model after the other, the chosen one open. */
  #cards({ columns, sections }: StatisticsTable): TemplateResult {
    const mean = sections.flatMap(({ rows }) => rows).find(({ label }) => label === "Mean KLD");
    return html`<div class="cards">
      ${columns.map(
        (column, at) => html`<details ?open=${column.scheme !== null && column.scheme === this.selected}>
          <summary>${recipeMark(column.look)}<b>${safeName(column.name)}</b> <span class="small">mean KLD ${mean?.cells[at]?.value ?? "–"}</span></summary>
          ${sections.map(
            ({ title, rows }) => html`<h3>${title}</h3>
              <dl class="numbers">${rows.map(
                ({
                  label,
                  unit,
                  cells,
                  about,
                }) => html`<dt>${label}${about === undefined ? nothing : wordsMark(KIND_GLYPHS.measured, about)}</dt>
                  <dd>${alarmMark(cells[at])}${cells[at]?.value ?? "–"} <span class="unit">${cells[at]?.spread ?? ""} ${unit}</span></dd>`,
              )}</dl>`,
          )}
        </details>`,
      )}
    </div>`;
  }

  #head(column: StatisticsColumn): TemplateResult {
    const { scheme, note } = column;
    const under = note === "" ? nothing : html`<span class="under">${note}</span>`;
    if (scheme === null) return html`${headTemplate(column)}${under}`;
    return html`<button type="button" class="name" aria-pressed=${scheme === this.selected}
      @click=${() => emit(this, "lab-pick-scheme", scheme)}>${headTemplate(column)}</button>${under}`;
  }

  async #copy(what: "text" | "csv", text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // The browser keeps the clipboard to itself; the table can be selected by hand.
      return;
    }
    this.copied = what;
    setTimeout(() => {
      this.copied = null;
    }, 2000);
  }
}

function headTemplate({ look, name }: StatisticsColumn): TemplateResult {
  return html`<span class="head-name">${recipeMark(look)}<span>${recipeName(name)}</span></span>`;
}

function cellTemplate(cell: StatisticsCell | null, place: string): TemplateResult {
  if (cell === null) return html`<td class="dim ${place}">–<span class="spread"></span></td>`;
  return html`<td class=${place}>${alarmMark(cell)}${cell.value}<span class="spread">${cell.spread}</span></td>`;
}

function alarmMark(cell: StatisticsCell | null | undefined): TemplateResult | typeof nothing {
  return cell?.isAlarm ? html`<span class="alarm" role="img" aria-label="Warning:">!</span>` : nothing;
}

customElements.define("lab-divergence-table", LabDivergenceTable);
