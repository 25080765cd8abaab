import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { CompareResult } from "../../engine/result.ts";
import { frontierChart } from "../charts/frontier.ts";
import "../charts/lab-chart.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { kindMark } from "../parts/number-kind.ts";
import { recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import {
  FRONTIER_EXAMPLE,
  FRONTIER_NOTE,
  frontierLegend,
  frontierView,
  type LegendItem,
} from "./scheme-frontier-model.ts";

/** Which scheme is worth its bits: every scheme by true size and error. A mark is picked by a press. */
export class LabSchemeFrontier extends TurnElement {
  /** Null: an example stands there, dimmed. */
  @property({ attribute: false }) result: CompareResult | null = null;
  @property() selected = "";

  static override styles = [
    baseStyles,
    figureStyles,
    markStyles,
    css`
      .legend {
        display: flex;
        flex-wrap: wrap;
        gap: 2px var(--s3);
      }
      .legend span {
        display: inline-flex;
        align-items: center;
        gap: var(--s1);
      }
      .legend i {
        width: 12px;
        height: 12px;
      }
      .legend b {
        color: var(--fail);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { result } = this;
    const view = result === null ? null : frontierView(result, this.selected);
    return html`<lab-chart
      name="Schemes by size and error"
      emptyWords="Every scheme will stand here by size and error."
      .chart=${frontierChart}
      .data=${view?.data ?? null}
      .example=${FRONTIER_EXAMPLE}
      .subject=${result?.model.name ?? ""}
      .note=${FRONTIER_NOTE}
      .isPartial=${result !== null && !result.finished}
      @chart-pick=${this.#pick}
    >
      <span slot="note">${FRONTIER_NOTE}${kindMark(view?.example)}</span>
      ${view === null ? nothing : html`<span slot="legend" class="legend">${frontierLegend(view.data).map(legendTemplate)}</span>`}
    </lab-chart>`;
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    emit(this, "lab-pick-scheme", event.detail);
  };
}

function legendTemplate({ sign, look, words }: LegendItem): TemplateResult {
  switch (sign) {
    case "mark":
      return html`<span>${recipeMark(look)}${words}</span>`;
    case "hatch":
      return html`<span><i class="hatched"></i>${words}</span>`;
    case "cross":
      return html`<span><b>✕</b>${words}</span>`;
    case "none":
      return html`<span>${words}</span>`;
  }
}

customElements.define("lab-scheme-frontier", LabSchemeFrontier);
