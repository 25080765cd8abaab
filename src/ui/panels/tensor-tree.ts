import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { quote } from "../../base/errors.ts";
import { formatBytes, formatCount } from "../../base/format.ts";
import { type Ledger, type LedgerTensor, shareOfBytes, type TensorRole } from "../../engine/ledger.ts";
import { ROLES, roleName, roleShapes, shareWords } from "../charts/byte-strip-looks.ts";
import { svgTemplate } from "../charts/scene-svg.ts";
import { PageTheme } from "../charts/theme.ts";
import { safeName } from "../parts/safe-name.ts";
import { baseStyles, controlStyles, pillStyles } from "../parts/shared-styles.ts";
import { TurnElement } from "../parts/turn-element.ts";
import { emit } from "./panel-events.ts";
import {
  buildTree,
  filterTree,
  flatRows,
  foundWords,
  matcherOf,
  moduleOf,
  moreWords,
  openedTo,
  pathTo,
  rowsOf,
  rowWords,
  shapeWords,
  stepTree,
  type TreeNode,
  type TreeRow,
  tensorCount,
  treeCaption,
  typedRow,
  USE_MARKS,
  useOf,
  withPage,
} from "./tensor-tree-model.ts";
import { tensorTreeStyles } from "./tensor-tree-styles.ts";

/** Rows shown at first, and rows that a search opens. */
const ROWS_AT_FIRST = 40;
const ROWS_FOUND = 60;
/** A longer label may be cut; the whole name is then beside the pointer. */
const LONGEST_UNCUT = 24;
/** Letters typed faster than this belong together. */
const TYPING_MS = 700;
/** Of the line above the rows, which stays in view. */
const HEAD_HEIGHT = 26;
const BAR = { width: 72, height: 6 } as const;
const SWATCH = { x: 0, y: 0, width: 10, height: 10 } as const;

/**
 * Every tensor of a checkpoint, by the parts of its name.
 * @fires lab-pick-module with the module of the matrix that was entered
 * @fires lab-pick-role with the role whose chip was pressed, or null where it was the chosen one
 */
export class LabTensorTree extends TurnElement {
  @property({ attribute: false }) ledger: Ledger | null = null;
  /** Only its tensors are shown. Stands in for the property of ARIA of the same name, which a panel has no use for. */
  @property({ attribute: false }) override role: TensorRole | null = null;
  /** The module that all pictures follow. */
  @property({ attribute: false }) selected: string | null = null;
  @state() private query = "";
  @state() private focused = "";
  /** What was opened or closed by hand. */
  @state() private toggled: ReadonlyMap<string, boolean> = new Map();
  @state() private pages: ReadonlyMap<string, number> = new Map();

  readonly #theme = new PageTheme(this);
  #whole: readonly TreeNode[] = [];
  #shown: readonly TreeNode[] = [];
  #opened: ReadonlySet<string> = new Set();
  #rows: readonly TreeRow[] = [];
  #typed = { text: "", at: 0 };

  static override styles = [baseStyles, controlStyles, pillStyles, tensorTreeStyles];

