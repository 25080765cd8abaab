import { css, html, nothing, type TemplateResult } from "lit";
import { property, query } from "lit/decorators.js";
import { wordsMark } from "../parts/number-kind.ts";
import { pickerStyles } from "../parts/picker-styles.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";

const ABOUT =
  "Methods and static ranges are fitted to this text, so it should be like what the model will read, and never the text that is measured on: the same text is refused there. All of it is used.";

/**
 * The text that methods are calibrated on and static ranges are taken from.
 * @fires lab-set-rules with the file, or null for the bundled text
 */
export class LabCalibrationText extends TurnElement {
  /** Null: the bundled text. */
  @property({ attribute: false }) file: File | null = null;
  /** A run that began with what was chosen before goes on. */
  @property({ type: Boolean }) isBusy = false;
  @query("#calibration-file") private input!: HTMLInputElement;
  @query(".opener") private opener!: HTMLButtonElement;

  static override styles = [
    baseStyles,
    controlStyles,
    pickerStyles,
    css`
      :host {
        margin-top: var(--s3);
      }
      p {
        font: var(--t-small);
        color: var(--ink-2);
      }
      .chosen .bundled {
        padding-right: 8px;
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { file } = this;
    return html`<div class="chosen" role="group" aria-label="Text to calibrate on">
        <h2>Calibrated on${wordsMark("?", ABOUT)}</h2>
        <ul>
          ${
            file === null
              ? html`<li class="bundled"><span>the bundled calibration text, all of it</span></li>`
              : html`<li>
                  <span>${safeName(file.name)}</span>
                  <button type="button" aria-label="Back to the bundled calibration text" @click=${this.#reset}>✕</button>
                </li>`
          }
        </ul>
        <button type="button" class="button opener" @click=${() => this.input.click()}>Own calibration file</button>
        ${this.isBusy ? html`<p role="status">A change counts from the next run on.</p>` : nothing}
      </div>
      <input id="calibration-file" type="file" accept=".txt,.jsonl,.json" hidden aria-label="File of calibration text" @change=${this.#picked} />`;
  }

  readonly #picked = (): void => {
    const [file] = this.input.files ?? [];
    if (file !== undefined) emit(this, "lab-set-rules", { calibration: file });
    // The same file picked again shall be read again.
    this.input.value = "";
  };

  readonly #reset = (): void => {
    emit(this, "lab-set-rules", { calibration: null });
    // The button goes with its chip.
    this.opener.focus();
  };
}

customElements.define("lab-calibration-text", LabCalibrationText);
