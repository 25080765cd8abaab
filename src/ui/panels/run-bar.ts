import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import type { CompareResult } from "../../engine/result.ts";
import type { DeviceSummary } from "../../engine/worker-api.ts";
import { baseStyles } from "../parts/shared-styles.ts";
import { emit } from "./panel-events.ts";
import { deviceLine, type RunState, runBar } from "./run-bar-model.ts";

/** The line at the foot of the page: what runs, how far, how to stop it, and where. */
export class LabRunBar extends LitElement {
  @property({ attribute: false }) run: RunState = { kind: "idle", end: "none" };
  @property({ attribute: false }) shown: CompareResult | null = null;
  @property({ attribute: false }) device: DeviceSummary | null = null;

  static override styles = [
    baseStyles,
    css`
      :host {
        position: fixed;
        inset: auto 0 0 0;
        z-index: 6;
        /* It changes ten times a second while a job runs: the page around it is not laid out anew. */
        contain: layout style;
      }
      .bar {
        display: flex;
        align-items: center;
        gap: var(--s4);
        height: 36px;
        padding: 0 var(--page);
        border-top: 1px solid var(--line-2);
        background: var(--sunk);
        font: 13px/20px var(--sans);
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      b {
        flex: none;
        font-weight: 600;
      }
      .parts {
        display: flex;
        gap: var(--s4);
        min-width: 0;
        color: var(--ink-2);
      }
      .parts span {
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .parts span:not(:last-child) {
        flex: none;
      }
      .idle .parts {
        flex: none;
      }
      .device {
        flex: 0 1 auto;
        min-width: 0;
        margin-left: auto;
        padding: 0;
        overflow: hidden;
        border: 0;
        background: none;
        color: var(--ink-2);
        font: inherit;
        text-overflow: ellipsis;
        cursor: help;
      }
      .cancel {
        flex: none;
        min-height: 28px;
        padding: 0 8px;
        border: 1px solid transparent;
        border-radius: var(--radius);
        background: none;
        color: var(--ink-2);
        font: inherit;
        cursor: pointer;
      }
      .cancel:hover {
        border-color: var(--line-2);
        color: var(--ink);
      }
      progress {
        position: absolute;
        inset: -1px 0 auto 0;
        width: 100%;
        height: 2px;
        border: 0;
        appearance: none;
        background: transparent;
        color: var(--accent);
      }
      progress::-webkit-progress-bar {
        background: transparent;
      }
      progress::-webkit-progress-value {
        background: var(--accent);
      }
      progress::-moz-progress-bar {
        background: var(--accent);
      }
      .failed {
        border-top-color: var(--fail);
      }
      .failed b::before {
        content: "✕ ";
        color: var(--fail);
      }
      @media (max-width: 899px) {
        .running .device {
          display: none;
        }
        .cancel {
          margin-left: auto;
        }
      }
      @media (max-width: 599px) {
        :host {
          bottom: 44px;
        }
        .bar {
          gap: var(--s3);
        }
        .idle .parts {
          display: none;
        }
        .words {
          display: none;
        }
      }
      @media print {
        :host {
          display: none;
        }
      }
    `,
  ];

  protected override render(): TemplateResult {
    const bar = runBar(this.run, this.shown);
    const device = deviceLine(this.device, this.shown);
    const isRunning = this.run.kind === "running";
    return html`<section aria-label="What runs" class="bar ${isRunning ? "running" : "idle"} ${bar.tone}">
      ${
        bar.meter === null
          ? nothing
          : html`<progress aria-label="Progress" max=${bar.meter.total || 1} .value=${bar.meter.done}></progress>`
      }
      <b>${bar.strong}</b>
      <span class="parts">${bar.parts.map((part) => html`<span>${part}</span>`)}</span>
      <button type="button" class="device" data-tip=${device.tip}>${device.text}</button>
      ${
        isRunning
          ? html`<button type="button" class="cancel" @click=${() => emit(this, "lab-cancel", undefined)}>
              <kbd>Esc</kbd> cancels<span class="words">, keeps what is done</span>
            </button>`
          : nothing
      }
      <span class="spoken" role="status">${bar.announced}</span>
    </section>`;
  }
}

customElements.define("lab-run-bar", LabRunBar);