  protected override willUpdate(changed: PropertyValues): void {
    const { ledger, role } = this;
    if (changed.has("ledger")) {
      this.#whole = ledger === null ? [] : buildTree(ledger.tensors);
      this.query = "";
    }
    if (changed.has("ledger") || changed.has("role") || changed.has("query")) {
      const { query } = this;
      this.#shown = role === null && query === "" ? this.#whole : filterTree(this.#whole, matcherOf({ role, query }));
      this.#opened = openedTo(this.#shown, query === "" ? ROWS_AT_FIRST : ROWS_FOUND);
      this.toggled = new Map();
      this.pages = new Map();
    }
    if (changed.has("selected") && this.selected !== null) {
      const path = pathTo(this.#shown, `${this.selected}.weight`);
      this.toggled = new Map([...this.toggled, ...path.map((key) => [key, true] as const)]);
    }
    this.#rows = rowsOf(this.#shown, (key) => this.toggled.get(key) ?? this.#opened.has(key), this.pages);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { ledger } = this;
    if (ledger === null) return nothing;
    const caption = treeCaption(ledger);
    if (ledger.tensors.length === 0) return html`<h2 class="caption">${caption.strong}</h2>`;
    const found = this.#shown.reduce((sum, { tensors }) => sum + tensors, 0);
    return html`
      <h2 class="caption">${caption.strong} <span>${caption.plain}</span></h2>
      <div class="find">
        <input type="search" aria-label="Search names of tensors" placeholder="Part of a name" autocomplete="off"
          spellcheck="false" maxlength="200" .value=${this.query} @input=${this.#search} />
        <span class="small" aria-live="polite">${foundWords(found, ledger.tensors.length)}</span>
        ${this.#chips(ledger)}
      </div>
      ${this.#rows.length === 0 ? this.#nothing() : this.#sheet(ledger)}
      <div class="foot">
        <span>
          ${(["taken", "on-request"] as const).map((use) => html`${USE_MARKS[use].glyph} ${USE_MARKS[use].words} &ensp;`)}
        </span>
        <span class="keys"><kbd>↑</kbd> <kbd>↓</kbd> walk &ensp;<kbd>→</kbd> <kbd>←</kbd> open, close &ensp;<kbd>Enter</kbd> picks a matrix</span>
      </div>
    `;
  }

  #chips({ roles }: Ledger): TemplateResult {
    const counts = new Map(roles.map(({ role, tensors }) => [role, tensors]));
    return html`<div class="chips" role="group" aria-label="Only tensors of one role">
      ${ROLES.filter((role) => counts.has(role)).map(
        (role) =>
          html`<button type="button" class="pill" aria-pressed=${role === this.role} @click=${() => this.#pickRole(role)}>${this.#swatch(role)}${roleName(role)} <span class="dim">${formatCount(counts.get(role) ?? 0)}</span></button>`,
      )}
    </div>`;
  }

  #nothing(): TemplateResult {
    const { role, query } = this;
    const among = role === null ? "" : ` among the tensors of the role ${roleName(role)}`;
    return html`<p class="small nothing">
      ${query === "" ? html`There is nothing${among}.` : html`No name contains ${safeName(query)}${among}.`}
      ${query === "" ? nothing : html`<button type="button" class="button text" @click=${this.#clear}>Clear the search</button>`}
      ${role === null ? nothing : html`<button type="button" class="button text" @click=${() => this.#pickRole(role)}>Show all roles</button>`}
    </p>`;
  }

  #sheet(ledger: Ledger): TemplateResult {
    const flat = flatRows(this.#rows);
    const chosen = this.selected === null ? "" : `tensor ${this.selected}.weight`;
    const reached = [this.focused, chosen].find((key) => flat.some((row) => row.key === key)) ?? flat[0]?.key ?? "";
    const hasShards = ledger.shards.length > 1;
    const items = (rows: readonly TreeRow[]): readonly TemplateResult[] =>
      rows.map((row) => {
        const { key, node, isOpen, children } = row;
        const kind = node === null ? "more" : node.tensor === null ? "branch" : "leaf";
        return html`<li role="treeitem" class="${kind} ${isOpen ? "is-open" : ""}" data-key=${key}
          aria-label=${rowWords(row, ledger, hasShards)} aria-level=${row.level} aria-posinset=${row.place} aria-setsize=${row.siblings}
          aria-expanded=${isOpen ?? nothing} aria-selected=${kind === "leaf" ? key === chosen : nothing} tabindex=${key === reached ? 0 : -1}>
          ${this.#row(row, ledger, key === chosen)}
          ${children.length === 0 ? nothing : html`<ul role="group">${items(children)}</ul>`}
        </li>`;
      });
    return html`<div class="sheet">
      <div class="columns" aria-hidden="true">
        <span>name</span><span></span><span>type and shape</span><span class="figure weights">weights</span><span class="figure">bytes</span><span class="figure">share</span><span>of all bytes</span>
      </div>
      <ul role="tree" aria-label="Tensors by name" @click=${this.#press} @keydown=${this.#key} @focusin=${this.#reach}>${items(this.#rows)}</ul>
    </div>`;
  }

  #row({ node, more }: TreeRow, ledger: Ledger, isChosen: boolean): TemplateResult {
    if (node === null) {
      return html`<div class="row opens"><span class="name"><span class="lead"></span><span class="label">${moreWords(more)}</span></span></div>`;
    }
    const { tensor } = node;
    const opens = tensor === null || moduleOf(tensor) !== null;
    const share = shareOfBytes(node.sizeBytes, ledger);
    const use = tensor === null ? USE_MARKS.none : USE_MARKS[useOf(tensor)];
    return html`<div class="row ${opens ? "opens" : ""} ${isChosen ? "chosen" : ""}"
      data-tip=${node.label.length > LONGEST_UNCUT ? quote(node.path) : nothing}>
      <span class="name"><span class="lead">${tensor === null ? TWISTY : this.#swatch(tensor.role)}</span><span class="label">${node.label === "" ? html`<span class="dim">no name</span>` : safeName(node.label)}</span></span>
      <span class="use" data-tip=${use.words === "" ? nothing : use.words}>${use.glyph}</span>
      <span class="what" data-tip=${tensor === null || shapeWords(tensor.shape).length <= LONGEST_UNCUT ? nothing : shapeWords(tensor.shape)}>${tensor === null ? tensorCount(node.tensors) : whatOf(tensor, ledger.shards.length > 1)}${use.glyph === "" ? nothing : html`<span class="aside"> ${use.glyph}</span>`}</span>
      <span class="figure weights">${formatCount(node.weights)}</span>
      <span class="figure bytes">${formatBytes(node.sizeBytes)}</span>
      <span class="figure share">${shareWords(share)}</span>
      <svg class="bar" viewBox="0 0 ${BAR.width} ${BAR.height}" height=${BAR.height} preserveAspectRatio="none" aria-hidden="true">
        <rect width=${share > 0 ? Math.max(1, share * BAR.width) : 0} height=${BAR.height}></rect>
      </svg>
    </div>`;
  }

  #swatch(role: TensorRole): TemplateResult {
    const theme = this.#theme.current;
    return html`<svg width=${SWATCH.width} height=${SWATCH.height} aria-hidden="true">${svgTemplate(roleShapes(role, SWATCH, theme, false), theme, "")}</svg>`;
  }

  /** A module that was chosen elsewhere comes into view within the sheet; the page stays where it is. */
  protected override updated(changed: PropertyValues): void {
    if (!changed.has("selected") || this.selected === null) return;
    // Where it stands is known after the layout, which the next frame does anyway.
    requestAnimationFrame(() => this.#showChosen());
  }

  #showChosen(): void {
    const sheet = this.renderRoot.querySelector(".sheet");
    const row = this.renderRoot.querySelector(".row.chosen");
    if (sheet === null || row === null) return;
    const [around, own] = [sheet.getBoundingClientRect(), row.getBoundingClientRect()];
    if (own.top < around.top + HEAD_HEIGHT) sheet.scrollTop -= around.top + HEAD_HEIGHT - own.top;
    else if (own.bottom > around.bottom) sheet.scrollTop += own.bottom - around.bottom;
  }

  readonly #search = (event: Event): void => {
    this.query = (event.target as HTMLInputElement).value;
  };

  readonly #clear = (): void => {
    this.query = "";
    this.renderRoot.querySelector<HTMLElement>("input")?.focus();
  };

  #pickRole(role: TensorRole): void {
    emit(this, "lab-pick-role", role === this.role ? null : role);
  }

  readonly #reach = (event: FocusEvent): void => {
    this.focused = keyOf(event.target) ?? this.focused;
  };

  readonly #press = (event: Event): void => {
    const key = keyOf(event.target);
    if (key === null) return;
    this.focused = key;
    this.#enter(key);
  };

  #enter(key: string): void {
    const row = flatRows(this.#rows).find((candidate) => candidate.key === key);
    if (row === undefined) return;
    if (row.node === null) {
      const last = flatRows(this.#rows).indexOf(row);
      this.pages = withPage(this.pages, row.parent);
      // The row gives way to the ones it brings: the focus goes to the first of them.
      void this.updateComplete.then(() => this.#focus(flatRows(this.#rows)[last]?.key ?? ""));
    } else if (row.isOpen !== null) {
      this.#toggle(key, !row.isOpen);
    } else {
      const module = moduleOf(row.node.tensor);
      if (module !== null) emit(this, "lab-pick-module", module);
    }
  }

  #toggle(key: string, isOpen: boolean): void {
    this.toggled = new Map(this.toggled).set(key, isOpen);
  }

  readonly #key = (event: KeyboardEvent): void => {
    const from = keyOf(event.target);
    if (from === null || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#enter(from);
      return;
    }
    const rows = flatRows(this.#rows);
    const step = stepTree(rows, from, event.key);
    if (step !== null) {
      event.preventDefault();
      this.#typed = { text: "", at: 0 };
      if (step.kind === "go") this.#focus(step.key);
      else this.#toggle(step.key, step.kind === "open");
    } else if (/^[\p{L}\p{N}_]$/u.test(event.key)) {
      // In a tree letters lead to names; elsewhere on the page they do other things.
      event.preventDefault();
      const isNew = event.timeStamp - this.#typed.at > TYPING_MS;
      this.#typed = { text: (isNew ? "" : this.#typed.text) + event.key, at: event.timeStamp };
      const found = typedRow(rows, from, this.#typed.text);
      if (found !== null) this.#focus(found);
    }
  };

  #focus(key: string): void {
    this.renderRoot.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }
}

const TWISTY = html`<svg class="twisty" width="8" height="8" aria-hidden="true"><path d="M2 0.5l4 3.5l-4 3.5z" fill="currentColor"></path></svg>`;

function whatOf(tensor: LedgerTensor, hasShards: boolean): TemplateResult {
  return html`${safeName(tensor.dtype)} ${shapeWords(tensor.shape)}${hasShards ? html`<span class="dim"> file ${tensor.shard + 1}</span>` : nothing}`;
}

function keyOf(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest("[data-key]")?.getAttribute("data-key") ?? null) : null;
}

customElements.define("lab-tensor-tree", LabTensorTree);
