import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { DeviceChoice, KeptResults } from "../../engine/api.ts";
import type { ArithmeticName } from "../../engine/result.ts";
import { ARITHMETIC_EVIDENCE } from "../../schemes/scheme.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { formatPatterns, keptWords, parsePatterns } from "./compare-settings-model.ts";
import { type AskedRules, emit, NO_RULES } from "./panel-events.ts";

const ARITHMETICS: readonly { readonly name: ArithmeticName; readonly words: string }[] = [
  { name: "eager", words: "eager, verified" },
  { name: "triton", words: "triton, as on CUDA" },
];

const DEVICES: readonly { readonly name: DeviceChoice; readonly words: string }[] = [
  { name: "auto", words: "the quicker device" },
  { name: "gpu", words: "WebGPU" },
  { name: "wasm", words: "WebAssembly" },
];

/** What a comparison is asked to do: the rounding rule, where it runs, the modules left alone; and what is kept of earlier ones. */
export class LabCompareSettings extends TurnElement {
  @property({ attribute: false }) device: DeviceChoice = "auto";
  /** What is kept on this machine of earlier measurements; null until that is known. */
  @property({ attribute: false }) kept: KeptResults | null = null;
  /** Nothing is let go of while something runs. */
  @property({ type: Boolean }) isBusy = false;
  @property({ attribute: false }) asked: AskedRules = NO_RULES;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      form {
        display: flex;
        flex-wrap: wrap;
        gap: var(--s2) var(--s5);
        align-items: center;
        font: var(--t-small);
        color: var(--ink-2);
      }
      .field {
        display: inline-flex;
        align-items: center;
        gap: var(--s2);
        min-width: 0;
      }
      .field > span {
        white-space: nowrap;
      }
      .patterns {
        flex: 0 1 420px;
      }
      .patterns input {
        flex: 1;
        width: 100%;
        font: 12px/18px var(--mono);
      }
      .kept button {
        min-height: 24px;
        padding: 0 2px;
        border: 0;
        background: none;
        color: var(--accent);
        font: inherit;
        cursor: pointer;
      }
      .kept button:hover {
        text-decoration: underline;
        text-underline-offset: 3px;
      }
      .kept button[aria-disabled="true"] {
        color: var(--ink-3);
        cursor: default;
      }
      @media (max-width: 599px) {
        .field {
          width: 100%;
          flex: none;
        }
        .field > span {
          width: 108px;
        }
        select {
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
    const { arithmetic } = this.asked;
    return html`<form @submit=${(event: Event) => event.preventDefault()}>
      <div class="field">
        <span><label for="arithmetic">Arithmetic</label>${wordsMark("?", `${arithmetic}: ${ARITHMETIC_EVIDENCE[arithmetic]}`)}</span>
        <select id="arithmetic" @change=${this.#pickArithmetic}>
          ${ARITHMETICS.map((choice) => html`<option value=${choice.name} .selected=${choice.name === arithmetic}>${choice.words}</option>`)}
        </select>
      </div>
      <div class="field">
        <span><label for="device">Compute on</label>${wordsMark("?", "The digits are the same everywhere. A probe finds which device is quicker here; the line at the bottom says what it measured.")}</span>
        <select id="device" @change=${this.#pickDevice}>
          ${DEVICES.map((choice) => html`<option value=${choice.name} .selected=${choice.name === this.device}>${choice.words}</option>`)}
        </select>
      </div>
      <div class="field patterns">
        <span>
          <label for="ignore">Left alone</label>${wordsMark("?", "Module names separated by commas; after re: a pattern matched at the start of the name. These stay as they are.")}
        </span>
        <input id="ignore" spellcheck="false" autocomplete="off" .value=${formatPatterns(this.asked.ignore)} @change=${this.#setIgnore} />
      </div>
      ${this.#kept()}
    </form>`;
  }

  #kept(): TemplateResult | typeof nothing {
    const words = keptWords(this.kept);
    if (words === "") return nothing;
    const forget = (): void => {
      if (!this.isBusy) emit(this, "lab-forget", undefined);
    };
    return html`<p class="kept">
      ${words}${wordsMark("?", "What took long to find out and can be found out again: measured windows by the hashes of weights and text, and which device is quicker. It stays in this browser.")}
      · <button type="button" aria-disabled=${this.isBusy} @click=${forget}>forget</button>
    </p>`;
  }

  #pickArithmetic(event: Event): void {
    const found = ARITHMETICS.find((choice) => choice.name === (event.target as HTMLSelectElement).value);
    if (found !== undefined) emit(this, "lab-set-rules", { ...this.asked, arithmetic: found.name });
  }

  #pickDevice(event: Event): void {
    const found = DEVICES.find((choice) => choice.name === (event.target as HTMLSelectElement).value);
    if (found !== undefined) emit(this, "lab-use-device", found.name);
  }

  #setIgnore(event: Event): void {
    emit(this, "lab-set-rules", { ...this.asked, ignore: parsePatterns((event.target as HTMLInputElement).value) });
  }
}

customElements.define("lab-compare-settings", LabCompareSettings);
