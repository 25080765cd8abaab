import { scaleLinear } from "d3-scale";
import { css, html, nothing, svg, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { GenerationResult } from "../../engine/diagnosis-api.ts";
import { differs } from "../parts/differs.ts";
import { type Fetched, NOT_FETCHED } from "../parts/fetched.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import { recipeName } from "../parts/safe-name.ts";
import { recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles, tableStyles } from "../parts/shared-styles.ts";
import { sideJobStyles } from "../parts/side-job-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import {
  GENERATION_LIMITS,
  type GenerationLine,
  generationCaption,
  generationLines,
  readAsk,
} from "./generation-model.ts";
import { emit, type GenerationAsk } from "./panel-events.ts";

const STRIP = { width: 180, height: 22, never: 14 } as const;

/** How long each scheme goes on as the original does when both always take the most likely token. */
export class LabGeneration extends TurnElement {
  @property({ attribute: false, hasChanged: differs }) ask: GenerationAsk = { prompts: 16, tokens: 64 };
  @property({ attribute: false }) view: Fetched<GenerationResult> = NOT_FETCHED;
  /** Something else would be asked now than was. */
  @property({ type: Boolean }) isOld = false;
  /** A job runs, or nothing is open. */
  @property({ type: Boolean }) isBlocked = false;
  @state() private wrong: keyof GenerationAsk | null = null;

  static override styles = [
    baseStyles,
    controlStyles,
    tableStyles,
    markStyles,
    sideJobStyles,
    css`
      .strip {
        display: block;
        overflow: visible;
      }
      .strip path {
        stroke: var(--line-2);
      }
      .strip circle {
        fill: var(--family);
        fill-opacity: 0.75;
      }
      .strip .same {
        fill: var(--paper);
        fill-opacity: 1;
        stroke: var(--family);
        stroke-width: 1.5;
      }
      .orig, .strip { color: var(--ink); }
    `,
  ];

  protected override render(): TemplateResult {
    const { view } = this;
    const result = view.state === "ready" ? view.result : null;
    const caption =
      result === null
        ? {
            strong: "How long do they say the same?",
            plain:
              "Original and scheme go on from the first half of each window, always with the most likely token; what counts is the first one that differs.",
          }
        : generationCaption(result);
    return html`<figure class=${this.isOld && result !== null ? "old" : ""}>
      <figcaption class="caption">${caption.strong} <span>${caption.plain}${this.isOld && result !== null ? " Asked with other settings than are chosen now." : ""}</span></figcaption>
      ${this.#form(result !== null)}
      ${view.state === "waiting" ? html`<div class="waits" role="status"><span class="spoken">Generating</span></div>` : nothing}
      ${view.state === "failed" ? html`<p class="failed" role="alert"><b>✕</b> <bdi>${view.error.found}</bdi>. <bdi class="small">${view.error.advice}.</bdi></p>` : nothing}
      ${result === null ? nothing : this.#table(result)}
    </figure>`;
  }

  #form(isAgain: boolean): TemplateResult {
    const field = (of: keyof GenerationAsk, words: string): TemplateResult => html`<label>${words}
      <input inputmode="numeric" autocomplete="off" .value=${formatCount(this.ask[of])} aria-invalid=${this.wrong === of}
        @change=${(event: Event) => this.#set(of, (event.target as HTMLInputElement).value)} /></label>`;
    const generate = (event: Event): void => {
      event.preventDefault();
      if (!this.isBlocked && this.wrong === null) emit(this, "lab-generate", undefined);
    };
    return html`<form @submit=${generate}>
      ${field("prompts", "Prompts")} ${field("tokens", "Tokens")}
      <button type="submit" class="button" aria-disabled=${this.isBlocked}>${isAgain ? "Generate again" : "Generate"}</button>
      ${this.wrong === null ? nothing : html`<span role="alert">Give a whole number from 1 to ${formatCount(GENERATION_LIMITS[this.wrong])}.</span>`}
    </form>`;
  }

  #set(of: keyof GenerationAsk, text: string): void {
    const value = readAsk(text, of);
    this.wrong = value === null ? of : null;
    if (value !== null) emit(this, "lab-set-generation", { ...this.ask, [of]: value });
  }

  #table(result: GenerationResult): TemplateResult {
    const { tokens } = result;
    return html`<div class="scroll" role="region" aria-label="Tokens until they differ" tabindex="0">
      <table class="cards">
        <thead><tr>
          <th class="left" scope="col">scheme</th>
          <th scope="col">median${wordsMark(KIND_GLYPHS.measured, `Measured here over ${result.prompts} prompts`)}<span class="unit">tokens until they differ</span></th>
          <th scope="col">95 %<span class="unit">tokens</span></th>
          <th scope="col">never differ<span class="unit">prompts</span></th>
          <th class="left" scope="col">each prompt<span class="unit">0 to ${formatCount(tokens)} tokens · hollow: never</span></th>
        </tr></thead>
        <tbody>${generationLines(result).map(
          (line) => html`<tr>
            <th scope="row"><span class="named">${recipeMark(recipeLook(line.scheme))}${recipeName(line.scheme)}</span></th>
            <td data-head="median, tokens">${line.median}</td>
            <td data-head="95 %" class="dim">${line.interval}</td>
            <td data-head="never differ">${line.same}</td>
            <td class="left">${stripTemplate(line, tokens)}</td>
          </tr>`,
        )}</tbody>
      </table>
    </div>`;
  }
}

/** A dot for each prompt where it first differs; those at the same place stand above each other. */
function stripTemplate({ scheme, dots, sentence }: GenerationLine, tokens: number): TemplateResult {
  const [fill] = recipeLook(scheme).fills;
  const x = scaleLinear()
    .domain([0, tokens])
    .range([4, STRIP.width - STRIP.never - 6]);
  const base = STRIP.height - 6;
  const seen = new Map<number, number>();
  const circles = dots.map((dot) => {
    const at = dot === null ? STRIP.width - STRIP.never / 2 : x(dot);
    const slot = Math.floor(at / 4);
    const below = seen.get(slot) ?? 0;
    seen.set(slot, below + 1);
    return svg`<circle class=${dot === null ? "same" : ""} cx=${at} cy=${Math.max(3, base - below * 3)} r="3"></circle>`;
  });
  return html`<svg class="strip ${fill?.family ?? "orig"}" width=${STRIP.width} height=${STRIP.height} role="img" aria-label=${sentence} data-tip=${sentence}>
    <path d="M4 ${base + 4.5}H${STRIP.width - STRIP.never - 6}"></path>${circles}
  </svg>`;
}

customElements.define("lab-generation", LabGeneration);
