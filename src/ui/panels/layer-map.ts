import { css, html, nothing, svg, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { SchemeResult } from "../../engine/result.ts";
import { heatMapChart } from "../charts/heat-map.ts";
import "../charts/lab-chart.ts";
import { MAGNITUDE_STEPS } from "../charts/theme.ts";
import { differs } from "../parts/differs.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { schemePillStyles, schemePills } from "../parts/scheme-pills.ts";
import { baseStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { EXAMPLE_MAP, layerMap } from "./layer-map-model.ts";
import { emit } from "./panel-events.ts";

/** Where it hurts: signal over error of each matrix, layer by module kind. */
export class LabLayerMap extends TurnElement {
  @property({ attribute: false }) scheme: SchemeResult | null = null;
  @property({ attribute: false, hasChanged: differs }) schemes: readonly string[] = [];
  @property({ type: Number }) decoderLayers: number | null = null;
  @property() selected: string | null = null;
  /** Name of the model, for files. */
  @property() model = "";

  static override styles = [
    baseStyles,
    pillStyles,
    markStyles,
    schemePillStyles,
    css`
      .foot {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s4);
        align-items: center;
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
      .notches path {
        fill: var(--ink);
      }
      .ramp rect {
        forced-color-adjust: none;
      }
      @media print {
        .keys {
          display: none;
        }
      }
      @media (max-width: 599px) {
        .keys {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { scheme } = this;
    const map = scheme === null ? null : layerMap(scheme, this.decoderLayers, this.selected);
    return html`<lab-chart
      .chart=${heatMapChart}
      .data=${map?.data ?? null}
      .example=${EXAMPLE_MAP}
      .emptyWords=${"Every matrix of a model will stand here by its error, layer by layer."}
      .name=${"Error by layer and module"}
      .subject=${`${this.model} ${scheme?.scheme ?? ""}`}
      .note=${`signal over error of each matrix, dB · stronger is worse`}
      .isPartial=${scheme !== null && scheme.layers.length < scheme.modules}
      @chart-pick=${this.#pick}
    >
      ${this.schemes.length > 1 ? schemePills(this.schemes, scheme?.scheme ?? "", (name) => emit(this, "lab-pick-scheme", name)) : nothing}
      <span slot="note">${
        scheme === null
          ? nothing
          : html`signal over error of each matrix, ${safeName(scheme.scheme)}, dB · stronger is worse${wordsMark("●", "Measured here, over all weights of each matrix")}`
      }</span>
      <span slot="legend" class="foot">
        ${map?.legend ? legendTemplate(map.legend.good, map.legend.bad) : nothing}
        ${
          map?.notches
            ? html`<span class="notches"><svg width="8" height="8" aria-hidden="true"><path d="M0 0h8v8z"></path></svg>${map.notches}</span>`
            : nothing
        }
        <span class="keys">arrows walk &ensp;<kbd>Enter</kbd> opens</span>
      </span>
    </lab-chart>`;
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    emit(this, "lab-pick-module", event.detail);
  };
}

function legendTemplate(good: string, bad: string): TemplateResult {
  return html`<span class="ramp">
    <span>${good}</span>
    <svg width="120" height="10" aria-hidden="true">
      ${Array.from({ length: MAGNITUDE_STEPS }, (_, step) => svg`<rect fill=${`var(--m${step})`} x=${step * 12} width="12" height="10"></rect>`)}
    </svg>
    <span>${bad}</span>
  </span>`;
}

customElements.define("lab-layer-map", LabLayerMap);
