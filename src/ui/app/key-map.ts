import { singleKey } from "../parts/single-keys.ts";
import type { Command } from "./commands.ts";

/** How long the second key of a sequence may take, in milliseconds. */
const SEQUENCE_MS = 1500;

/** Finds the command that a key press means. Sequences such as `g l` are remembered from press to press. */
export class KeyMap {
  readonly #now: () => number;
  #first: { readonly key: string; readonly at: number } | null = null;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns the command to run, or null */
  find(event: KeyboardEvent, commands: readonly Command[]): Command | null {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      return withKey(commands, "mod+k");
    }
    if (event.key === "Escape") return withKey(commands, "Escape");
    const key = singleKey(event);
    if (key === null) return null;
    const first = this.#first;
    this.#first = null;
    if (first !== null && this.#now() - first.at < SEQUENCE_MS) {
      const command = withKey(commands, `${first.key} ${key}`);
      if (command !== null) return command;
    }
    if (commands.some((command) => command.key?.startsWith(`${key} `))) this.#first = { key, at: this.#now() };
    return withKey(commands, key);
  }
}

function withKey(commands: readonly Command[], key: string): Command | null {
  return commands.find((command) => command.key === key) ?? null;
}
