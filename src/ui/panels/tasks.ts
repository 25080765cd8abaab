import { css, html, nothing, type TemplateResult } from "lit";
import { property, query } from "lit/decorators.js";
import type { TaskResult } from "../../engine/diagnosis-api.ts";
import { type Fetched, NOT_FETCHED } from "../parts/fetched.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import { recipeName, safeName } from "../parts/safe-name.ts";
import { ORIGINAL_LOOK, recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, tableStyles } from "../parts/shared-styles.ts";
import { sideJobStyles } from "../parts/side-job-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import { type TaskLine, taskLines, tasksCaption } from "./tasks-model.ts";

/** Multiple choice by likelihood: how often each model takes the right answer, paired item by item. */
export class LabTasks extends TurnElement {
  /** Null: the items that the lab brings along. */
  @property({ attribute: false }) file: File | null = null;
  @property({ attribute: false }) view: Fetched<TaskResult> = NOT_FETCHED;
  @property({ type: Boolean }) isOld = false;
  @property({ type: Boolean }) isBlocked = false;
  @query("input[type=file]") private input!: HTMLInputElement;

  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    markStyles,
    sideJobStyles,
    css`
      .items {
        display: inline-flex;
        flex-wrap: wrap;
        gap: var(--s1) var(--s2);
        align-items: center;
      }
      .items .button {
        min-height: 28px;
        padding: 3px 6px;
        font: 500 12px/18px var(--sans);
      }
    `,
  ];

  protected override render(): TemplateResult {
    const { view } = this;
    const result = view.state === "ready" ? view.result : null;
    const caption =
      result === null
        ? {
            strong: "Do they still answer right?",
            plain:
              "Each model takes the choice that it finds most likely; schemes are compared with the original item by item.",
          }
        : tasksCaption(result);
    const isOld = this.isOld && result !== null;
    return html`<figure class=${isOld ? "old" : ""}>
      <figcaption class="caption">${caption.strong} <span>${caption.plain}${isOld ? " Asked with other settings than are chosen now." : ""}</span></figcaption>
      ${this.#form(result !== null)}
      ${view.state === "waiting" ? html`<div class="waits" role="status"><span class="spoken">Answering</span></div>` : nothing}
      ${view.state === "failed" ? html`<p class="failed" role="alert"><b>✕</b> <bdi>${view.error.found}</bdi>. <bdi class="small">${view.error.allowed}. ${view.error.advice}.</bdi></p>` : nothing}
      ${result === null ? nothing : this.#table(result)}
    </figure>`;
  }

  #form(isAgain: boolean): TemplateResult {
    const answer = (event: Event): void => {
      event.preventDefault();
      if (!this.isBlocked) emit(this, "lab-answer", undefined);
    };
    const picked = (): void => {
      const [file] = this.input.files ?? [];
      if (file !== undefined) emit(this, "lab-set-task-file", file);
      // The same file picked again shall be read again.
      this.input.value = "";
    };
    return html`<form @submit=${answer}>
      <input type="file" hidden accept=".jsonl,.json" aria-label="File of items" @change=${picked} />
      <span class="items">Items: ${this.file === null ? html`<b>bundled</b>` : html`<b>${safeName(this.file.name)}</b>`}
        <button type="button" class="button text" data-tip='One item on each line: {"context", "choices", "answer"}' @click=${() => this.input.click()}>choose a file</button>
        ${this.file === null ? nothing : html`<button type="button" class="button text" @click=${() => emit(this, "lab-set-task-file", null)}>use the bundled ones</button>`}</span>
      <button type="submit" class="button" aria-disabled=${this.isBlocked}>${isAgain ? "Answer again" : "Answer"}</button>
    </form>`;
  }

  #table(result: TaskResult): TemplateResult {
    return html`<div class="scroll" role="region" aria-label="Items answered right" tabindex="0">
      <table class="cards">
        <thead><tr>
          <th class="left" scope="col">model</th>
          <th scope="col">right${wordsMark(KIND_GLYPHS.measured, `Measured here over ${result.items} items of ${result.name}`)}<span class="unit">%</span></th>
          <th scope="col">difference<span class="unit">points</span></th>
          <th scope="col">95 %<span class="unit">paired</span></th>
          <th scope="col">lost<span class="unit">items</span></th>
          <th scope="col">won<span class="unit">items</span></th>
        </tr></thead>
        <tbody>${taskLines(result).map(rowTemplate)}</tbody>
      </table>
    </div>`;
  }
}

function rowTemplate({ scheme, accuracy, difference, interval, lost, won }: TaskLine): TemplateResult {
  const cell = (head: string, text: string): TemplateResult =>
    text === "" ? html`<td></td>` : html`<td data-head=${head}>${text}</td>`;
  return html`<tr>
    <th scope="row"><span class="named">${recipeMark(scheme === null ? ORIGINAL_LOOK : recipeLook(scheme))}${scheme === null ? "original" : recipeName(scheme)}</span></th>
    <td data-head="right, %">${accuracy}</td>
    ${cell("difference", difference)}${cell("95 %", interval)}${cell("lost", lost)}${cell("won", won)}
  </tr>`;
}

customElements.define("lab-tasks", LabTasks);
