import { css, html, LitElement, type TemplateResult } from "lit";
import { query } from "lit/decorators.js";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";

const KEYS: readonly (readonly [keys: readonly string[], words: string])[] = [
  [["Esc"], "cancels what runs, or closes what is open"],
  [["←", "↑", "↓", "→"], "walk the cells of the map"],
  [["Home", "End"], "first and last cell of a row"],
  [["Enter"], "opens the matrix under the ring"],
  [["Tab"], "next control; marks after figures say where a number comes from"],
  [["?"], "this list"],
];

/** The list of keys. */
export class LabKeysDialog extends LitElement {
  @query("dialog") private dialog!: HTMLDialogElement;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      dialog {
        width: min(480px, calc(100vw - 32px));
        padding: var(--s5);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--float);
        color: var(--ink);
        box-shadow: var(--shadow);
      }
      dialog::backdrop {
        background: oklch(0 0 0 / 0.25);
      }
      h2 {
        margin-bottom: var(--s3);
        font: 600 16px/24px var(--sans);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--s2) var(--s4);
        margin-bottom: var(--s4);
        font: var(--t-table);
      }
      dt {
        white-space: nowrap;
      }
      dd {
        color: var(--ink-2);
      }
    `,
  ];

  /** Opens the list. */
  show(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${KEYS.map(([keys, words]) => html`<dt>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${words}</dd>`)}
      </dl>
      <form method="dialog" class="actions"><button class="button" type="submit">Close</button></form>
    </dialog>`;
  }
}

customElements.define("lab-keys-dialog", LabKeysDialog);
