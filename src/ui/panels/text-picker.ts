import { html, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { formatCount } from "../../base/format.ts";
import { EVALUATION_TEXTS } from "../../engine/text-api.ts";
import type { ModelChoice } from "../../engine/worker-api.ts";
import type { AskedText } from "../parts/asked-text.ts";
import { wordsMark } from "../parts/number-kind.ts";
import { filesOf } from "../parts/picked-files.ts";
import { pickerStyles } from "../parts/picker-styles.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, controlStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import {
  contextOf,
  countWords,
  isTokenFile,
  type MeasureStep,
  measureVerb,
  planWords,
  readCount,
  SLIDER_WINDOWS,
  type TextFacts,
  toggled,
} from "./text-picker-model.ts";
import { textPickerStyles } from "./text-picker-styles.ts";

const WAITS = "Waits until what runs is done, or is stopped.";

/** On which text a measurement runs, how much of it, what beside the schemes; what the doctor says; and the button that starts it. */
export class LabTextPicker extends TurnElement {
  @property({ attribute: false }) text: AskedText | null = null;
  @property({ attribute: false }) against: ModelChoice | null = null;
  /** How many recipes will be measured. */
  @property({ type: Number }) schemes = 0;
  @property({ type: Number }) maxPositions: number | null = null;
  /** What a press on the button does; null while something runs. */
  @property() step: MeasureStep | null = null;
  /** What was made of the text that was prepared last. */
  @property({ attribute: false }) prepared: TextFacts | null = null;
  @state() private isOpen = false;
  @state() private wrong: "windows" | "context" | null = null;
  @state() private pasted = "";
  @query(".opener") private opener!: HTMLButtonElement;
  @query("#text-file") private fileInput!: HTMLInputElement;
  @query("#against-folder") private folderInput!: HTMLInputElement;

  static override styles = [baseStyles, controlStyles, pillStyles, pickerStyles, textPickerStyles];

  /** Asks for a file of text. */
  pickFile(): void {
    this.fileInput.click();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { text } = this;
    if (text === null) return nothing;
    return html`
      <div class="chosen" role="group" aria-label="Text to measure on">
        <h2>Measured on</h2>
        ${text.source.kind === "bundled" ? this.#slices(text) : this.#own(text)}
        ${
          this.against === null
            ? nothing
            : html`<ul><li>
                <span class="dim">beside</span> <span>${safeName(this.against.name)}</span>
                <button type="button" aria-label="Take out the other checkpoint" @click=${() => emit(this, "lab-set-against", null)}>✕</button>
              </li></ul>`
        }
        <button type="button" class="button opener" aria-expanded=${this.isOpen} aria-controls="text-tray" @click=${this.#toggle}>
          ${this.isOpen ? "Close" : "Own text"}
        </button>
      </div>
      <div id="text-tray" class="tray" role="group" aria-label="Own text" ?hidden=${!this.isOpen} @keydown=${this.#trayKey}>
        ${this.isOpen ? this.#tray(text) : nothing}
      </div>
      <div class="start">
        ${this.#windows(text)}
        <button type="button" class="button ${this.#isMain() ? "main" : ""}" aria-disabled=${this.step === null}
          data-tip=${this.step === null ? WAITS : nothing} @click=${this.#measure}>${measureVerb(this.step ?? "first")} <kbd>m</kbd></button>
        <p class="plan">${planWords(text, this.schemes, this.against?.name ?? null, this.maxPositions)}</p>
      </div>
      ${this.wrong === null ? nothing : html`<p class="words" role="alert">${countWords(this.wrong, this.maxPositions)}</p>`}
      ${this.prepared === null ? nothing : factsTemplate(this.prepared)}
      <input id="text-file" type="file" accept=".txt,.jsonl,.json" hidden aria-label="File of text" @change=${this.#picked} />
      <input id="against-folder" type="file" webkitdirectory hidden aria-label="Folder of another checkpoint" @change=${this.#pickedFolder} />
    `;
  }

