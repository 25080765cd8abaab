import { html, nothing, svg, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import { formatDuration } from "../../base/format.ts";
import { type SweepKind, type SweepResult, shareWords, sweepBasis } from "../../engine/sweep-words.ts";
import "../charts/lab-chart.ts";
import { sweepLayersChart } from "../charts/sweep-layers.ts";
import { sweepSalientChart } from "../charts/sweep-salient.ts";
import { sweepSamplesChart } from "../charts/sweep-samples.ts";
import { sweepStrengthChart } from "../charts/sweep-strength.ts";
import { differs } from "../parts/differs.ts";
import { type Fetched, fetchedPart, NOT_FETCHED } from "../parts/fetched.ts";
import { failureWords } from "../parts/job-state.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, controlStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit, type SweepAsk } from "./panel-events.ts";
import {
  foundRecipes,
  layersDataOf,
  SWEEP_SHARES,
  SWEEP_WINDOWS,
  salientDataOf,
  salientGround,
  samplesDataOf,
  strengthDataOf,
  sweepCost,
  sweepLacks,
} from "./sweep-model.ts";
import { sweepStyles } from "./sweep-styles.ts";
import { EXAMPLE_SALIENT, EXAMPLE_SAMPLES, EXAMPLE_STRENGTHS, SWEEP_TEXTS } from "./sweep-words.ts";

const HEIGHT = 300;
const LAYERS_HEIGHT = 150;
const COPIED_MS = 2000;

const UNITS: Readonly<Record<SweepKind, string>> = {
  strengths: "% of what it is without smoothing · log scale",
  samples: "% of what it is by plain rounding · both axes log",
  salient: "mean KLD, nats",
};

/**
 * What the chosen recipe comes to with one thing of it varied: SmoothQuant's strength, the number of calibration samples, or which
 * channels are kept.
 * @fires lab-sweep to run it
 * @fires lab-set-sweep with what it shall be asked with
 * @fires lab-cancel to stop it
 */
export class LabSweepPanel extends TurnElement {
  @property() kind: SweepKind = "strengths";
  /** The chosen recipe. */
  @property() scheme = "";
  @property({ attribute: false, hasChanged: differs }) view: Fetched<SweepResult> = NOT_FETCHED;
  /** Something else would be swept now than was. */
  @property({ type: Boolean }) isOld = false;
  @property({ attribute: false, hasChanged: differs }) ask: SweepAsk = {
    windows: 4,
    isFine: false,
    isWhole: false,
    share: 0.01,
  };
  /** A job runs: nothing can be asked. */
  @property({ type: Boolean }) isBlocked = false;
  /** Name of the model, for files. */
  @property() model = "";
  /** The recipe that was copied just now. */
  @state() private copied = "";

  static override styles = [baseStyles, controlStyles, pillStyles, sweepStyles];

  protected override render(): TemplateResult | typeof nothing {
    if (this.scheme === "") return nothing;
    const { kind, scheme, view } = this;
    const { name, question, about } = SWEEP_TEXTS[kind];
    const lacks = sweepLacks(kind, scheme);
    const result = fetchedPart(view);
    return html`<h2 class="caption">${name}${wordsMark("?", about)} <span>${question}</span></h2>
      ${lacks === null ? this.#form(result !== null) : html`<p class="small">${safeName(scheme)}: ${lacks}.</p>`}
      ${lacks === null ? html`<div class=${this.isOld && result !== null ? "stale" : ""}>${this.#pictures(result)}</div>` : nothing}
      <p class="spoken" aria-live="polite">${this.copied === "" ? "" : "Copied"}</p>`;
  }

  #form(isThere: boolean): TemplateResult {
    const { kind, ask, view, isBlocked } = this;
    const { name, verb } = SWEEP_TEXTS[kind];
    if (view.state === "waiting") {
      return html`<div class="actions">
        <button type="button" class="button" @click=${() => emit(this, "lab-cancel", undefined)}>Stop</button>
        <span class="small" role="status">${name}: the sweep runs; the bar below says how far it is.</span>
      </div>`;
    }
    const run = (): void => {
      if (!isBlocked) emit(this, "lab-sweep", kind);
    };
    const isFailed = view.state === "failed";
    const words = isBlocked
      ? "waits until what runs is done"
      : `${this.isOld && isThere ? "swept with other settings than are chosen now; " : ""}${sweepCost(kind, ask)}`;
    return html`${this.#switches()}
      ${isFailed ? html`<p class="failed" role="alert"><b>✕</b> The sweep failed: <bdi class="small">${failureWords(view.error)}</bdi></p>` : nothing}
      <div class="actions">
        <button type="button" class="button" aria-disabled=${isBlocked} @click=${run}>${isFailed ? "Try again" : isThere ? `${verb} again` : verb}</button>
        <span class="small">${words}</span>
      </div>`;
  }

  #switches(): TemplateResult {
    const { kind, ask } = this;
    const pill = (words: string, isOn: boolean, change: Partial<SweepAsk>): TemplateResult =>
      html`<button type="button" class="pill" aria-pressed=${isOn} @click=${() => emit(this, "lab-set-sweep", { ...ask, ...change })}>${words}</button>`;
    const own = {
      strengths: () => html`<div role="group" aria-label="Strengths">
        ${pill("steps of 0.2", !ask.isFine, { isFine: false })}${pill("steps of 0.1", ask.isFine, { isFine: true })}
      </div>`,
      samples: () => html`<div role="group" aria-label="Samples">
        ${pill("2 to 16 windows", !ask.isWhole, { isWhole: false })}${pill("8 to all of them", ask.isWhole, { isWhole: true })}
      </div>`,
      salient: () => html`<div role="group" aria-label="Channels">
        ${SWEEP_SHARES.map((share) => pill(shareWords(share), share === ask.share, { share }))}
      </div>`,
    }[kind];
    return html`<div class="switches">
      ${own()}
      <div role="group" aria-label="Windows of the measured text">
        ${SWEEP_WINDOWS.map((windows) => pill(`${windows} windows`, windows === ask.windows, { windows }))}
      </div>
    </div>`;
  }

  #pictures(result: SweepResult | null): TemplateResult | typeof nothing {
    const { kind } = this;
    const subject = `${this.model} ${this.scheme}`;
    const { name, empty } = SWEEP_TEXTS[kind];
    const unit = UNITS[kind];
    const emptyWords = this.view.state === "waiting" ? "Its figures come when all of it has run." : empty;
    const note = result === null ? nothing : html`<span slot="note">${unit}${this.#mark(result)}</span>`;
    const line = result === null ? "" : unit;
    const legend = result === null ? nothing : html`<span slot="legend" class="legend">${legendOf(result)}</span>`;
    switch (kind) {
      case "strengths": {
        const sweep = result?.kind === "strengths" ? result : null;
        const layers = sweep === null ? null : layersDataOf(sweep);
        return html`<div class="pictures">
          <lab-chart .chart=${sweepStrengthChart} .data=${sweep && strengthDataOf(sweep)} .example=${EXAMPLE_STRENGTHS} .emptyWords=${emptyWords}
            .name=${name} .subject=${subject} .height=${HEIGHT} .note=${line}>${note}${legend}</lab-chart>
          ${
            sweep === null || layers === null
              ? nothing
              : html`<lab-chart .chart=${sweepLayersChart} .data=${layers} .name=${"Strength by layer"} .subject=${subject} .height=${LAYERS_HEIGHT}
                  .note=${LAYERS_UNIT}><span slot="note">${LAYERS_UNIT}${this.#mark(sweep)}</span></lab-chart>`
          }
        </div>
        ${sweep === null ? nothing : foundRecipes(sweep).map((found) => this.#found(found))}`;
      }
      case "samples":
        return html`<lab-chart .chart=${sweepSamplesChart} .data=${result?.kind === "samples" ? samplesDataOf(result) : null} .example=${EXAMPLE_SAMPLES}
          .emptyWords=${emptyWords} .name=${name} .subject=${subject} .height=${HEIGHT} .note=${line}>${note}${legend}</lab-chart>`;
      case "salient": {
        const salient = result?.kind === "salient" ? result : null;
        return html`<lab-chart .chart=${sweepSalientChart} .data=${salient && salientDataOf(salient)} .example=${EXAMPLE_SALIENT}
            .emptyWords=${emptyWords} .name=${name} .subject=${subject} .note=${line}>${note}${legend}</lab-chart>
          ${salient === null ? nothing : html`<p class="small"><bdi>${quote(salientGround(salient))}</bdi>${wordsMark("ƒ", "Computed: the share of each matrix's input channels, rounded up to whole ones")}</p>`}`;
      }
    }
  }

  #mark(result: SweepResult): TemplateResult {
    return wordsMark("●", `${sweepBasis(result)}; took ${formatDuration(result.elapsedMs)}`);
  }

  #found({ what, recipe, figures }: ReturnType<typeof foundRecipes>[number]): TemplateResult {
    const isCopied = this.copied === recipe;
    return html`<div class="found">
      <span>${what}: <code><bdi>${quote(recipe)}</bdi></code></span> <span>mean KLD ${figures}</span>
      <button type="button" class="button" aria-label=${`Copy the recipe: ${what}`} @click=${() => void this.#copy(recipe)}>${isCopied ? "Copied" : "Copy"}</button>
    </div>`;
  }

  async #copy(recipe: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(recipe);
    } catch {
      // The browser keeps the clipboard to itself; the recipe can be selected by hand.
      return;
    }
    this.copied = recipe;
    setTimeout(() => {
      this.copied = "";
    }, COPIED_MS);
  }
}

const LAYERS_UNIT = "strength with the least errors of rounding, weights' and activations' together";

const line = (dash: string, dot: TemplateResult): TemplateResult =>
  html`<svg width="26" height="10" aria-hidden="true">${svg`<path d="M0 5H26" stroke="currentColor" stroke-width="1.5" stroke-dasharray=${dash}></path>`}${dot}</svg>`;
const WHOLE = line("none", svg`<circle cx="13" cy="5" r="3" fill="currentColor"></circle>`);
const BROKEN = line(
  "5 3",
  svg`<circle cx="13" cy="5" r="3" fill="var(--paper)" stroke="currentColor" stroke-width="1.5"></circle>`,
);
const THICK = html`<svg width="26" height="10" aria-hidden="true">${svg`<path d="M0 5H26M13 1V9M10 1h6M10 9h6" stroke="currentColor" stroke-width="2"></path>`}</svg>`;

function legendOf(result: SweepResult): TemplateResult {
  // A curve that nothing is drawn of needs no name.
  const isRounded = result.kind !== "strengths" || result.points.some(({ activations }) => activations !== null);
  return isRounded ? LEGENDS[result.kind] : WEIGHTS_ONLY;
}

const TIED = html`<span>≈ not told from the least</span>`;
const WEIGHTS_ONLY = html`<span>${THICK}mean KLD, 95 %</span> <span>${WHOLE}error of weights</span> ${TIED}`;

const LEGENDS: Readonly<Record<SweepKind, TemplateResult>> = {
  strengths: html`<span>${THICK}mean KLD, 95 %</span> <span>${WHOLE}error of weights</span> <span>${BROKEN}error of activations</span> ${TIED}`,
  samples: html`<span>${THICK}mean KLD, 95 %</span> <span>${WHOLE}what a layer adds on held-out text</span> <span>${BROKEN}error on its samples</span> <span>≈ not told from the most</span>`,
  salient: html`<span>hollow: none kept; line: its divergence</span> <span>whisker: the difference from it, paired, at 95 %; across the line it cannot be told</span>`,
};

customElements.define("lab-sweep-panel", LabSweepPanel);
