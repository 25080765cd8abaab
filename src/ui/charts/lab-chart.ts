import { html, LitElement, nothing, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import { property, query, state } from "lit/decorators.js";
import { guard } from "lit/directives/guard.js";
import { offerFile } from "../parts/offer-file.ts";
import { OwnWidth } from "../parts/own-width.ts";
import { baseStyles, tableStyles } from "../parts/shared-styles.ts";
import { singleKey } from "../parts/single-keys.ts";
import { ownTurn } from "../parts/turns.ts";
import type { Caption, Chart, ChartTable, Drawing, Mark } from "./chart.ts";
import { chartStyles } from "./lab-chart-styles.ts";
import { pngFile, svgFile } from "./picture-file.ts";
import { paintShapes } from "./scene-canvas.ts";
import { hatchTemplate, svgTemplate } from "./scene-svg.ts";
import { toCsv, toMarkdown } from "./table-text.ts";
import { PageTheme } from "./theme.ts";
import { isWalk, walkMarks } from "./walk.ts";

/** More marks than this are too many elements: one cursor then stands for the mark that is reached. */
const MAX_MARK_ELEMENTS = 2500;
/** What fits on a sheet of A4 or letter: paper is not measured before it is printed. */
const PAPER_WIDTH = 680;
const ROWS_A_FRAME = 20;
/** More marks than this come in a turn after the picture that they lie on. */
const MARKS_WITH_PICTURE = 100;
const HATCH_ID = "hatch";
const FORMATS = ["CSV", "SVG", "PNG"] as const;
type Format = (typeof FORMATS)[number];

/**
 * The frame of every picture: caption, walk by arrows, words of each mark, table twin, CSV, SVG, PNG, copy, print, and the form
 * it has while there is nothing to show. Slots: `head` beside the caption, `note` above the picture, `legend` below it.
 * @fires chart-pick with the key of the mark that was pressed or entered
 */
export class LabChart extends LitElement {
  @property({ attribute: false }) chart: Chart<unknown> | null = null;
  /** Null: there is nothing yet; the example stands there, dimmed. */
  @property({ attribute: false }) data: unknown = null;
  @property({ attribute: false }) example: unknown = null;
  /** What will stand here, while there is nothing. */
  @property() emptyWords = "";
  /** What the picture is, for screen readers and names of files: `Error by layer`. */
  @property() name = "";
  /** What it is about, for names of files: the model, the scheme. Untrusted. */
  @property() subject = "";
  /** A line for saved files that says unit and scale; on the page its slot says the same. Empty: neither. */
  @property() note = "";
  @property({ type: Number }) height = 240;
  /** More is to come: files say so. */
  @property({ type: Boolean }) isPartial = false;
  @state() private showsTable = false;
  @state() private isSaving = false;
  @state() private isCopied = false;
  @state() private reached = "";
  /** Rows of the table that stand already: a long one grows from frame to frame. */
  @state() private tableRows = ROWS_A_FRAME;
  @query("canvas") private canvas!: HTMLCanvasElement | null;
  @query(".pan") private pan!: HTMLElement | null;

  readonly #width = new OwnWidth(this);
  readonly #theme = new PageTheme(this);
  #drawing: Drawing | null = null;
  /** What it was drawn from. */
  #source: readonly unknown[] = [];
  #twin: { readonly data: unknown; readonly table: ChartTable } | null = null;
  #areMarksLate = false;
  /** The selected mark that was brought into view. */
  #shownKey = "";
  /** Where a walk will arrive. */
  #walking: string | null = null;
  /** What was painted last, and where: a canvas comes anew when the table goes. */
  #painted: { readonly drawing: Drawing; readonly canvas: HTMLCanvasElement } | null = null;

  static override styles = [baseStyles, tableStyles, chartStyles];

  constructor() {
    super();
    this.addEventListener("keydown", (event) => {
      const key = singleKey(event);
      if (key !== null && this.act(key)) event.preventDefault();
    });
  }

  /** Does what a single key means to a picture: `t` table, `s` save, `c` copy. @returns whether it meant something */
  act(key: string): boolean {
    if (this.chart === null || this.data === null) return false;
    if (key === "t") {
      this.showsTable = !this.showsTable;
      this.tableRows = ROWS_A_FRAME;
    } else if (key === "s") this.#openMenu();
    else if (key === "c") void this.#copy();
    else return false;
    return true;
  }

  protected override async scheduleUpdate(): Promise<void> {
    // What is about to be printed does not wait.
    if (!this.#theme.isPrinting) await ownTurn();
    await super.scheduleUpdate();
  }

  /** Draws anew only when what it is drawn from has changed: walking through a large picture must not. */
  protected override willUpdate(): void {
    const { chart, height } = this;
    const shown = this.data ?? this.example;
    const own = this.#width.px;
    const width = this.#theme.isPrinting ? Math.min(own, PAPER_WIDTH) : own;
    const theme = this.#theme.current;
    const source = [chart, shown, width, height, theme];
    this.#areMarksLate = false;
    if (source.every((part, index) => part === this.#source[index])) return;
    const isNew = this.#drawing === null;
    this.#source = source;
    this.#drawing =
      chart === null || shown === null || width === 0 ? null : chart.draw(shown, { width, height }, theme);
    const marks = this.#drawing?.marks.length ?? 0;
    this.#areMarksLate = isNew && marks > MARKS_WITH_PICTURE && marks <= MAX_MARK_ELEMENTS;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { chart, data } = this;
    if (chart === null) return nothing;
    const caption = data === null ? { strong: this.emptyWords, plain: "" } : chart.caption(data);
    return html`<figure class=${data === null ? "example" : ""}>
      <div class="head">
        <figcaption class="caption">${caption.strong} <span>${caption.plain}</span></figcaption>
        <slot name="head"></slot>
      </div>
      ${this.note === "" ? nothing : html`<div class="note"><slot name="note"></slot></div>`}
      ${this.showsTable && data !== null ? this.#table(chart, data) : this.#picture()}
      <div class="foot">
        ${data === null ? html`<span></span>` : this.#tools()}
        <slot name="legend"></slot>
      </div>
      <p class="spoken" aria-live="polite">${this.isCopied ? "Copied" : ""}</p>
    </figure>`;
  }

  #picture(): TemplateResult {
    const drawing = this.#drawing;
    if (drawing === null) return html`<div class="pan"></div>`;
    const theme = this.#theme.current;
    const { width, height, pinned, dense, shapes } = drawing;
    const isExample = this.data === null;
    return html`<div class="pan" aria-hidden=${isExample ? "true" : nothing}>
      ${
        pinned === undefined
          ? nothing
          : html`<svg class="pinned" width=${pinned.width} height=${height} aria-hidden="true">${guard([drawing], () => svgTemplate(pinned.shapes, theme, HATCH_ID))}</svg>`
      }
      <div class="stack">
        ${dense === undefined ? nothing : html`<canvas width=${Math.ceil(width * devicePixelRatio)} height=${Math.ceil(height * devicePixelRatio)} aria-hidden="true"></canvas>`}
        <svg width=${width} height=${height} role="group" aria-label=${this.name}
          @keydown=${this.#walk} @pointermove=${this.#hover} @click=${this.#press}>
          ${hatchTemplate(theme, HATCH_ID)}
          <g aria-hidden="true">${guard([drawing], () => svgTemplate(shapes, theme, HATCH_ID))}</g>
          ${isExample || this.#areMarksLate ? nothing : this.#marks(drawing.marks)}
        </svg>
      </div>
    </div>`;
  }

  #marks(marks: readonly Mark[]): unknown {
    const current =
      marks.find((mark) => mark.key === this.reached) ?? marks.find((mark) => mark.isSelected) ?? marks[0];
    const shown = marks.length > MAX_MARK_ELEMENTS ? (current === undefined ? [] : [current]) : marks;
    const isCursor = marks.length > MAX_MARK_ELEMENTS;
    return shown.map((mark) => markTemplate(mark, mark === current, isCursor));
  }

  #table(chart: Chart<unknown>, data: unknown): TemplateResult {
    const { columns, rows } = this.#tableOf(chart, data);
    const isFigure = columns.map((_, at) => rows.some((row) => typeof row[at]?.value === "number"));
    const rowTemplate = (row: ChartTable["rows"][number]): TemplateResult =>
      html`<tr>${row.map(({ text }, at) => (at === 0 ? html`<th scope="row"><bdi>${text}</bdi></th>` : html`<td class=${isFigure[at] ? "" : "left"}><bdi>${text}</bdi></td>`))}</tr>`;
    // Rows that stand are left alone while further ones come.
    const shown = this.#theme.isPrinting ? rows.length : Math.min(this.tableRows, rows.length);
    const chunks = Array.from({ length: Math.ceil(shown / ROWS_A_FRAME) }, (_, at) => at * ROWS_A_FRAME);
    return html`<div class="scroll" role="region" aria-label="${this.name}, as a table" tabindex="0" @scroll=${this.#scrolled}>
      <table>
        <thead><tr>${columns.map(({ name, unit }, at) => html`<th scope="col" class=${isFigure[at] ? "" : "left"}>${name}<span class="unit">${unit}</span></th>`)}</tr></thead>
        <tbody>
          ${chunks.map((from) => guard([rows], () => rows.slice(from, from + ROWS_A_FRAME).map(rowTemplate)))}
        </tbody>
      </table>
    </div>`;
  }

  #tableOf(chart: Chart<unknown>, data: unknown): ChartTable {
    let twin = this.#twin;
    if (twin === null || twin.data !== data) twin = { data, table: chart.table(data) };
    this.#twin = twin;
    return twin.table;
  }

  #tools(): TemplateResult {
    return html`<div class="tools" role="group" aria-label="${this.name}: other forms" @keydown=${this.#menuKey} @focusout=${this.#menuLeft}>
      <button type="button" class="tool" aria-pressed=${this.showsTable} @click=${() => this.act("t")}>Table <kbd>t</kbd></button>
      <button type="button" class="tool save" aria-expanded=${this.isSaving} @click=${() => this.#toggleMenu()}>Save <kbd>s</kbd></button>
      <button type="button" class="tool" @click=${() => this.act("c")}>${this.isCopied ? "Copied" : "Copy"} <kbd>c</kbd></button>
      ${
        this.isSaving
          ? html`<div class="menu" role="group" aria-label="Save as">
              ${FORMATS.map((format) => html`<button type="button" class="tool" @click=${() => this.#save(format)}>${format}</button>`)}
            </div>`
          : nothing
      }
    </div>`;
  }

  protected override updated(): void {
    if (this.#areMarksLate) this.requestUpdate();
    this.#growTable();
    this.#showSelected();
    const { canvas } = this;
    const drawing = this.#drawing;
    if (canvas === null || drawing?.dense === undefined) return;
    if (this.#painted?.drawing === drawing && this.#painted.canvas === canvas) return;
    this.#painted = { drawing, canvas };
    const pen = canvas.getContext("2d");
    if (pen === null) return;
    canvas.style.width = `${drawing.width}px`;
    canvas.style.height = `${drawing.height}px`;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.scale(devicePixelRatio, devicePixelRatio);
    paintShapes(pen, drawing.dense, this.#theme.current);
  }

  /** A mark that was selected elsewhere comes into view within its picture; the page stays where it is. */
  #showSelected(): void {
    const { pan } = this;
    const selected = this.#drawing?.marks.find((mark) => mark.isSelected);
    if (pan === null || selected === undefined || selected.key === this.#shownKey) return;
    this.#shownKey = selected.key;
    const { width = 0, pinned } = this.#drawing ?? {};
    const room = this.#width.px - (pinned?.width ?? 0);
    if (width <= room) return;
    // Where it stands is known after the layout, which the next frame does anyway.
    requestAnimationFrame(() => {
      const isSeen = selected.x >= pan.scrollLeft && selected.x + selected.width <= pan.scrollLeft + room;
      if (!isSeen) pan.scrollLeft = selected.x - (room - selected.width) / 2;
    });
  }

  /** What changes several times a second is as long as one has scrolled; it grows when nothing more is to come. */
  #growTable(): void {
    if (!this.isPartial && this.#lacksRows()) requestAnimationFrame(() => this.#addRows());
  }

  readonly #scrolled = (event: Event): void => {
    const { scrollTop, clientHeight, scrollHeight } = event.currentTarget as Element;
    if (scrollTop + 2 * clientHeight > scrollHeight && this.#lacksRows()) this.#addRows();
  };

  #lacksRows(): boolean {
    const { chart, data } = this;
    return (
      this.showsTable && chart !== null && data !== null && this.tableRows < this.#tableOf(chart, data).rows.length
    );
  }

  #addRows(): void {
    this.tableRows += ROWS_A_FRAME;
  }

  #pick(key: string | null): void {
    const mark = this.#drawing?.marks.find((candidate) => candidate.key === key);
    if (mark?.isPickable !== true) return;
    this.reached = mark.key;
    this.dispatchEvent(new CustomEvent("chart-pick", { detail: mark.key, bubbles: true, composed: true }));
  }

  readonly #press = (event: Event): void => this.#pick((event.target as Element).getAttribute("data-key"));

  readonly #walk = async (event: KeyboardEvent): Promise<void> => {
    const from = this.#walking ?? (event.target as Element).getAttribute("data-key");
    if (from === null || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#pick(from);
    } else if (isWalk(event.key) && !event.shiftKey) {
      event.preventDefault();
      const next = walkMarks(this.#drawing?.marks ?? [], from, event.key);
      this.reached = next;
      if (this.#focus(next)) return;
      // The one cursor of many marks comes with the next update; keys that are faster go on from where it will be.
      this.#walking = next;
      await this.updateComplete;
      this.#focus(next);
      if (this.#walking === next) this.#walking = null;
    }
  };

  #focus(key: string): boolean {
    const mark = this.renderRoot.querySelector<SVGElement>(`[data-key="${CSS.escape(key)}"]`);
    mark?.focus();
    mark?.scrollIntoView({ block: "nearest", inline: "nearest" });
    return mark !== null;
  }

  /** Of many marks only the reached one is an element: the pointer reaches the one that it is over. */
  readonly #hover = (event: PointerEvent): void => {
    const marks = this.#drawing?.marks ?? [];
    if (marks.length <= MAX_MARK_ELEMENTS) return;
    const { left, top } = (event.currentTarget as Element).getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const over = marks.find(
      (mark) => x >= mark.x && x < mark.x + mark.width && y >= mark.y && y < mark.y + mark.height,
    );
    if (over !== undefined && over.key !== this.reached) this.reached = over.key;
  };

  #openMenu(): void {
    this.isSaving = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(".menu .tool")?.focus());
  }

  #toggleMenu(): void {
    if (this.isSaving) this.isSaving = false;
    else this.#openMenu();
  }

  readonly #menuKey = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !this.isSaving) return;
    event.stopPropagation();
    this.isSaving = false;
    this.renderRoot.querySelector<HTMLElement>(".save")?.focus();
  };

  readonly #menuLeft = (event: FocusEvent): void => {
    const next = event.relatedTarget;
    if (!(next instanceof Node) || !(event.currentTarget as Element).contains(next)) this.isSaving = false;
  };

  async #save(format: Format): Promise<void> {
    const { chart, data } = this;
    const drawing = this.#drawing;
    this.isSaving = false;
    if (chart === null || data === null || drawing === null) return;
    const theme = this.#theme.current;
    const caption = this.#saved(chart.caption(data));
    const blob =
      format === "CSV"
        ? new Blob([toCsv(chart.table(data))], { type: "text/csv" })
        : format === "SVG"
          ? new Blob([svgFile(drawing, caption, this.note, theme)], { type: "image/svg+xml" })
          : await pngFile(drawing, caption, this.note, theme);
    offerFile(blob, `${this.#stem(chart)}.${format.toLowerCase()}`);
  }

  /** A file that is not the whole truth says so. */
  #saved(caption: Caption): Caption {
    return this.isPartial ? { strong: `Not finished: ${caption.strong}`, plain: caption.plain } : caption;
  }

  #stem(chart: Chart<unknown>): string {
    const subject = this.subject.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|-+$/g, "");
    return [subject.slice(0, 80), chart.name, this.isPartial ? "partial" : ""].filter(Boolean).join("-");
  }

  async #copy(): Promise<void> {
    const { chart, data } = this;
    if (chart === null || data === null) return;
    try {
      await navigator.clipboard.writeText(toMarkdown(this.#saved(chart.caption(data)), chart.table(data)));
    } catch {
      // The browser keeps the clipboard to itself; the table can be selected by hand.
      this.showsTable = true;
      return;
    }
    this.isCopied = true;
    setTimeout(() => {
      this.isCopied = false;
    }, 2000);
  }
}

function markTemplate(mark: Mark, isCurrent: boolean, isCursor: boolean): SVGTemplateResult {
  const { key, x, y, width, height, sentence, isPickable } = mark;
  return svg`<rect class="mark ${isPickable ? "pickable" : ""} ${isCursor ? "cursor" : ""}" x=${x} y=${y} width=${width} height=${height}
    role=${isPickable ? "button" : "img"} tabindex=${isCurrent ? 0 : -1} aria-pressed=${isPickable ? mark.isSelected : nothing}
    aria-label=${sentence} data-key=${key} data-tip=${sentence}></rect>`;
}

customElements.define("lab-chart", LabChart);
