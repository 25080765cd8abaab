import { css, html, LitElement, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { baseStyles, controlStyles, dialogStyles } from "../parts/shared-styles.ts";
import { areSingleKeysOn, setSingleKeys } from "../parts/single-keys.ts";

/** A line of the list: keys, and what they do. */
export interface KeyLine {
  readonly keys: readonly string[];
  readonly words: string;
}

/** Keys that are no commands: they belong to what has focus. */
const PICTURE_KEYS: readonly KeyLine[] = [
  { keys: ["←", "↑", "↓", "→"], words: "walk the marks of a picture, each says itself" },
  { keys: ["Home", "End"], words: "first and last mark of a row" },
  { keys: ["Enter"], words: "chooses what the mark stands for" },
  { keys: ["Shift", "←", "↑", "↓", "→"], words: "move the part of an error map that is seen" },
  { keys: ["Tab"], words: "next control; marks after figures say where a number comes from" },
  { keys: ["Esc"], words: "cancels what runs, or closes what is open" },
];

/** The list of keys, and the switch for those of one letter. */
export class LabKeysDialog extends LitElement {
  /** Keys of commands, in the order in which they are listed. */
  @property({ attribute: false }) lines: readonly KeyLine[] = [];
  @state() private areOn = areSingleKeysOn();
  @query("dialog") private dialog!: HTMLDialogElement;

  static override styles = [
    baseStyles,
    controlStyles,
    dialogStyles,
    css`
      dialog {
        width: min(560px, calc(100vw - 32px));
        max-height: calc(100vh - 64px);
        padding: var(--s5);
      }
      h2 {
        margin-bottom: var(--s3);
        font: 600 16px/24px var(--sans);
      }
      dl {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--s1) var(--s4);
        margin-bottom: var(--s4);
        font: var(--t-table);
      }
      dt {
        white-space: nowrap;
      }
      dd {
        color: var(--ink-2);
      }
      .off dt.single {
        opacity: 0.5;
      }
      label {
        display: flex;
        align-items: center;
        gap: var(--s2);
        min-height: 24px;
        margin-bottom: var(--s4);
        font: var(--t-table);
      }
      input[type="checkbox"] {
        width: 18px;
        height: 18px;
        margin: 3px;
        accent-color: var(--accent);
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
      <dl class=${this.areOn ? "" : "off"}>
        ${[...this.lines, ...PICTURE_KEYS].map(
          ({ keys, words }) =>
            html`<dt class=${keys.every((key) => key.length === 1 && !"←↑↓→".includes(key)) ? "single" : ""}>${keys.map((key) => html`<kbd>${key}</kbd> `)}</dt><dd><bdi>${words}</bdi></dd>`,
        )}
      </dl>
      <label><input type="checkbox" .checked=${this.areOn} @change=${this.#switch} />Keys of one letter, digit or sign do something</label>
      <form method="dialog" class="actions"><button class="button" type="submit">Close</button></form>
    </dialog>`;
  }

  readonly #switch = (event: Event): void => {
    this.areOn = (event.target as HTMLInputElement).checked;
    setSingleKeys(this.areOn);
  };
}

customElements.define("lab-keys-dialog", LabKeysDialog);
