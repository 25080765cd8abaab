import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { SERVED_EVIDENCE } from "../../engine/candidate.ts";
import { type Roundings, WHOLE_PRESET } from "../../engine/roundings.ts";
import { differs } from "../parts/differs.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import { kvAbout, kvOptions, type RoundingChoice, roundingNotes } from "./rounding-switches-model.ts";

/**
 * What a run over text rounds: weights, activations, keys and values; and whether it is also run as it is served.
 * @fires lab-set-rules with a `RoundingChoice`
 */
export class LabRoundingSwitches extends TurnElement {
  @property({ attribute: false, hasChanged: differs }) roundings: Roundings = WHOLE_PRESET;
  @property({ type: Boolean }) served = false;
  /** Something of what is asked for has ranges that come from running the calibration text. */
  @property({ type: Boolean }) needsText = false;
  /** A run that began with what was chosen before goes on. */
  @property({ type: Boolean }) isBusy = false;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      fieldset {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s5);
        align-items: center;
        min-width: 0;
        margin: 0;
        padding: 0;
        border: 0;
        font: var(--t-small);
        color: var(--ink-2);
      }
      /* A legend does not take part in the row by itself. */
      legend {
        float: left;
        padding: 0;
        font: var(--t-small);
      }
      .field {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        min-height: 28px;
      }
      label.field {
        cursor: pointer;
      }
      .field b {
        color: var(--ink);
        font: var(--t-table);
      }
      label.off {
        cursor: default;
      }
      label.off b {
        color: var(--ink-3);
      }
      input[type="checkbox"] {
        flex: none;
        width: 16px;
        height: 16px;
        margin: 0;
        accent-color: var(--accent);
      }
      .target {
        display: inline-grid;
        place-items: center;
        width: 24px;
        height: 24px;
        margin-left: -4px;
      }
      .notes {
        font: var(--t-small);
        color: var(--ink-2);
      }
      @media (max-width: 599px) {
        legend {
          float: none;
          width: 100%;
        }
        .cache {
          width: 100%;
        }
        .cache > span {
          width: 102px;
        }
        .cache select {
          flex: 1;
        }
      }
      @media print {
        :host {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { roundings, served, needsText } = this;
    const notes = [
      ...roundingNotes({ roundings, needsText }),
      ...(this.isBusy ? ["A change counts from the next measurement on."] : []),
    ];
    return html`<fieldset>
      <legend>Rounded</legend>
      ${this.#box("weights", "Weights", "")}
      ${this.#box("activations", "Activations", "where the scheme says so")}
      <span class="field cache">
        <span><label for="kv">KV cache</label>${wordsMark("?", kvAbout(roundings.kvCache))}</span>
        <select id="kv" @change=${this.#pickCache}>
          ${kvOptions(roundings.kvCache).map(({ name, words }) => html`<option value=${name ?? ""} .selected=${name === roundings.kvCache}>${words}</option>`)}
        </select>
      </span>
      <span class="field">
        <label class="field ${roundings.activations ? "" : "off"}"><span class="target"><input type="checkbox" id="served" .checked=${served} ?disabled=${!roundings.activations}
          @change=${(event: Event) => this.#change({ served: isOn(event) })} /></span><b>also as served (vLLM)</b></label>${wordsMark("?", `Schemes with int8 activations per token are measured a second time, rounded as vLLM's kernel does it. ${SERVED_EVIDENCE}.`)}
      </span>
      <p class="notes" role="status">${notes.join(" ")}</p>
    </fieldset>`;
  }

  #box(part: "weights" | "activations", words: string, hint: string): TemplateResult {
    return html`<label class="field"><span class="target"><input type="checkbox" id=${part} .checked=${this.roundings[part]}
      @change=${(event: Event) => this.#change({ roundings: { ...this.roundings, [part]: isOn(event) } })} /></span><b>${words}</b>${hint === "" ? nothing : html`<span>${hint}</span>`}</label>`;
  }

  readonly #pickCache = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.#change({ roundings: { ...this.roundings, kvCache: value === "" ? null : value } });
  };

  #change(change: Partial<RoundingChoice>): void {
    const detail: RoundingChoice = { roundings: this.roundings, served: this.served, ...change };
    emit(this, "lab-set-rules", detail);
  }
}

function isOn(event: Event): boolean {
  return (event.target as HTMLInputElement).checked;
}

customElements.define("lab-rounding-switches", LabRoundingSwitches);
