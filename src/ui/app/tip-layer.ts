import { css, html, LitElement, type TemplateResult } from "lit";
import { query, state } from "lit/decorators.js";
import { baseStyles } from "../parts/shared-styles.ts";

const GAP = 6;
const MARGIN = 8;

/** Shows the words of whatever bears `data-tip` under the pointer or focus, above everything else. One for the page. */
export class LabTipLayer extends LitElement {
  @state() private text = "";
  @query("div") private box!: HTMLDivElement;
  #anchor: Element | null = null;

  static override styles = [
    baseStyles,
    css`
      div {
        position: fixed;
        top: 0;
        left: 0;
        z-index: 10;
        max-width: min(340px, calc(100vw - 16px));
        padding: 6px 10px;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        background: var(--float);
        color: var(--ink);
        box-shadow: var(--shadow);
        font: var(--t-small);
        text-wrap: pretty;
        overflow-wrap: anywhere;
        pointer-events: none;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("pointerover", this.#show);
    window.addEventListener("focusin", this.#show);
    window.addEventListener("keydown", this.#key, true);
    window.addEventListener("scroll", this.#hide, { capture: true, passive: true });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("pointerover", this.#show);
    window.removeEventListener("focusin", this.#show);
    window.removeEventListener("keydown", this.#key, true);
    window.removeEventListener("scroll", this.#hide, { capture: true });
  }

  protected override render(): TemplateResult {
    // The same words are the name of the mark itself, so this copy is for eyes only.
    return html`<div aria-hidden="true" ?hidden=${this.text === ""}><bdi>${this.text}</bdi></div>`;
  }

  protected override updated(): void {
    const anchor = this.#anchor;
    if (anchor === null || this.text === "") return;
    const at = anchor.getBoundingClientRect();
    const box = this.box.getBoundingClientRect();
    const left = Math.min(Math.max(MARGIN, at.left + at.width / 2 - box.width / 2), innerWidth - box.width - MARGIN);
    const above = at.top - box.height - GAP;
    const top = above < MARGIN ? at.bottom + GAP : above;
    this.box.style.translate = `${Math.round(left)}px ${Math.round(top)}px`;
  }

  readonly #show = (event: Event): void => {
    const anchor = event
      .composedPath()
      .find((node): node is Element => node instanceof Element && Boolean(node.getAttribute("data-tip")));
    if (event.type === "focusin" && anchor !== undefined && !anchor.matches(":focus-visible")) return;
    this.#anchor = anchor ?? null;
    this.text = anchor?.getAttribute("data-tip") ?? "";
  };

  readonly #hide = (): void => {
    this.#anchor = null;
    this.text = "";
  };

  readonly #key = (event: KeyboardEvent): void => {
    if (event.key === "Escape") this.#hide();
  };
}

customElements.define("lab-tip-layer", LabTipLayer);
