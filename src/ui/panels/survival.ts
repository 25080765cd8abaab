import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { MeasuredTokens } from "../../engine/measure-result.ts";
import "../charts/lab-chart.ts";
import { type SurvivalData, type SurvivalLine, survivalChart } from "../charts/survival-curve.ts";
import { differs } from "../parts/differs.ts";
import { familyStyles } from "../parts/mark-styles.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import { survivalOf } from "./survival-model.ts";

/** How many predictions move how far, a line for each scheme. */
export class LabSurvival extends TurnElement {
  @property({ attribute: false }) tokens: MeasuredTokens | null = null;
  /** Rows that are recipes: they can be chosen. */
  @property({ attribute: false, hasChanged: differs }) recipes: readonly string[] = [];
  @property() selected = "";
  /** More windows are on their way. */
  @property({ type: Boolean }) isPartial = false;
  /** Name of the model, for files. */
  @property() model = "";

  static override styles = [
    baseStyles,
    familyStyles,
    css`
      .key {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s3);
      }
      .key button {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        min-height: 24px;
        padding: 0 4px;
        border: 0;
        background: none;
        color: var(--ink-2);
        font: var(--t-small);
        cursor: pointer;
      }
      .key button[aria-pressed="true"] {
        color: var(--ink);
        font-weight: 600;
      }
      .key path {
        stroke: var(--family);
        fill: none;
      }
      @media (forced-colors: active) {
        .key svg {
          forced-color-adjust: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const data = survivalOf(this.tokens, this.recipes, this.selected);
    if (data === null) return nothing;
    return html`<lab-chart .chart=${survivalChart} .data=${data} .name=${"Positions by divergence"} .subject=${this.model} .height=${320}
      .isPartial=${this.isPartial} @chart-pick=${(event: CustomEvent<string>) => this.#pick(event, data)}>
      <span slot="legend" class="key" role="group" aria-label="Lines">${data.lines.map((line) => this.#key(line))}</span>
    </lab-chart>`;
  }

  #key({ scheme, name, family, isHollow, isChosen }: SurvivalLine): TemplateResult {
    const line = html`<svg class=${family} width="22" height="8" aria-hidden="true"><path d="M0 4H22" stroke-width=${isChosen ? 3 : 1.5} stroke-dasharray=${isHollow ? "6 3" : nothing}></path></svg><bdi>${name}</bdi>`;
    if (scheme === null) return html`<span>${line}</span>`;
    return html`<button type="button" aria-pressed=${isChosen} @click=${() => emit(this, "lab-pick-scheme", scheme)}>${line}</button>`;
  }

  #pick(event: CustomEvent<string>, { lines }: SurvivalData): void {
    event.stopPropagation();
    const scheme = lines[Number(event.detail.split(" ")[0])]?.scheme;
    if (scheme !== undefined && scheme !== null) emit(this, "lab-pick-scheme", scheme);
  }
}

customElements.define("lab-survival", LabSurvival);
