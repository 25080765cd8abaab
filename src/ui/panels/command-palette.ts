import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { keyNames } from "../parts/key-names.ts";
import { baseStyles, controlStyles, dialogStyles } from "../parts/shared-styles.ts";
import { type CommandWords, findCommands } from "./command-palette-model.ts";
import { emit } from "./panel-events.ts";

/** Finds everything that the page can do, and every scheme and matrix, by name. */
export class LabCommandPalette extends LitElement {
  @property({ attribute: false }) commands: readonly CommandWords[] = [];
  @state() private text = "";
  @state() private at = 0;
  @query("dialog") private dialog!: HTMLDialogElement;
  @query("input") private input!: HTMLInputElement;

  static override styles = [
    baseStyles,
    controlStyles,
    dialogStyles,
    css`
      dialog {
        width: min(560px, calc(100vw - 24px));
        margin-top: 12vh;
        padding: var(--s2);
      }
      input {
        width: 100%;
        height: 36px;
        font: var(--t-text);
        background: var(--float);
      }
      ul {
        max-height: 52vh;
        margin-top: var(--s1);
        overflow-y: auto;
      }
      .item {
        display: flex;
        align-items: baseline;
        gap: var(--s2);
        min-height: 28px;
        padding: 4px var(--s2);
        border-radius: 4px;
        cursor: pointer;
      }
      .item[aria-selected="true"] {
        background: var(--accent-soft);
        box-shadow: inset 2px 0 var(--accent);
      }
      .item bdi {
        flex: 1;
        min-width: 0;
      }
      .group {
        flex: none;
        width: 68px;
        color: var(--ink-3);
        font: var(--t-small);
      }
      .none {
        padding: var(--s2);
      }
      @media (forced-colors: active) {
        .item[aria-selected="true"] {
          outline: 2px solid Highlight;
          outline-offset: -2px;
        }
      }
    `,
  ];

  /** Opens it, empty. */
  show(): void {
    if (this.dialog.open) return;
    this.text = "";
    this.at = 0;
    this.dialog.showModal();
    this.input.value = "";
    this.input.focus();
  }

  protected override render(): TemplateResult {
    const found = findCommands(this.commands, this.text);
    return html`<dialog aria-label="Find" @click=${this.#outside}>
      <input type="text" role="combobox" aria-label="Find a command, a scheme or a matrix" aria-expanded="true" aria-controls="found"
        aria-activedescendant=${found.length === 0 ? nothing : `item-${this.at}`} aria-autocomplete="list"
        autocomplete="off" spellcheck="false" placeholder="Find a command, a scheme or a matrix"
        @input=${this.#type} @keydown=${(event: KeyboardEvent) => this.#key(event, found)} />
      <ul id="found" role="listbox" aria-label="Found">
        ${found.map(
          (
            { id, group, words, key },
            index,
          ) => html`<li id="item-${index}" class="item" role="option" aria-selected=${index === this.at}
            @click=${() => this.#run(id)}><span class="group">${group}</span><bdi>${words}</bdi>${key === null ? nothing : keyNames(key).map((name) => html`<kbd>${name}</kbd>`)}</li>`,
        )}
      </ul>
      ${found.length === 0 ? html`<p class="none small">Nothing is called that.</p>` : nothing}
      <p class="spoken" role="status">${found.length} found</p>
    </dialog>`;
  }

  protected override updated(): void {
    this.renderRoot.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }

  readonly #type = (event: Event): void => {
    this.text = (event.target as HTMLInputElement).value;
    this.at = 0;
  };

  #key(event: KeyboardEvent, found: readonly CommandWords[]): void {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : found.length - 1;
      if (found.length > 0) this.at = (this.at + step) % found.length;
    } else if (event.key === "Enter") {
      event.preventDefault();
      const command = found[this.at];
      if (command !== undefined) this.#run(command.id);
    }
  }

  /** The dialog closes first: what runs may want the focus. */
  #run(id: string): void {
    this.dialog.close();
    emit(this, "lab-command", id);
  }

  readonly #outside = (event: MouseEvent): void => {
    if (event.target === this.dialog) this.dialog.close();
  };
}

customElements.define("lab-command-palette", LabCommandPalette);
