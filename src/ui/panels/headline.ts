import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { MeasureResult } from "../../engine/measure-result.ts";
import type { CompareResult, SchemeResult } from "../../engine/result.ts";
import { differs } from "../parts/differs.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { type Answer, type Headline, type HeadlineAction, headline, type Situation } from "./headline-model.ts";
import { emit } from "./panel-events.ts";

/** The computed sentence on top: the answer, or what stands in its way and what to do. */
export class LabHeadline extends LitElement {
  @property({ attribute: false, hasChanged: differs }) situation: Situation = { kind: "finished" };
  @property({ attribute: false }) shown: CompareResult | null = null;
  @property({ attribute: false }) chosen: SchemeResult | null = null;
  /** What the surface says of a finished or growing comparison in place of the usual sentence. */
  @property({ attribute: false, hasChanged: differs }) answer: Answer | null = null;
  @property({ attribute: false }) measured: MeasureResult | null = null;
  @state() private isCopied = false;

  static override styles = [
    baseStyles,
    controlStyles,
    css`
      .head {
        max-width: 1100px;
      }
      .head.failed {
        max-width: none;
        padding-top: var(--s2);
        border-top: 2px solid var(--fail);
      }
      h1 {
        font: var(--t-head);
        letter-spacing: -0.005em;
        text-wrap: balance;
        overflow-wrap: anywhere;
      }
      .failed h1 {
        text-wrap: pretty;
      }
      .failed h1,
      .failed p {
        max-width: 1000px;
      }
      .cross {
        color: var(--fail);
      }
      p {
        margin-top: 2px;
        font: var(--t-small);
        color: var(--ink-2);
        text-wrap: pretty;
        overflow-wrap: anywhere;
      }
      .failed p,
      .stale p {
        font: var(--t-table);
      }
      .actions {
        margin-top: var(--s3);
      }
      .head:not(.failed) .actions {
        margin-top: var(--s2);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const view = headline(this.situation, this.shown, this.chosen, this.answer, this.measured);
    return html`<div class="head ${view.tone}" role=${view.tone === "failed" ? "alert" : "none"}>
      <h1>${view.tone === "failed" ? html`<span class="cross" role="img" aria-label="Failed:">✕</span> ` : nothing}<bdi>${view.sentence}</bdi></h1>
      <p><bdi>${view.evidence}</bdi></p>
      ${view.actions.length === 0 ? nothing : this.#actions(view)}
    </div>`;
  }

  #actions(view: Headline): TemplateResult {
    return html`<div class="actions">
      ${view.actions.map(
        ({ action, words, isMain }) =>
          html`<button type="button" class="button ${isMain ? "main" : ""}" @click=${() => this.#act(action)}>
            ${action === "copy-details" && this.isCopied ? "Copied" : words}
          </button>`,
      )}
    </div>`;
  }

  #act(action: HeadlineAction): void {
    switch (action) {
      case "compare":
        emit(this, "lab-compare", undefined);
        break;
      case "measure":
        emit(this, "lab-measure", undefined);
        break;
      case "pick-text":
        emit(this, "lab-pick-text", undefined);
        break;
      case "bundled-text":
        emit(this, "lab-use-bundled-text", undefined);
        break;
      case "reset-text":
        emit(this, "lab-reset-measurement", undefined);
        break;
      case "dismiss":
        emit(this, "lab-dismiss-failure", undefined);
        break;
      case "reset-rules":
        if (this.shown !== null) {
          const { arithmetic, ignore, schemes } = this.shown;
          const texts = this.situation.kind === "stale" ? this.situation.texts : null;
          const calibration = texts === null ? {} : { calibration: texts.was };
          emit(this, "lab-set-rules", {
            arithmetic,
            ignore,
            schemes: schemes.map((row) => row.scheme),
            ...calibration,
          });
        }
        break;
      case "copy-details":
        void this.#copy();
    }
  }

  async #copy(): Promise<void> {
    if (this.situation.kind !== "failed") return;
    const { error, during } = this.situation;
    try {
      await navigator.clipboard.writeText(
        JSON.stringify({ during, ...error, userAgent: navigator.userAgent }, null, 2),
      );
      this.isCopied = true;
      setTimeout(() => {
        this.isCopied = false;
      }, 2000);
    } catch {
      // The browser keeps the clipboard to itself; the words stay on screen to be selected.
    }
  }
}

customElements.define("lab-headline", LabHeadline);
