import { css, html, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import type { Ledger } from "../../engine/ledger.ts";
import type { ModelSummary } from "../../engine/result.ts";
import { figure, kindMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, figureStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import {
  architectureFacts,
  type BigFact,
  bigFacts,
  type Check,
  type Fact,
  type FileFact,
  ledgerFacts,
  shardFacts,
  sideFacts,
  soundness,
  TONES,
} from "./model-facts-model.ts";

/** Files shown at once; more stand behind a line that says how many. */
const FILES_AT_ONCE = 6;
/** Files listed at all. A folder may have thousands. */
const MOST_FILES = 300;

/** What a checkpoint is, from its headers alone, and whether it is sound. */
export class LabModelFacts extends TurnElement {
  @property({ attribute: false }) model: ModelSummary | null = null;
  @property({ attribute: false }) ledger: Ledger | null = null;

  static override styles = [
    baseStyles,
    figureStyles,
    css`
      .big {
        margin-top: 0;
      }
      .caption {
        margin: var(--s5) 0 var(--s2);
      }
      .numbers {
        grid-template-columns: minmax(88px, 1fr) fit-content(66%);
      }
      .numbers dt,
      .numbers dd {
        overflow-wrap: anywhere;
      }
      .file {
        padding-block: 3px;
        font: 12px/18px var(--mono);
      }
      .why {
        padding: var(--s1) 0;
        overflow-wrap: anywhere;
      }
      summary {
        min-height: 24px;
        border-top: 1px solid var(--line);
        font: 13px/24px var(--sans);
        color: var(--ink-2);
        cursor: pointer;
      }
      details .numbers {
        max-height: 240px;
        overflow-y: auto;
        scrollbar-width: thin;
      }
      .checks li {
        display: grid;
        grid-template-columns: 20px minmax(0, 1fr);
        padding: var(--s2) 0;
        border-top: 1px solid var(--line);
      }
      h3 {
        margin: 0;
        font: 600 14px/20px var(--sans);
      }
      .text + .text {
        margin-top: var(--s1);
      }
      .text {
        font: 13px/20px var(--sans);
        color: var(--ink-2);
        overflow-wrap: anywhere;
      }
      .icon {
        font: 13px/20px var(--sans);
        color: var(--ink-2);
      }
      .warning .icon {
        color: var(--ink);
        font-weight: 700;
      }
      @media print {
        details .numbers {
          max-height: none;
          overflow: visible;
        }
      }
    `,
  ];

  protected override render(): TemplateResult | typeof nothing {
    const { model, ledger } = this;
    if (model === null) return nothing;
    const architecture = architectureFacts(model);
    const { answer, checks } = soundness(model);
    return html`
      <div class="big">${bigFacts(model).map(bigTemplate)}</div>
      <dl class="numbers">${ledgerFacts(model, ledger).map(factTemplate)}</dl>
      ${ledger === null ? nothing : filesTemplate(ledger)}
      <h2 class="caption">Architecture <span>as config.json has it</span></h2>
      <dl class="numbers">${architecture.facts.map(factTemplate)}</dl>
      ${architecture.why === "" ? nothing : html`<p class="small why"><bdi>${architecture.why}</bdi></p>`}
      <h2 class="caption">Sound? <span>${answer}</span></h2>
      <ul class="checks">${checks.map(checkTemplate)}</ul>
    `;
  }
}

function bigTemplate({ value, words, quantity }: BigFact): TemplateResult {
  return html`<div><b>${figure(value)}</b><span class="small">${words}${kindMark(quantity)}</span></div>`;
}

function factTemplate({ name, value, unit, quantity, isUntrusted }: Fact): TemplateResult {
  const kind = quantity === null ? nothing : kindMark(quantity);
  return html`<dt>${isUntrusted ? safeName(name) : name}${kind}</dt>
    <dd>${isUntrusted ? safeName(value) : value}${unit === "" ? nothing : html`<span class="unit"> ${unit}</span>`}</dd>`;
}

function filesTemplate(ledger: Ledger): TemplateResult {
  const shards = shardFacts(ledger);
  const side = sideFacts(ledger);
  const [first, later] = [shards.slice(0, FILES_AT_ONCE), shards.slice(FILES_AT_ONCE)];
  return html`
    <h2 class="caption">${shards.length === 1 ? "One file" : `${formatCount(shards.length)} files`} <span>of weights</span></h2>
    <dl class="numbers">${first.map(fileTemplate)}</dl>
    ${later.length === 0 ? nothing : moreTemplate(`${formatCount(later.length)} more files of weights`, later)}
    ${side === null ? nothing : moreTemplate(side.words, side.files)}
  `;
}

function moreTemplate(words: string, files: readonly FileFact[]): TemplateResult {
  const rest = files.length - MOST_FILES;
  return html`<details>
    <summary>${words}</summary>
    <dl class="numbers">${files.slice(0, MOST_FILES).map(fileTemplate)}</dl>
    ${rest > 0 ? html`<p class="small">${formatCount(rest)} more are not listed.</p>` : nothing}
  </details>`;
}

function fileTemplate({ name, size, more }: FileFact): TemplateResult {
  return html`<dt class="file">${safeName(name)}</dt>
    <dd>${more === "" ? nothing : html`<span class="unit">${more} · </span>`}${figure(size)}</dd>`;
}

function checkTemplate({ tone, title, texts }: Check): TemplateResult {
  const { glyph, word } = TONES[tone];
  return html`<li class=${tone}>
    <span class="icon" aria-hidden="true">${glyph}</span>
    <div>
      <span class="spoken">${word}: </span>${title === "" ? nothing : html`<h3>${title}</h3>`}
      ${texts.map((text) => html`<p class="text"><bdi>${text}</bdi></p>`)}
    </div>
  </li>`;
}

customElements.define("lab-model-facts", LabModelFacts);
