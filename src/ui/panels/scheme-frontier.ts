import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult } from "../../engine/result.ts";
import { frontierChart } from "../charts/frontier.ts";
import "../charts/lab-chart.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { kindMark } from "../parts/number-kind.ts";
import { recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, figureStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit, type FrontierBy } from "./panel-events.ts";
import {
  DIVERGENCE_NOTE,
  divergenceView,
  FRONTIER_EXAMPLE,
  FRONTIER_NOTE,
  frontierLegend,
  frontierView,
  type LegendItem,
} from "./scheme-frontier-model.ts";

const WAYS: readonly { readonly by: FrontierBy; readonly words: string }[] = [
  { by: "weights", words: "Weights’ error" },
  { by: "divergence", words: "Divergence" },
];

/** Which scheme is worth its bits: every scheme by true size and error, or by divergence. A mark is picked by a press. */
export class LabSchemeFrontier extends TurnElement {
  /** Null: an example stands there, dimmed. */
  @property({ attribute: false }) result: CompareResult | null = null;
  /** Once there is one, the picture can be turned to it. */
  @property({ attribute: false }) measured: MeasureResult | null = null;
  @property() by: FrontierBy = "weights";
  @property() selected = "";

  static override styles = [
    baseStyles,
    figureStyles,
    pillStyles,
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
      .ways {
        display: flex;
        gap: var(--s1);
      }
      @media print {
        .ways {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { result, measured } = this;
    const isByText = this.by === "divergence" && measured !== null;
    const view = isByText
      ? divergenceView(measured, this.selected)
      : result === null
        ? null
        : frontierView(result, this.selected);
    const shown = isByText ? measured : result;
    const note = isByText ? DIVERGENCE_NOTE : FRONTIER_NOTE;
    return html`<lab-chart
      name="Schemes by size and error"
      emptyWords="Every scheme will stand here by size and error."
      .chart=${frontierChart}
      .data=${view?.data ?? null}
      .example=${FRONTIER_EXAMPLE}
      .subject=${`${shown?.model.name ?? ""}${isByText ? " divergence" : ""}`}
      .note=${note}
      .isPartial=${shown !== null && !shown.finished}
      @chart-pick=${this.#pick}
    >
      ${measured === null ? nothing : this.#switch(isByText)}
      <span slot="note">${note}${kindMark(view?.example, isByText ? "positions" : "weights")}</span>
      ${view === null ? nothing : html`<span slot="legend" class="legend">${frontierLegend(view.data).map(legendTemplate)}</span>`}
    </lab-chart>`;
  }

  #switch(isByText: boolean): TemplateResult {
    const current: FrontierBy = isByText ? "divergence" : "weights";
    return html`<div slot="head" class="ways" role="group" aria-label="What is drawn upwards">
      ${WAYS.map(
        ({ by, words }) =>
          html`<button type="button" class="pill" aria-pressed=${by === current} @click=${() => emit(this, "lab-show-by", by)}>${words}</button>`,
      )}
    </div>`;
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    event.stopPropagation();
    // A checkpoint that was given is no recipe to look at.
    const isGiven = this.measured?.rows.some(({ scheme, method }) => scheme === event.detail && method === "given");
    if (isGiven !== true || this.by === "weights") emit(this, "lab-pick-scheme", event.detail);
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
