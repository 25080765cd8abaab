import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { HealResult, HealUnit } from "../../engine/diagnosis-api.ts";
import "../charts/lab-chart.ts";
import { recoveryChart } from "../charts/recovery-bars.ts";
import { differs } from "../parts/differs.ts";
import { type Fetched, fetchedPart, NOT_FETCHED } from "../parts/fetched.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { recoveryOf } from "./healing-model.ts";
import { emit, type Healing } from "./panel-events.ts";

const UNITS: readonly { readonly unit: HealUnit; readonly words: string }[] = [
  { unit: "layer", words: "by layer" },
  { unit: "kind", words: "by kind of matrix" },
];

/** What heals: parts of the original are put back one at a time, and the divergence is measured anew. */
export class LabHealing extends TurnElement {
  @property({ attribute: false, hasChanged: differs }) healing: Healing = { unit: "layer", isWhole: false };
  @property({ attribute: false }) view: Fetched<HealResult> = NOT_FETCHED;
  /** A token is chosen. */
  @property({ type: Boolean }) hasToken = false;
  /** The chosen recipe was measured, so that there is something to heal. */
  @property({ type: Boolean }) hasScores = false;
  /** A job runs. */
  @property({ type: Boolean }) isBusy = false;
  /** Names of model and recipe, for files. */
  @property() subject = "";

  static override styles = [
    baseStyles,
    controlStyles,
    pillStyles,
    css`
      :host {
        padding-top: var(--s3);
        border-top: 1px solid var(--line);
      }
      .switches {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s2) var(--s4);
        margin-bottom: var(--s3);
      }
      .switches div {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1);
      }
      h2 {
        margin: 0 0 var(--s2);
        font: 600 14px/20px var(--sans);
      }
      .actions + p,
      p + .actions {
        margin-top: var(--s2);
      }
      lab-chart {
        margin-top: var(--s2);
      }
      .failed b {
        color: var(--fail);
      }
      .waits {
        height: 72px;
        border-radius: var(--radius);
      }
      .hatched {
        background: repeating-linear-gradient(135deg, var(--hatch) 0 1px, transparent 1px 5px);
      }
      @media print {
        .switches {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { healing, view } = this;
    const pill = (words: string, isOn: boolean, change: Partial<Healing>): TemplateResult =>
      html`<button type="button" class="pill" aria-pressed=${isOn} @click=${() => emit(this, "lab-set-healing", { ...healing, ...change })}>${words}</button>`;
    return html`
      <h2>What heals it?${wordsMark("?", "Parts of the original are put back one at a time, the rest stays quantized. What the divergence loses then is what that part had cost. Parts do not add up.")}</h2>
      <div class="switches">
        <div role="group" aria-label="Of what">${pill("of this word", !healing.isWhole, { isWhole: false })}${pill("of the whole text", healing.isWhole, { isWhole: true })}</div>
        <div role="group" aria-label="Parts">${UNITS.map(({ unit, words }) => pill(words, unit === healing.unit, { unit }))}</div>
      </div>
      ${this.#state(view)}
    `;
  }

  #state(view: Fetched<HealResult>): TemplateResult {
    const part = fetchedPart(view);
    if (part !== null && part.parts.length > 0) {
      const isRunning = view.state === "waiting";
      return html`<lab-chart .chart=${recoveryChart} .data=${recoveryOf(part, isRunning)} .name=${"What heals"} .subject=${this.subject}
          .isPartial=${isRunning || part.outcome === "partial"}></lab-chart>
        ${!isRunning && part.outcome === "partial" ? this.#button("Try all parts again") : nothing}`;
    }
    switch (view.state) {
      case "waiting":
        return html`<div class="waits hatched" role="status"><span class="spoken">Putting parts back</span></div>`;
      case "failed":
        return html`<div class="failed" role="alert"><p><b>✕</b> <bdi>${view.error.found}</bdi>. <bdi class="small">${view.error.advice}.</bdi></p>${this.#button("Try again")}</div>`;
      default:
        return this.#button("What heals it?");
    }
  }

  #button(words: string): TemplateResult {
    const lacks = !this.hasScores
      ? "the scheme has to be measured first"
      : !this.hasToken && !this.healing.isWhole
        ? "choose a word first"
        : this.isBusy
          ? "waits until what runs is done"
          : "";
    const heal = (): void => {
      if (lacks === "") emit(this, "lab-heal", undefined);
    };
    return html`<div class="actions"><button type="button" class="button" aria-disabled=${lacks !== ""} @click=${heal}>${words}</button><span class="small">${lacks}</span></div>`;
  }
}

customElements.define("lab-healing", LabHealing);
