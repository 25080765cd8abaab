import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatBytes } from "../../base/format.ts";
import type { Ledger, TensorRole } from "../../engine/ledger.ts";
import type { ModelSummary } from "../../engine/result.ts";
import { byteStripChart } from "../charts/byte-strip.ts";
import type { ByteStripData } from "../charts/byte-strip-data.ts";
import "../charts/lab-chart.ts";
import { kindMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { byteStripOf, chosenWords, EXAMPLE } from "./model-bytes-model.ts";
import { emit } from "./panel-events.ts";

/** Of the picture, in pixels. */
const HEIGHT = 300;

/**
 * Where the bytes of a checkpoint lie: by role, and layer by layer.
 * @fires lab-pick-role with the role that was pressed, or null where it was the chosen one
 */
export class LabModelBytes extends TurnElement {
  @property({ attribute: false }) ledger: Ledger | null = null;
  @property({ attribute: false }) model: ModelSummary | null = null;
  /** The chosen one. Stands in for the property of ARIA of the same name, which a panel has no use for. */
  @property({ attribute: false }) override role: TensorRole | null = null;

  #data: ByteStripData | null = null;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      .chosen {
        display: inline-flex;
        align-items: center;
        flex-wrap: wrap;
        gap: 0 var(--s1);
        font: var(--t-small);
        color: var(--ink-2);
      }
      .chosen .button {
        min-height: 24px;
        padding-block: 2px;
        font: var(--t-small);
      }
    `,
  ];

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("ledger") || changed.has("role")) {
      this.#data = this.ledger === null ? null : byteStripOf(this.ledger, this.role);
    }
  }

  protected override render(): TemplateResult {
    const { ledger, model, role } = this;
    return html`<lab-chart .chart=${byteStripChart} .data=${this.#data} .example=${EXAMPLE} .height=${HEIGHT}
      name="Bytes by role" subject=${model?.name ?? ""} note=${noteOf(model)}
      emptyWords=${model === null ? "Here stands what the bytes of a model are for, from its headers alone. Open one." : "The headers of this model are being read."}
      @chart-pick=${this.#pick}>
      ${
        ledger === null || model === null
          ? nothing
          : html`<span slot="note">width: bytes of all tensors, ${formatBytes(model.tensorBytes.value)}${kindMark(model.tensorBytes)}</span>`
      }
      ${
        ledger === null || role === null
          ? nothing
          : html`<span slot="legend" class="chosen">${chosenWords(ledger, role)}
              <button type="button" class="button text" @click=${() => emit(this, "lab-pick-role", null)}>Show all roles</button></span>`
      }
    </lab-chart>`;
  }

  readonly #pick = (event: CustomEvent<string>): void => {
    const role = event.detail as TensorRole;
    emit(this, "lab-pick-role", role === this.role ? null : role);
  };
}

function noteOf(model: ModelSummary | null): string {
  return model === null ? "" : `width: bytes of all tensors, ${formatBytes(model.tensorBytes.value)}`;
}

customElements.define("lab-model-bytes", LabModelBytes);
