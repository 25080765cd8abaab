import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import type { LabErrorData } from "../../base/errors.ts";
import { formatCount } from "../../base/format.ts";
import type { TokenAt } from "../../engine/word-statistics.ts";
import { PageTheme } from "../charts/theme.ts";
import { differs } from "../parts/differs.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { KIND_GLYPHS, wordsMark } from "../parts/number-kind.ts";
import type { Pieces } from "../parts/pieces.ts";
import { safeName } from "../parts/safe-name.ts";
import { schemePillStyles, schemePills } from "../parts/scheme-pills.ts";
import { baseStyles, controlStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import {
  type Chunk,
  chunksOf,
  flipWords,
  isAt,
  type ShownToken,
  shownTokens,
  TINT_WORDS,
  tokenSentence,
  type WordTextData,
  windowWords,
} from "./word-text-model.ts";
import { wordTextStyles } from "./word-text-styles.ts";

/** Windows of more tokens scroll in a frame of their own, so that what is said about them stays near. */
const LONG = 1200;
/** Text this far from the view is made ready to be walked through. */
const NEAR = "800px";

/** Chunks that are made at once: those of a window of the bundled texts. */
const FIRST: ReadonlySet<number> = new Set([0, 1, 2]);

/** The text, word by word: tinted by how far the predictions of a word are apart, boxed where the most likely word changed. */
export class LabWordText extends TurnElement {
  /** Null: nothing was measured yet. */
  @property({ attribute: false, hasChanged: differs }) data: WordTextData | null = null;
  @property({ attribute: false }) pieces: Pieces = new Map();
  /** Why some tokens are shown by their number, or null. */
  @property({ attribute: false }) piecesFailure: LabErrorData | null = null;
  @property({ attribute: false, hasChanged: differs }) chosen: TokenAt | null = null;
  /** Recipes that were measured. */
  @property({ attribute: false, hasChanged: differs }) schemes: readonly string[] = [];
  /** More windows are on their way. */
  @property({ type: Boolean }) isMeasuring = false;
  /** Measuring can be begun. */
  @property({ type: Boolean }) canMeasure = false;
  /** The token that a walk reached. */
  @state() private reached: number | null = null;
  /** Chunks that are near the view. */
  @state() private near: ReadonlySet<number> = FIRST;
  @query(".text") private text!: HTMLElement | null;

  readonly #theme = new PageTheme(this);
  #tokens: readonly ShownToken[] = [];
  #chunks: readonly Chunk[] = [];
  #observer: IntersectionObserver | null = null;
  #observed: readonly Element[] = [];
  #shown: TokenAt | null = null;

  static override styles = [baseStyles, controlStyles, pillStyles, markStyles, schemePillStyles, wordTextStyles];

  /** Puts the focus on the chosen token. */
  async focusChosen(): Promise<void> {
    await this.updateComplete;
    if (this.chosen !== null && this.chosen.window === this.data?.window) await this.#focus(this.chosen.place);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#observer?.disconnect();
    this.#observer = null;
    this.#observed = [];
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    const before = changed.get("data") as WordTextData | null | undefined;
    if (changed.has("data") && before?.window !== this.data?.window) {
      this.reached = null;
      this.near = FIRST;
    }
    if (changed.has("chosen")) this.reached = null;
    if (changed.has("data") || changed.has("pieces")) {
      this.#tokens = this.data === null ? [] : shownTokens(this.data, this.pieces);
      this.#chunks = chunksOf(this.#tokens);
    }
  }

  protected override render(): TemplateResult {
    const { data } = this;
    if (data === null) return this.#empty();
    return html`
      <div class="bar">${this.#windowChoice(data)}${this.schemes.length > 1 ? schemePills(this.schemes, data.scheme, (scheme) => emit(this, "lab-pick-scheme", scheme)) : nothing}</div>
      ${this.#caption(data)}
      <div class="text ${this.#tokens.length > LONG ? "long" : ""}" role="group" aria-label="The text, token by token"
        @click=${this.#press} @keydown=${this.#walk}>${this.#chunks.map((chunk, at) => this.#chunk(chunk, at, data))}</div>
      ${legendTemplate()}
      <p class="foot">
        <span>${this.piecesFailure === null ? nothing : html`Tokens are shown by their number: <bdi>${this.piecesFailure.found}</bdi>.`}</span>
        <span class="keys"><kbd>←</kbd> <kbd>→</kbd> walk &ensp;<kbd>Enter</kbd> opens &ensp;<kbd>n</kbd> <kbd>p</kbd> next flip, the one before &ensp;<kbd>[</kbd> <kbd>]</kbd> windows &ensp;<kbd>x</kbd> other scheme</span>
      </p>
    `;
  }

  #empty(): TemplateResult {
    const measure = (): void => emit(this, "lab-measure", undefined);
    return html`
      <p class="caption">${this.isMeasuring ? "The first window brings the first words." : "The text will stand here, each word by how far it moved."}
        <span>${this.isMeasuring ? "Then one window after the other." : "Tinted by the divergence of its prediction, boxed where another word became the most likely."}</span></p>
      ${legendTemplate()}
      ${this.canMeasure ? html`<div class="actions"><button type="button" class="button main" @click=${measure}>Measure on text</button></div>` : nothing}
    `;
  }

  #windowChoice({ text, window }: WordTextData): TemplateResult {
    const last = text.windows.length - 1;
    const show = (next: number): void => {
      if (next >= 0 && next <= last) emit(this, "lab-show-window", next);
    };
    return html`<div class="turn">
      <button type="button" aria-label="The window before" aria-disabled=${window === 0} data-tip="The window before, [" @click=${() => show(window - 1)}>‹</button>
      <select aria-label="Window" @change=${(event: Event) => show((event.target as HTMLSelectElement).selectedIndex)}>
        ${guard([text], () => text.windows.map((_, at) => html`<option>${windowWords(text, at)}</option>`))}
      </select>
      <button type="button" aria-label="The next window" aria-disabled=${window === last} data-tip="The next window, ]" @click=${() => show(window + 1)}>›</button>
    </div>`;
  }

  #caption(data: WordTextData): TemplateResult {
    if (data.scores === null) {
      const measure = (): void => emit(this, "lab-measure", undefined);
      return html`<p class="caption">${safeName(data.scheme)} has not run over this text. ${this.canMeasure ? html`<button type="button" class="button text" @click=${measure}>Measure again</button>` : nothing}</p>`;
    }
    const scored = this.#tokens.filter(({ state: own }) => own === "scored").length;
    const blank = this.#tokens.filter(({ state: own }) => own === "blank").length;
    const flips = this.#tokens.filter(({ flip }) => flip !== null);
    const count = (kind: string): number => flips.filter(({ flip }) => flip?.kind === kind).length;
    if (scored + blank === 0) {
      return html`<p class="caption">This window waits for its turn. <span>${formatCount(data.tokens.doneWindows)} of ${formatCount(data.text.windows.length)} windows are measured.</span></p>`;
    }
    return html`<p class="caption">${formatCount(flips.length)} of these ${formatCount(scored)} predictions flip${wordsMark(KIND_GLYPHS.measured, "Measured here: the most likely token by the original and by the scheme")}
      <span>${flips.length === 0 ? "" : `${formatCount(count("lost"))} lose the right word, ${formatCount(count("found"))} find it, ${formatCount(count("wrong"))} were wrong before and after.`}
        ${blank === 0 ? "" : `${formatCount(blank)} are not finite and have no tint.`}</span></p>`;
  }

  #chunk(chunk: Chunk, at: number, data: WordTextData): TemplateResult {
    const { start, tokens, plain } = chunk;
    const chosen = tokens.findIndex(({ place }) => isAt(this.chosen, data.window, place));
    const stop = this.#tabStop();
    const own = stop >= start && stop < start + tokens.length ? stop : -1;
    // The chosen token and the one that Tab reaches are there, wherever they are.
    const isNear = this.near.has(at) || chosen >= 0 || own >= 0 || this.#theme.isPrinting;
    // Of all chunks those alone are made anew whose tokens, choice or place in the walk changed.
    return html`<span class="chunk" data-chunk=${at}>${guard([chunk, isNear, chosen, own, this.pieces], () =>
      isNear ? tokens.map((token, index) => this.#token(token, data, index === chosen, token.place === own)) : plain,
    )}</span>`;
  }

  #token(token: ShownToken, data: WordTextData, isChosen: boolean, isStop: boolean): TemplateResult {
    const { lead, core, breaks, state: own, level, flip, place } = token;
    const id = data.text.windows[data.window]?.[place] ?? 0;
    const sentence = tokenSentence(token, data, this.pieces, id);
    const marks = `t ${own} ${level === 0 ? "" : `l${level}`} ${flip === null ? "" : `flip ${flip.kind}`} ${isChosen ? "chosen" : ""}`;
    const isOpenable = own === "scored" || own === "blank";
    return html`${lead}<span class=${marks} role=${isOpenable ? "button" : "img"} tabindex=${isStop ? 0 : -1} data-place=${place}
      aria-label=${sentence} aria-pressed=${isOpenable ? isChosen : nothing} data-tip=${sentence}
      >${core}${isChosen && flip !== null ? html`<span class="under" aria-hidden="true">${flipWords(flip, this.pieces)}</span>` : nothing}</span
    >${breaks}`;
  }

  /** The one token that Tab reaches: where a walk is, the chosen one, the first that is scored. */
  #tabStop(): number {
    if (this.reached !== null) return this.reached;
    if (this.chosen !== null && this.chosen.window === this.data?.window) return this.chosen.place;
    return this.#tokens.find(({ state: own }) => own === "scored")?.place ?? 0;
  }

  protected override updated(): void {
    const select = this.renderRoot.querySelector("select");
    if (select !== null) select.selectedIndex = this.data?.window ?? 0;
    this.#watch();
    this.#showChosen();
    this.#keepInside();
  }

  /** Marks of what comes near the view are made then. */
  #watch(): void {
    const chunks = [...this.renderRoot.querySelectorAll(".chunk")];
    if (chunks.length === this.#observed.length && chunks.every((chunk, at) => chunk === this.#observed[at])) return;
    this.#observer ??= new IntersectionObserver(
      (entries) => {
        const near = new Set(this.near);
        for (const { target, isIntersecting } of entries) {
          const at = Number(target.getAttribute("data-chunk"));
          if (isIntersecting) near.add(at);
          else near.delete(at);
        }
        this.near = near;
      },
      { rootMargin: `${NEAR} 0px` },
    );
    for (const chunk of this.#observed) this.#observer.unobserve(chunk);
    for (const chunk of chunks) this.#observer.observe(chunk);
    this.#observed = chunks;
  }

  /** A token that was chosen elsewhere comes into view. */
  #showChosen(): void {
    const { chosen, data } = this;
    if (chosen === null || chosen.window !== data?.window || chosen === this.#shown) return;
    const isNew = !isAt(this.#shown, chosen.window, chosen.place);
    this.#shown = chosen;
    if (!isNew) return;
    const token = this.#element(chosen.place);
    const { top = 0, bottom = 0 } = token?.getBoundingClientRect() ?? {};
    const isSeen = top >= 64 && bottom <= window.innerHeight - 64;
    if (!isSeen) token?.scrollIntoView({ block: "center" });
  }

  /** What stands below a flip at the edge is moved into the column. */
  #keepInside(): void {
    const under = this.renderRoot.querySelector<HTMLElement>(".under");
    const room = this.text?.getBoundingClientRect();
    if (under === null || room === undefined) return;
    under.style.setProperty("--shift", "0px");
    const { left, right } = under.getBoundingClientRect();
    const shift = left < room.left ? room.left - left : right > room.right ? room.right - right : 0;
    under.style.setProperty("--shift", `${shift}px`);
  }

  #element(place: number): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(`[data-place="${place}"]`);
  }

  async #focus(place: number): Promise<void> {
    this.reached = place;
    await this.updateComplete;
    const token = this.#element(place);
    token?.focus({ preventScroll: true });
    token?.scrollIntoView({ block: "nearest" });
  }

  #open(place: number): void {
    const { data } = this;
    const token = this.#tokens[place];
    if (data === null || token === undefined || token.score === null) return;
    emit(this, "lab-pick-token", { window: data.window, place });
  }

  readonly #press = (event: Event): void => {
    const place = placeOf(event.target);
    if (place !== null) this.#open(place);
  };

  readonly #walk = (event: KeyboardEvent): void => {
    const place = placeOf(event.target);
    if (place === null || event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#open(place);
      return;
    }
    const next = this.#nextPlace(place, event.key);
    if (next === null) return;
    event.preventDefault();
    void this.#focus(next);
  };

  #nextPlace(place: number, key: string): number | null {
    const last = this.#tokens.length - 1;
    switch (key) {
      case "ArrowLeft":
        return Math.max(0, place - 1);
      case "ArrowRight":
        return Math.min(last, place + 1);
      case "ArrowUp":
      case "ArrowDown":
        return this.#lineNext(place, key === "ArrowDown" ? 1 : -1);
      case "Home":
        return 0;
      case "End":
        return last;
      default:
        return null;
    }
  }

  /** The token of the line below or above that is nearest across; at an edge it stays. */
  #lineNext(place: number, step: 1 | -1): number {
    const box = (at: number): DOMRect | undefined => this.#element(at)?.getClientRects()[0];
    const from = box(place);
    if (from === undefined) return place;
    const across = from.left + from.width / 2;
    let best = { place, distance: Number.POSITIVE_INFINITY };
    let line: number | null = null;
    for (let at = place + step; at >= 0 && at < this.#tokens.length; at += step) {
      const rect = box(at);
      if (rect === undefined) break;
      if (Math.abs(rect.top - from.top) < from.height / 2) continue;
      line ??= rect.top;
      if (Math.abs(rect.top - line) >= from.height / 2) break;
      const distance = Math.abs(rect.left + rect.width / 2 - across);
      if (distance < best.distance) best = { place: at, distance };
    }
    return best.place;
  }
}

function placeOf(target: EventTarget | null): number | null {
  const token = target instanceof Element ? target.closest("[data-place]") : null;
  return token === null ? null : Number(token.getAttribute("data-place"));
}

function legendTemplate(): TemplateResult {
  return html`<div class="legend">
    <span><span>KL of the prediction of a word, nats</span><span>${TINT_WORDS.map((words, level) => html`<span class="sample ${level === 0 ? "" : `l${level}`}">${words}</span>`)}</span></span>
    <span><span class="sample flip lost">word</span> a flip that lost the right word</span>
    <span><span class="sample flip found">word</span> found it</span>
    <span><span class="sample flip">word</span> wrong before and after</span>
    <span><span class="sample context">word</span> context, not scored</span>
  </div>`;
}

customElements.define("lab-word-text", LabWordText);
