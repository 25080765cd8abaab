import { css, html, type PropertyValues, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { ErrorWindow } from "../../engine/error-window.ts";
import type { MatrixSheet } from "../../engine/sheet.ts";
import { covers, type ErrorView, errorMapChart, viewOfBlock, visiblePart } from "../charts/error-map.ts";
import "../charts/lab-chart.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { errorMapOf, moved, partToAsk, zoomed, zoomWords } from "./error-map-model.ts";
import { emit } from "./panel-events.ts";

const HEIGHT = 246;

/** What error remains where: the matrix weight by weight, with zoom, minimap and keys. */
export class LabErrorMap extends TurnElement {
  @property({ attribute: false }) sheet: MatrixSheet | null = null;
  @property({ attribute: false }) errorPart: ErrorWindow | null = null;
  @property({ attribute: false }) view: ErrorView = { row: 0, column: 0, zoom: 4 };
  @property() subject = "";

  readonly #width = new OwnWidth(this);

  static override styles = [
    baseStyles,
    css`
      .zoom {
        display: flex;
        align-items: center;
        gap: 2px;
        font: var(--t-small);
      }
      .zoom button {
        min-width: 24px;
        height: 24px;
        padding: 0 6px;
        border: 1px solid var(--line-2);
        border-radius: 4px;
        background: none;
        color: var(--ink-2);
        font: var(--t-small);
        cursor: pointer;
      }
      .zoom button:hover {
        border-color: var(--line-3);
        color: var(--ink);
      }
      .zoom output {
        min-width: 40px;
        text-align: center;
        font-variant-numeric: tabular-nums;
      }
      @media print {
        .zoom {
          display: none;
        }
      }
    `,
  ];

  /** Does what a key means here: `0` 1:1, `f` the whole, `+` and `-` nearer and farther. @returns whether it meant something */
  act(key: string): boolean {
    if (this.sheet === null) return false;
    if (key === "0") this.#look({ ...this.view, zoom: 1 });
    else if (key === "f") this.#look({ ...this.view, zoom: "fit" });
    else if (key === "+" || key === "=") this.#look(zoomed(this.view, 1));
    else if (key === "-") this.#look(zoomed(this.view, -1));
    else return false;
    return true;
  }

  protected override render(): TemplateResult {
    const { sheet } = this;
    return html`<lab-chart
      .chart=${errorMapChart}
      .data=${sheet === null ? null : errorMapOf(sheet, this.errorPart, this.view)}
      .emptyWords=${"What error remains in each weight."}
      .name=${"Error map"}
      .subject=${this.subject}
      .note=${"error of each weight: original less what is loaded back"}
      .height=${HEIGHT}
      @chart-pick=${this.#pick}
      @keydown=${this.#key}
    >
      <span slot="note">error of each weight, weight units${wordsMark("●", "Measured here, over all weights of this matrix")}</span>
      <div slot="legend" class="zoom" role="group" aria-label="Zoom of the error map">
        <button type="button" aria-label="Farther" @click=${() => this.act("-")}>−</button>
        <output aria-label="Pixels a weight">${zoomWords(this.view.zoom)}</output>
        <button type="button" aria-label="Nearer" @click=${() => this.act("+")}>+</button>
        <button type="button" @click=${() => this.act("0")}>1:1 <kbd>0</kbd></button>
        <button type="button" @click=${() => this.act("f")}>whole <kbd>f</kbd></button>
      </div>
    </lab-chart>`;
  }

  protected override updated(_changed: PropertyValues<this>): void {
    const { sheet } = this;
    const seen = this.#seen();
    if (sheet === null || seen === null || this.#width.px === 0 || covers(this.errorPart, seen)) return;
    const part = partToAsk(seen, { rows: sheet.rows, columns: sheet.cols });
    emit(this, "lab-need-errors", { recipe: sheet.recipe, part });
  }

  #seen() {
    const { sheet } = this;
    if (sheet === null) return null;
    const size = { width: this.#width.px, height: HEIGHT };
    return visiblePart(this.view, size, { rows: sheet.rows, columns: sheet.cols });
  }

  #look(view: ErrorView): void {
    emit(this, "lab-view-errors", view);
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    const { sheet } = this;
    const view = sheet && viewOfBlock(event.detail, this.view, { rows: sheet.rows, columns: sheet.cols });
    if (view !== null) this.#look(view);
  };

  /** Arrows with Shift move what is seen; without it they walk from weight to weight. */
  readonly #key = (event: KeyboardEvent): void => {
    if (!event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return;
    const ways: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
    };
    const way = ways[event.key];
    if (way === undefined) return;
    event.preventDefault();
    this.#look(moved(this.view, this.#seen(), ...way));
  };
}

customElements.define("lab-error-map", LabErrorMap);
