import { INITIAL_STATE, type LabState } from "./lab-state.ts";

/** Holds the one state of the page and tells its listener when it changes. */
export class LabStore {
  #state: LabState = INITIAL_STATE;
  readonly #listeners = new Set<() => void>();

  get state(): LabState {
    return this.#state;
  }

  /** Replaces some fields. */
  set(change: Partial<LabState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
