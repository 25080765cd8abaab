import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { formatBytes, formatParameters } from "../../base/format.ts";
import type { ModelSummary } from "../../engine/result.ts";
import { keyNames } from "../parts/key-names.ts";
import { filesOf } from "../parts/picked-files.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { emit, type Surface } from "./panel-events.ts";

/** Name and purpose of the models that the lab brings along. */
const BUNDLED: readonly { readonly name: string; readonly words: string }[] = [
  { name: "quantlab-4m", words: "a small trained Llama, one file" },
  { name: "quantlab-4m-loud", words: "the same with outliers planted, two shards" },
];

/** Surfaces in the order of their tabs. */
const TABS: readonly { readonly surface: Surface; readonly words: string }[] = [
  { surface: "model", words: "Model" },
  { surface: "measure", words: "Measure" },
  { surface: "layers", words: "Layers" },
  { surface: "words", words: "Words" },
];

/** Logo, the open model, and the few things that hold for the whole page. */
export class LabTopBar extends LitElement {
  @property({ attribute: false }) model: ModelSummary | null = null;
  /** What is being opened while there is no summary of it. */
  @property() pendingName = "";
  @property() surface: Surface = "measure";
  @state() private isOpen = false;
  @query("#folder") private folderInput!: HTMLInputElement;
  @query("#files") private filesInput!: HTMLInputElement;
  @query(".chip") private chip!: HTMLButtonElement;

  static override styles = [
    baseStyles,
    css`
      :host {
        position: sticky;
        top: 0;
        z-index: 5;
      }
      .top {
        display: flex;
        align-items: center;
        gap: var(--s4);
        height: 48px;
        padding: 0 var(--page);
        border-bottom: 1px solid var(--line);
        background: var(--paper);
      }
      .brand {
        display: flex;
        flex: none;
        align-items: center;
        gap: var(--s2);
        font-weight: 600;
        white-space: nowrap;
      }
      .menu {
        position: relative;
        min-width: 0;
      }
      .chip {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        max-width: 100%;
        height: 28px;
        padding: 0 10px;
        border: 1px solid var(--line-2);
        border-radius: var(--radius);
        background: none;
        color: var(--ink-2);
        font: var(--t-small);
        white-space: nowrap;
        cursor: pointer;
      }
      .chip:hover,
      .chip[aria-expanded="true"] {
        border-color: var(--line-3);
        background: var(--sunk);
      }
      .chip b {
        max-width: 320px;
        overflow: hidden;
        color: var(--ink);
        font: 600 12px/16px var(--mono);
        text-overflow: ellipsis;
      }
      .list {
        position: absolute;
        top: 34px;
        left: 0;
        width: min(360px, calc(100vw - 24px));
        padding: var(--s1);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--float);
        box-shadow: var(--shadow);
      }
      .list button {
        display: grid;
        width: 100%;
        padding: 6px var(--s2);
        border: 0;
        border-radius: 4px;
        background: none;
        color: var(--ink);
        font: var(--t-text);
        text-align: left;
        cursor: pointer;
      }
      .list button:hover,
      .list button:focus-visible {
        background: var(--accent-soft);
      }
      .list button:focus-visible {
        outline-offset: -2px;
      }
      .list b {
        font: 600 12px/18px var(--mono);
      }
      .list span {
        font: var(--t-small);
        color: var(--ink-2);
      }
      .list hr {
        margin: var(--s1) var(--s2);
        border: 0;
        border-top: 1px solid var(--line);
      }
      .tabs {
        display: flex;
        flex: none;
        align-self: stretch;
        margin-left: auto;
      }
      .tabs a {
        display: grid;
        place-items: center;
        padding: 0 var(--s3);
        border-bottom: 2px solid transparent;
        border-top: 2px solid transparent;
        color: var(--ink-2);
        text-decoration: none;
      }
      .tabs a:hover {
        color: var(--ink);
      }
      .tabs a:focus-visible {
        outline-offset: -4px;
      }
      .tabs a[aria-current="page"] {
        border-bottom-color: var(--ink);
        color: var(--ink);
        font-weight: 600;
      }
      .tools {
        display: flex;
        flex: none;
        gap: var(--s1);
      }
      .tools kbd {
        border: 0;
        padding: 0;
        font: 12px/16px var(--sans);
        color: inherit;
      }
      .tools button {
        min-width: 28px;
        height: 28px;
        padding: 0 6px;
        border: 1px solid transparent;
        border-radius: var(--radius);
        background: none;
        color: var(--ink-2);
        font: 14px/16px var(--sans);
        cursor: pointer;
      }
      .tools button:hover {
        border-color: var(--line-2);
        color: var(--ink);
      }
      @media (max-width: 899px) {
        .chip .more {
          display: none;
        }
      }
      @media (max-width: 599px) {
        .top {
          gap: var(--s2);
        }
        .brand span,
        .chip .more {
          display: none;
        }
        .list {
          left: -36px;
        }
        .tabs {
          position: fixed;
          inset: auto 0 0 0;
          z-index: 6;
          height: 44px;
          border-top: 1px solid var(--line);
          background: var(--paper);
        }
        .tabs a {
          flex: 1;
          border-bottom-color: transparent !important;
        }
        .tabs a[aria-current="page"] {
          border-top-color: var(--ink);
        }
        .tools {
          margin-left: auto;
        }
      }
      @media print {
        .tabs,
        .tools {
          display: none;
        }
        :host {
          position: static;
        }
      }
    `,
  ];