  #slices(text: AskedText): unknown {
    const names = text.source.kind === "bundled" ? text.source.names : [];
    return EVALUATION_TEXTS.map((name) => {
      const isOn = names.includes(name);
      const isLast = isOn && names.length === 1;
      return html`<label class="pill" data-tip=${isLast ? "A measurement needs one text." : nothing}>
        <input type="checkbox" .checked=${isOn} ?disabled=${isLast}
          @change=${() => this.#set({ source: { kind: "bundled", names: toggled(names, name) } })} />${name}
      </label>`;
    });
  }

  #own({ source }: AskedText): TemplateResult {
    const name = source.kind === "file" ? safeName(source.file.name) : "pasted text";
    return html`<ul><li>
      <span>${name}</span>
      <button type="button" aria-label="Back to the bundled texts" @click=${() => emit(this, "lab-use-bundled-text", undefined)}>✕</button>
    </li></ul>`;
  }

  #windows(text: AskedText): TemplateResult {
    const { least, most, step } = SLIDER_WINDOWS;
    const set = (value: number): void => this.#set({ windows: value });
    return html`<span class="field">
      <label for="windows">Windows</label>
      <input type="range" aria-label="Windows, by slider" min=${least} max=${most} step=${step} .value=${String(text.windows)}
        @input=${(event: Event) => set((event.target as HTMLInputElement).valueAsNumber)} />
      <input id="windows" class="number" inputmode="numeric" autocomplete="off" .value=${formatCount(text.windows)}
        aria-invalid=${this.wrong === "windows"} @change=${(event: Event) => this.#count(event, "windows", set)} />
    </span>`;
  }

  #tray(text: AskedText): TemplateResult {
    const isTokens = isTokenFile(text);
    return html`
      <div class="line">
        <h3>A file</h3>
        <div class="fields">
          <button type="button" class="button" @click=${() => this.pickFile()}>Choose a file</button>
          <p class="words">Or drop it on the page. <code>.txt</code> · <code>.jsonl</code> with <code>text</code> or <code>messages</code> on each line ·
            <code>.json</code> with token ids, <code>{"windows": [[1, 2, …], …]}</code></p>
        </div>
      </div>
      <div class="line">
        <h3><label for="paste">Pasted</label></h3>
        <form class="fields" @submit=${this.#paste}>
          <textarea id="paste" rows="3" spellcheck="false" .value=${this.pasted} @input=${this.#write}></textarea>
          <button type="submit" class="button" aria-disabled=${this.pasted.trim() === ""}>Use this text</button>
        </form>
      </div>
      <div class="line">
        <h3><label for="window-tokens">Tokens in a window</label></h3>
        <div class="fields">
          <input id="window-tokens" class="number" inputmode="numeric" autocomplete="off" ?disabled=${isTokens}
            .value=${isTokens ? "" : formatCount(contextOf(text, this.maxPositions))} aria-invalid=${this.wrong === "context"}
            @change=${(event: Event) => this.#count(event, "context", (context) => this.#set({ context }))} />
          <span>${isTokens ? "token ids keep their own windows" : "the second half of each window is scored"}</span>
        </div>
      </div>
      <div class="line">
        <h3>Beside the schemes</h3>
        <div class="fields">
          <button type="button" class="button" @click=${() => this.folderInput.click()}>Choose a folder</button>
          <p class="words">Another checkpoint of the same architecture, quantized or fine-tuned elsewhere: measured against this one like a scheme.</p>
        </div>
      </div>
    `;
  }

  /** The one thing to do next; of a measurement that was stopped or is old the headline says what to do. */
  #isMain(): boolean {
    return this.step === "first" || this.step === "add";
  }

  #set(change: Partial<AskedText>): void {
    if (this.text === null) return;
    this.wrong = null;
    emit(this, "lab-set-text", { ...this.text, ...change });
  }

  #count(event: Event, of: "windows" | "context", set: (value: number) => void): void {
    const value = readCount((event.target as HTMLInputElement).value, of);
    if (value === null) this.wrong = of;
    else set(value);
  }

  readonly #measure = (): void => {
    if (this.step !== null) emit(this, "lab-measure", undefined);
  };

  readonly #picked = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const [file] = input.files ?? [];
    if (file !== undefined) this.#set({ source: { kind: "file", file } });
    // The same file picked again shall be read again.
    input.value = "";
  };

  readonly #pickedFolder = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const files = filesOf(input.files ?? []);
    if (files.length > 0) emit(this, "lab-set-against", files);
    input.value = "";
  };

  readonly #write = (event: Event): void => {
    this.pasted = (event.target as HTMLTextAreaElement).value;
  };

  readonly #paste = (event: Event): void => {
    event.preventDefault();
    if (this.pasted.trim() !== "") this.#set({ source: { kind: "pasted", text: this.pasted } });
  };

  #toggle(): void {
    this.isOpen = !this.isOpen;
  }

  readonly #trayKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    // Else it would cancel what runs.
    event.stopPropagation();
    this.isOpen = false;
    this.opener.focus();
  };
}

/** What was read: whence, by which tokenizer, and what the doctor found in it. */
function factsTemplate({ source, tokenizer, bos, hash, findings }: TextFacts): TemplateResult {
  return html`<div class="facts">
    <p>
      <b>Prepared:</b> <bdi>${source}</bdi> · tokenizer <bdi>${tokenizer}</bdi> ·
      BOS ${bos === null ? "none" : html`<code>${bos}</code>`} · <code>${hash}</code>${wordsMark("ƒ", "Computed: the first digits of SHA-256 over the windows' token ids. The same digits are the same windows.")}
    </p>
    <ul aria-label="What the doctor found in the text">
      ${findings.map(({ severity, words }) =>
        severity === "warning"
          ? html`<li class="warning"><span role="img" aria-label="Warning:">!</span><bdi>${words}</bdi></li>`
          : html`<li><bdi>${words}</bdi></li>`,
      )}
    </ul>
  </div>`;
}

customElements.define("lab-text-picker", LabTextPicker);
