import type { ReactiveController, ReactiveElement } from "lit";

/** An element's own width in whole CSS pixels, for pictures that are drawn to size; the element renders anew as it changes. */
export class OwnWidth implements ReactiveController {
  readonly #element: ReactiveElement;
  readonly #observer: ResizeObserver;
  #px = 0;

  constructor(element: ReactiveElement) {
    this.#element = element;
    this.#observer = new ResizeObserver(([entry]) => {
      const px = Math.floor(entry?.contentRect.width ?? 0);
      if (px === this.#px) return;
      this.#px = px;
      element.requestUpdate();
    });
    element.addController(this);
  }

  /** 0 until the element has been laid out. */
  get px(): number {
    return this.#px;
  }

  hostConnected(): void {
    this.#observer.observe(this.#element);
  }

  hostDisconnected(): void {
    this.#observer.disconnect();
  }
}
