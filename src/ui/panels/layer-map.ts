import { css, html, LitElement, nothing, type PropertyValues, svg, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import type { SchemeResult } from "../../engine/result.ts";
import { drawHeatMap, type HeatMapData, heatMapTemplate, isWalk, RAMP_STEPS, walkCells } from "../charts/heat-map.ts";
import { heatMapStyles } from "../charts/heat-map-styles.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { safeName } from "../parts/safe-name.ts";
import { recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { layerMap } from "./layer-map-model.ts";
import { emit } from "./panel-events.ts";

/** A longer name is cut on its button and shown whole beside the pointer. */
const LONGEST_ON_PILL = 28;

const LABEL_WIDTH = { grid: 96, list: 220 } as const;

/** Where it hurts: signal over error of each matrix, layer by module kind. */
export class LabLayerMap extends LitElement {
  @property({ attribute: false }) scheme: SchemeResult | null = null;
  @property({ attribute: false }) schemes: readonly string[] = [];
  @property({ type: Number }) decoderLayers: number | null = null;
  @property() selected: string | null = null;
  @state() private focused: string | null = null;
  @state() private spoken = "";

  readonly #width = new OwnWidth(this);

  static override styles = [
    baseStyles,
    heatMapStyles,
    markStyles,
    css`
      .head {
        display: flex;
        flex-wrap: wrap;
        justify-content: space-between;
        align-items: flex-start;
        gap: var(--s1) var(--s4);
        margin-bottom: var(--s2);
      }
      .caption {
        flex: 1 1 320px;
      }
      .choice {
        display: flex;
        flex: 0 1 auto;
        flex-wrap: wrap;
        gap: var(--s1);
      }
      .choice button {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        max-width: 240px;
        min-height: 26px;
        padding: 3px 9px 3px 7px;
        border: 1px solid var(--line-2);
        border-radius: var(--radius);
        background: none;
        color: var(--ink-2);
        font: var(--t-small);
        cursor: pointer;
      }
      .choice button:hover {
        border-color: var(--line-3);
      }
      .choice button[aria-pressed="true"] {
        border-color: var(--ink);
        box-shadow: inset 0 0 0 1px var(--ink);
        color: var(--ink);
        font-weight: 600;
      }
      .choice bdi {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .picture + .picture {
        margin-top: var(--s3);
      }
      .grid .row-label {
        width: 96px;
      }
      .list .row-label {
        width: 220px;
        justify-content: flex-start;
      }
      .unit-line {
        margin-bottom: var(--s1);
        font: var(--t-small);
        color: var(--ink-3);
      }
      .foot {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s4);
        align-items: center;
        justify-content: space-between;
        margin-top: var(--s2);
        font: var(--t-small);
        color: var(--ink-3);
      }
      .ramp {
        display: inline-flex;
        align-items: center;
        gap: var(--s2);
        font-variant-numeric: tabular-nums;
      }
      .ramp svg,
      .notches svg {
        display: inline-block;
      }
      .notches svg {
        margin-right: 6px;
      }
      @media (forced-colors: active) {
        .choice button[aria-pressed="true"] {
          outline: 2px solid Highlight;
        }
      }
      @media (max-width: 599px) {
        .keys {
          display: none;
        }
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("scheme") && changed.get("scheme")?.scheme !== this.scheme?.scheme) this.focused = null;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (this.scheme === null) return nothing;
    const map = layerMap(this.scheme, this.decoderLayers);
    return html`
      <figure>
        <div class="head">
          <figcaption class="caption">${map.caption.strong} <span>${map.caption.plain}</span></figcaption>
          ${this.schemes.length > 1 ? this.#choice() : nothing}
        </div>
        <p class="unit-line">
          signal over error of each matrix, ${safeName(this.scheme.scheme)}, dB · stronger is worse${wordsMark("●", "Measured here, over all weights of each matrix")}
        </p>
        ${map.grid === null ? nothing : this.#picture(map.grid, "grid")}
        ${map.list === null ? nothing : this.#picture(map.list, "list")}
        <div class="foot">
          ${map.legend === null ? html`<span></span>` : legendTemplate(map.legend.good, map.legend.bad)}
          ${
            map.notches === null
              ? nothing
              : html`<span class="notches"><svg width="8" height="8" aria-hidden="true"><path class="notch" d="M0 0h8v8z"></path></svg>${map.notches}</span>`
          }
          <span class="keys"><kbd>←</kbd> <kbd>↑</kbd> <kbd>↓</kbd> <kbd>→</kbd> walk &ensp;<kbd>Enter</kbd> opens a matrix</span>
        </div>
        <p class="spoken" aria-live="polite">${this.spoken}</p>
      </figure>
    `;
  }

  #choice(): TemplateResult {
    return html`<div class="choice" role="group" aria-label="Scheme shown">
      ${this.schemes.map(
        (name) =>
          html`<button type="button" aria-pressed=${name === this.scheme?.scheme} data-tip=${name.length > LONGEST_ON_PILL ? quote(name) : nothing}
            @click=${() => emit(this, "lab-pick-scheme", name)}>${recipeMark(recipeLook(name))}${safeName(name)}</button>`,
      )}
    </div>`;
  }

  #picture(data: HeatMapData, form: "grid" | "list"): TemplateResult {
    const drawing = drawHeatMap(data, { width: this.#width.px, labelWidth: LABEL_WIDTH[form] });
    const name = form === "grid" ? "Error by layer and module" : "Error of the modules outside the layers";
    return html`<div class="picture ${form}">
      ${heatMapTemplate(
        drawing,
        { selected: this.selected, focused: this.focused, name },
        {
          onPick: (key) => this.#pick(data, key),
          onFocus: (key) => {
            this.focused = key;
          },
          onKey: (event) => this.#key(event, data),
        },
      )}
    </div>`;
  }

  #pick(data: HeatMapData, key: string): void {
    const cell = data.cells.find((candidate) => candidate.key === key);
    const isTotal = data.hasTotals && cell?.row === data.rows.length - 1;
    if (cell === undefined || cell.state === "waiting" || isTotal) return;
    this.spoken = `Opened ${cell.sentence}`;
    emit(this, "lab-pick-module", key);
  }

  #key(event: KeyboardEvent, data: HeatMapData): void {
    const from = (event.target as Element).getAttribute("data-key") ?? "";
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#pick(data, from);
    } else if (isWalk(event.key) && !event.metaKey && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      const next = walkCells(data.cells, from, event.key);
      const cell = this.renderRoot.querySelector<SVGGElement>(`[data-key="${CSS.escape(next)}"]`);
      cell?.focus();
      cell?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
}

function legendTemplate(good: string, bad: string): TemplateResult {
  return html`<span class="ramp">
    <span>${good}</span>
    <svg width="120" height="10" aria-hidden="true">
      ${Array.from({ length: RAMP_STEPS }, (_, step) => svg`<g class="m${step}"><rect class="face" x=${step * 12} width="12" height="10"></rect></g>`)}
    </svg>
    <span>${bad}</span>
  </span>`;
}

customElements.define("lab-layer-map", LabLayerMap);