  /** Asks for a folder. */
  pickFolder(): void {
    this.isOpen = false;
    this.folderInput.click();
  }

  protected override render(): TemplateResult {
    return html`<header class="top">
      <div class="brand">
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <path d="M2 18V13M6 18V8M10 18V3M14 18V8M18 18V13" stroke="currentColor" stroke-width="2.4" fill="none"></path>
        </svg>
        <span>Quantization Lab</span>
      </div>
      <div class="menu" @keydown=${this.#menuKey} @focusout=${this.#leave}>
        <button type="button" class="chip" aria-expanded=${this.isOpen} aria-controls="models" aria-label="Open a model" @click=${this.#toggle}>
          ${this.#chip()} <span aria-hidden="true">▾</span>
        </button>
        <div id="models" class="list" ?hidden=${!this.isOpen}>
          ${BUNDLED.map(
            (model) =>
              html`<button type="button" @click=${() => this.#open(model.name)}><b>${model.name}</b><span>${model.words}</span></button>`,
          )}
          <hr />
          <button type="button" @click=${this.pickFolder}>Open folder…<span>A Hugging Face folder: read here, sent nowhere. Or drop it anywhere.</span></button>
          <button type="button" @click=${() => this.filesInput.click()}>Open files…<span>.safetensors, index and config.json</span></button>
        </div>
      </div>
      <input id="folder" type="file" webkitdirectory hidden aria-label="Folder of a model" @change=${this.#picked} />
      <input id="files" type="file" multiple accept=".safetensors,.json" hidden aria-label="Files of a model" @change=${this.#picked} />
      <nav class="tabs" aria-label="Surfaces">
        ${TABS.map(({ surface, words }) => html`<a href="#${surface}" aria-current=${surface === this.surface ? "page" : nothing}>${words}</a>`)}
      </nav>
      <div class="tools">
        <button type="button" aria-label="Find" data-tip="Find a command, scheme or matrix" @click=${() => emit(this, "lab-show-palette", undefined)}><kbd>${paletteKey()}</kbd></button>
        <button type="button" aria-label="Light or dark" data-tip="Light or dark" @click=${() => emit(this, "lab-toggle-theme", undefined)}>◐</button>
        <button type="button" aria-label="Keys" data-tip="Keys" @click=${() => emit(this, "lab-show-keys", undefined)}>?</button>
      </div>
    </header>`;
  }

  #chip(): TemplateResult {
    const { model } = this;
    if (model === null) return html`<b>${safeName(this.pendingName)}</b>`;
    const dtype = model.dtypes[0]?.dtype.toLowerCase();
    const facts = [formatParameters(model.parameters.value), dtype, formatBytes(model.fileBytes.value)].filter(
      (fact) => fact !== undefined,
    );
    return html`<b>${safeName(model.name)}</b>${facts.length === 0 ? nothing : html`<span class="more">${facts.join(" · ")}</span>`}`;
  }

  #toggle(): void {
    this.isOpen = !this.isOpen;
  }

  #open(name: string): void {
    this.isOpen = false;
    emit(this, "lab-open", { kind: "bundled", name });
  }

  #picked(event: Event): void {
    const input = event.target as HTMLInputElement;
    this.isOpen = false;
    const files = filesOf(input.files ?? []);
    if (files.length > 0) emit(this, "lab-open-files", files);
    // The same folder picked again shall be opened again.
    input.value = "";
  }

  #menuKey(event: KeyboardEvent): void {
    if (!this.isOpen) return;
    const items = [...this.renderRoot.querySelectorAll<HTMLButtonElement>(".list button")];
    const at = items.indexOf(event.target as HTMLButtonElement);
    if (event.key === "Escape") {
      event.stopPropagation();
      this.isOpen = false;
      this.chip.focus();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const next = event.key === "ArrowDown" ? at + 1 : at < 0 ? items.length - 1 : at - 1;
      items[(next + items.length) % items.length]?.focus();
    }
  }

  #leave(event: FocusEvent): void {
    const next = event.relatedTarget as Node | null;
    if (next === null || !(event.currentTarget as Element).contains(next)) this.isOpen = false;
  }
}

function paletteKey(): string {
  return keyNames("mod+k")[0] ?? "";
}

customElements.define("lab-top-bar", LabTopBar);
