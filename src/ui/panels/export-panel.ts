import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatBytes, formatCount } from "../../base/format.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { type ExportedArchive, exportNotes, exportSentence, exportVerb } from "./export-model.ts";
import { emit } from "./panel-events.ts";

/** Writes the chosen scheme as a checkpoint and hands it over. */
export class LabExportPanel extends TurnElement {
  @property() scheme = "";
  /** Bytes of the table's row, which the export has to meet. */
  @property({ type: Number }) promisedBytes = 0;
  /** Why exporting has to wait, or null. */
  @property() blocked: string | null = null;
  @property({ attribute: false }) exported: ExportedArchive | null = null;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      .note {
        margin-top: var(--s3);
        padding: var(--s2) 0 0;
        border-top: 1px solid var(--line);
        font: var(--t-table);
        color: var(--ink-2);
      }
      .note b {
        color: var(--ink);
      }
      .note code {
        padding: 1px 4px;
        border-radius: 3px;
        background: var(--sunk);
        color: var(--ink);
        overflow-wrap: anywhere;
      }
      .note ul {
        margin: var(--s1) 0;
      }
      .note li {
        padding-left: var(--s3);
        text-indent: calc(-1 * var(--s3));
      }
      .note li::before {
        content: "!";
        display: inline-block;
        width: var(--s3);
        color: var(--ink);
        font-weight: 600;
        text-indent: 0;
      }
      a {
        color: var(--accent);
        overflow-wrap: anywhere;
      }
    `,
  ];

  protected override render(): TemplateResult {
    return html`
      <div class="actions">
        <button type="button" class="button main" aria-disabled=${this.blocked !== null} data-tip=${this.blocked ?? nothing} @click=${this.#export}>
          ${exportVerb(this.scheme)}
        </button>
        <span class="small">${this.blocked ?? html`${formatBytes(this.promisedBytes)} and its recipe, as one .tar`}</span>
      </div>
      ${this.exported === null ? nothing : this.#note(this.exported)}
    `;
  }

  #note(archive: ExportedArchive): TemplateResult {
    const sentence = exportSentence(archive, this.promisedBytes, this.scheme);
    const notes = exportNotes(archive.result);
    return html`<div class="note" role="status">
      <p>
        <b>${sentence.strong}</b> ${sentence.plain}${wordsMark("●", `Measured: ${formatCount(archive.result.fileBytes.value)} bytes of .safetensors were written`)}
      </p>
      ${notes.length === 0 ? nothing : html`<ul>${notes.map((note) => html`<li><bdi>${note}</bdi></li>`)}</ul>`}
      <p>
        <a href=${archive.url} download=${archive.fileName}>${archive.fileName}</a> · unpack it with <code>tar -xf ${archive.fileName}</code>
      </p>
    </div>`;
  }

  #export(): void {
    if (this.blocked === null) emit(this, "lab-export", undefined);
  }
}

customElements.define("lab-export-panel", LabExportPanel);
