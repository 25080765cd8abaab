import { html, nothing, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import { MAX_RECIPES } from "../../engine/api.ts";
import { markStyles } from "../parts/mark-styles.ts";
import { pickerStyles } from "../parts/picker-styles.ts";
import { safeName } from "../parts/safe-name.ts";
import { recipeLook, recipeMark } from "../parts/scheme-mark.ts";
import { baseStyles, controlStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { type AskedRules, emit, NO_RULES } from "./panel-events.ts";
import {
  addedWords,
  blockedWords,
  fullWords,
  type Offer,
  offers,
  withoutRecipe,
  withRecipe,
} from "./scheme-picker-model.ts";
import { schemePickerStyles } from "./scheme-picker-styles.ts";
import {
  DUO_SCALINGS,
  FIRST_METHOD,
  FIRST_OWN,
  FIRST_PRUNING,
  hasCriterion,
  METHOD_FORMS,
  type MethodFields,
  needsText,
  type OwnFields,
  PRUNING_CRITERIA,
  PRUNING_FORMS,
  type PruningFields,
  type Reading,
  readMethod,
  readOwn,
  readPruning,
  readRecipe,
  SCALES_PER,
  type StepFields,
} from "./scheme-picker-words.ts";

const WIDTHS = [2, 3, 4, 5, 6, 7, 8] as const;

/** Which recipes are compared: the chosen ones as chips, and a tray with everything one can add. */
export class LabSchemePicker extends TurnElement {
  @property({ attribute: false }) asked: AskedRules = NO_RULES;
  /** What is shown was asked for under other rules. */
  @property({ type: Boolean }) isStale = false;
  @state() private isOpen = false;
  @state() private pruning: PruningFields = FIRST_PRUNING;
  @state() private method: MethodFields = FIRST_METHOD;
  /** Its text was meant as it is. */
  @state() private isMethodTried = false;
  @state() private own: OwnFields = FIRST_OWN;
  @state() private text = "";
  /** The text was meant to be added as it is: from now on its fault is one. */
  @state() private isTried = false;
  @state() private spoken = "";
  @query(".opener") private opener!: HTMLButtonElement;

  static override styles = [baseStyles, controlStyles, markStyles, pickerStyles, schemePickerStyles];

  protected override render(): TemplateResult {
    const { schemes } = this.asked;
    return html`
      <div class="chosen">
        <h2>Compared</h2>
        <ul>${schemes.map((recipe) => this.#chip(recipe))}</ul>
        <button type="button" class="button opener" aria-expanded=${this.isOpen} aria-controls="tray" @click=${this.#toggle}>
          ${this.isOpen ? "Close" : "Add schemes"}
        </button>
        ${
          this.isStale
            ? html`<button type="button" class="button main" @click=${() => emit(this, "lab-compare", undefined)}>
                Compare ${schemes.length === 1 ? "this one" : `these ${schemes.length}`}
              </button>`
            : nothing
        }
      </div>
      <div id="tray" class="tray" role="group" aria-label="Add schemes" ?hidden=${!this.isOpen} @keydown=${this.#trayKey}>
        ${this.isOpen ? this.#tray() : nothing}
      </div>
      <p class="spoken" aria-live="polite">${this.spoken}</p>
    `;
  }

  #chip(recipe: string): TemplateResult {
    const isLast = this.asked.schemes.length === 1;
    return html`<li>
      ${recipeMark(recipeLook(recipe))}<span>${safeName(recipe)}</span>
      <button type="button" aria-label=${`Take out ${quote(recipe)}`} aria-disabled=${isLast}
        data-tip=${isLast ? "A comparison needs one scheme." : nothing} @click=${() => this.#takeOut(recipe)}>✕</button>
    </li>`;
  }

  #tray(): TemplateResult {
    const { schemes } = this.asked;
    const full = fullWords(schemes);
    return html`
      ${full === null ? nothing : html`<p class="full">${full}</p>`}
      <div class="line">
        <h3><label for="prune">Pruned first</label></h3>
        <div class="fields">${this.#pruningFields()}</div>
      </div>
      <div class="line">
        <h3><label for="method">Rounded by</label></h3>
        <div class="fields">${this.#methodFields()}</div>
      </div>
      ${offers(schemes, this.#steps).map(
        (group) => html`<div class="line" role="group" aria-label=${group.title}>
          <h3>${group.title}</h3>
          <div class="offers">${group.offers.map((offer) => this.#offer(offer))}</div>
        </div>`,
      )}
      <div class="line">
        <h3>Your own</h3>
        ${this.#ownFields()}
      </div>
      <div class="line">
        <h3><label for="text">As text</label></h3>
        ${this.#textField()}
      </div>
    `;
  }

  #offer(offer: Offer): TemplateResult {
    return html`<button type="button" class="offer" aria-pressed=${offer.isChosen} aria-disabled=${offer.blocked !== null}
      data-tip=${offer.blocked ?? offer.words} @click=${() => this.#press(offer)}>${recipeMark(offer.look)}${offer.label}</button>`;
  }

  #pruningFields(): TemplateResult {
    const { pruning } = this;
    const set = (change: Partial<PruningFields>): void => {
      this.pruning = { ...pruning, ...change };
    };
    const reading = readPruning(pruning);
    return html`
      <select id="prune" @change=${(event: Event) =>
        set({
          form: chosenOf(
            event,
            PRUNING_FORMS.map(({ form }) => form),
          ),
        })}>
        ${PRUNING_FORMS.map(({ form, words }) => html`<option value=${form} .selected=${form === pruning.form}>${words}</option>`)}
      </select>
      ${
        hasCriterion(pruning)
          ? html`<select aria-label="What ranks the weights" @change=${(event: Event) =>
              set({
                criterion: chosenOf(
                  event,
                  PRUNING_CRITERIA.map(({ criterion }) => criterion),
                ),
              })}>
              ${PRUNING_CRITERIA.map(({ criterion, words }) => html`<option value=${criterion} .selected=${criterion === pruning.criterion}>${words}</option>`)}
            </select>`
          : nothing
      }
      ${
        pruning.form === "n:m"
          ? html`${numberField("n, the smallest", pruning.n, reading, (n) => set({ n }))}
              <span>of every</span> ${numberField("m, neighbours", pruning.m, reading, (m) => set({ m }))}`
          : nothing
      }
      ${
        pruning.form === "share" || pruning.form === "rows" || pruning.form === "columns"
          ? numberField("Share, between 0 and 1", pruning.share, reading, (share) => set({ share }))
          : nothing
      }
      ${readingTemplate(reading, true)}
    `;
  }

  get #steps(): StepFields {
    return { pruning: this.pruning, method: this.method };
  }

  #methodFields(): TemplateResult {
    const { method } = this;
    const set = (change: Partial<MethodFields>): void => {
      this.method = { ...method, ...change };
    };
    const reading = readMethod(method);
    const isOwn = method.form === "own";
    const isEmpty = isOwn && method.text.trim() === "";
    return html`
      <select id="method" @change=${(event: Event) =>
        set({
          form: chosenOf(
            event,
            METHOD_FORMS.map(({ form }) => form),
          ),
        })}>
        ${METHOD_FORMS.map(({ form, words }) => html`<option value=${form} .selected=${form === method.form}>${words}</option>`)}
      </select>
      ${
        method.form === "smoothquant" || method.form === "smoothquant+gptq"
          ? html`<span class="pair"><label for="strength">strength</label>
              <input id="strength" class="number" inputmode="decimal" autocomplete="off" aria-invalid=${!reading.isGood} .value=${method.strength}
                @input=${(event: Event) => set({ strength: textOf(event) })} /></span>`
          : nothing
      }
      ${method.form === "awq" ? this.#awqFields(set) : nothing}
      ${
        isOwn
          ? html`<input class="text" spellcheck="false" autocomplete="off" autocapitalize="off" aria-label="Method as text"
              placeholder="smoothquant:strength=0.8:layers=0-1/0.6+gptq:damp=0.02" aria-invalid=${!isEmpty && this.isMethodTried && !reading.isGood}
              .value=${method.text} @input=${this.#writeMethod} @change=${this.#tryMethod} />`
          : nothing
      }
      ${
        isEmpty
          ? html`<p class="words"><code>smoothquant</code>, <code>awq</code>, then <code>gptq</code> or <code>rtn</code>, joined by <code>+</code>; options after <code>:</code></p>`
          : readingTemplate(reading, !isOwn || this.isMethodTried)
      }
      ${
        needsText(this.#steps)
          ? html`<p class="words">Runs over the calibration text first. The same scheme without it is added too, to show what it buys.</p>`
          : nothing
      }
    `;
  }

  #awqFields(set: (change: Partial<MethodFields>) => void): TemplateResult {
    const { duo: current, clips } = this.method;
    return html`<select aria-label="Duo scaling" @change=${(event: Event) =>
      set({
        duo: chosenOf(
          event,
          DUO_SCALINGS.map(({ duo }) => duo),
        ),
      })}>
        ${DUO_SCALINGS.map(({ duo, words }) => html`<option value=${duo} .selected=${duo === current}>${words}</option>`)}
      </select>
      <label class="check"><input type="checkbox" .checked=${clips} @change=${(event: Event) => set({ clips: (event.target as HTMLInputElement).checked })} />clip ranges too</label>`;
  }

  readonly #writeMethod = (event: Event): void => {
    this.method = { ...this.method, text: textOf(event) };
    this.isMethodTried = false;
  };

  readonly #tryMethod = (): void => {
    this.isMethodTried = this.method.text.trim() !== "";
  };

  #ownFields(): TemplateResult {
    const { own } = this;
    const set = (change: Partial<OwnFields>): void => {
      this.own = { ...own, ...change };
    };
    const reading = readOwn(own, this.#steps);
    return html`<form class="fields" @submit=${(event: Event) => this.#submit(event, reading)}>
      <select aria-label="Bits" @change=${(event: Event) => set({ bits: Number(chosenOf(event, WIDTHS.map(String))) })}>
        ${WIDTHS.map((bits) => html`<option value=${bits} .selected=${bits === own.bits}>int${bits}</option>`)}
      </select>
      <select aria-label="Symmetry" @change=${(event: Event) => set({ isSymmetric: chosenOf(event, ["sym", "asym"]) === "sym" })}>
        <option value="sym" .selected=${own.isSymmetric}>symmetric</option>
        <option value="asym" .selected=${!own.isSymmetric}>asymmetric</option>
      </select>
      <span class="pair">
        <label for="per">one scale per</label>
        <select id="per" @change=${(event: Event) =>
          set({
            per: chosenOf(
              event,
              SCALES_PER.map(({ per }) => per),
            ),
          })}>
          ${SCALES_PER.map(({ per, words }) => html`<option value=${per} .selected=${per === own.per}>${words}</option>`)}
        </select>
        ${own.per === "other" ? numberField("Weights in a group", own.size, reading, (size) => set({ size })) : nothing}
      </span>
      ${this.#addButton(reading, reading.isGood ? reading.name : "")}
      ${readingTemplate(reading, true)}
    </form>`;
  }

  #textField(): TemplateResult {
    const isEmpty = this.text.trim() === "";
    const reading = readRecipe(this.text);
    return html`<form class="fields" @submit=${(event: Event) => this.#submitText(event, reading)}>
      <input id="text" class="text" spellcheck="false" autocomplete="off" autocapitalize="off" placeholder="W8A16@re:.*down_proj; W4A16"
        aria-describedby="meaning" aria-invalid=${!isEmpty && this.isTried && !reading.isGood} .value=${this.text} @input=${this.#write} />
      ${this.#addButton(reading, "what is written")}
      <div id="meaning" class="words">
        ${
          isEmpty
            ? html`<p class="words">A preset or own scheme for the modules after <code>@</code>; the one without <code>@</code> takes the rest.
                <code>magnitude:2:4 |</code> before them prunes first, <code>gptq |</code> is a method.</p>`
            : readingTemplate(reading, this.isTried)
        }
      </div>
    </form>`;
  }

  #addButton(reading: Reading, name: string): TemplateResult {
    const why = blockedWords(reading, this.asked.schemes);
    return html`<button type="submit" class="button" aria-label=${`Add ${quote(name)}`} aria-disabled=${why !== null} data-tip=${why ?? nothing}>Add</button>`;
  }

  readonly #write = (event: Event): void => {
    this.text = textOf(event);
    this.isTried = false;
  };

  #submitText(event: Event, reading: Reading): void {
    this.isTried = this.text.trim() !== "";
    if (this.#submit(event, reading)) this.text = "";
  }

  #submit(event: Event, reading: Reading): boolean {
    event.preventDefault();
    if (!reading.isGood || blockedWords(reading, this.asked.schemes) !== null) return false;
    this.#add(reading.name);
    return true;
  }

  #press(offer: Offer): void {
    if (offer.isChosen) this.#takeOut(offer.recipe);
    else if (offer.blocked === null) this.#add(offer.recipe);
  }

  #add(recipe: string): void {
    const { schemes } = this.asked;
    const after = withRecipe(schemes, recipe);
    this.#set(after, addedWords(schemes, after, recipe));
  }

  #takeOut(recipe: string): void {
    this.#set(withoutRecipe(this.asked.schemes, recipe), `Took out ${quote(recipe)}`);
    void this.#keepFocus();
  }

  #set(schemes: readonly string[], said: string): void {
    if (schemes.length === this.asked.schemes.length) return;
    this.spoken = `${said}. ${schemes.length} of ${MAX_RECIPES} chosen.`;
    emit(this, "lab-set-rules", { ...this.asked, schemes });
  }

  /** The last chip's button goes with its chip: focus then stays in the row. */
  async #keepFocus(): Promise<void> {
    const had = this.renderRoot.querySelector("li button:focus") !== null;
    await this.updateComplete;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const root = this.renderRoot as ShadowRoot;
    if (had && root.activeElement === null) {
      [...root.querySelectorAll<HTMLButtonElement>("li button")].at(-1)?.focus();
    }
  }

  #toggle(): void {
    this.isOpen = !this.isOpen;
  }

  #trayKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    // Else it would cancel what runs.
    event.stopPropagation();
    this.isOpen = false;
    this.opener.focus();
  }
}

function textOf(event: Event): string {
  return (event.target as HTMLInputElement).value;
}

/** The value of a select among those that it has. */
function chosenOf<Value extends string>(event: Event, values: readonly Value[]): Value {
  const { value } = event.target as HTMLSelectElement;
  return values.find((candidate) => candidate === value) ?? (values[0] as Value);
}

function numberField(name: string, value: string, reading: Reading, set: (text: string) => void): TemplateResult {
  return html`<input class="number" inputmode="decimal" autocomplete="off" aria-label=${name} aria-invalid=${!reading.isGood}
    .value=${value} @input=${(event: Event) => set(textOf(event))} />`;
}

/** What was read, or why nothing could be; red only where someone meant it. */
function readingTemplate(reading: Reading, isMeant: boolean): TemplateResult | typeof nothing {
  if (reading.words === "") return nothing;
  if (reading.isGood) {
    return html`<p class="words">${reading.name === "" ? nothing : html`<code>${safeName(reading.name)}</code> `}<bdi>${reading.words}</bdi></p>`;
  }
  return html`<p class="words" role=${isMeant ? "alert" : nothing}>
    ${isMeant ? html`<span class="failed" role="img" aria-label="Not a recipe:">✕</span> ` : nothing}<bdi>${reading.words}</bdi>
  </p>`;
}

customElements.define("lab-scheme-picker", LabSchemePicker);
