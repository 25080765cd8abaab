import { beforeEach, describe, expect, test, vi } from "vitest";
import { setSingleKeys } from "../parts/single-keys.ts";
import { type Command, type CommandTarget, commands } from "./commands.ts";
import { KeyMap } from "./key-map.ts";
import { INITIAL_STATE } from "./lab-state.ts";

// The rules for single keys ask what kind of element has focus; there are none here.
for (const name of ["HTMLInputElement", "HTMLTextAreaElement", "HTMLSelectElement"]) vi.stubGlobal(name, class {});

function press(key: string, modifiers: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { key, ...modifiers, composedPath: () => [{}] } as unknown as KeyboardEvent;
}

const KNOWN: readonly Command[] = ["g l", "x", "Escape", "mod+k", "?"].map((key) => ({
  id: key,
  group: "",
  words: "",
  key,
  run: () => {},
}));

describe("keys", () => {
  let now = 0;
  let map: KeyMap;
  beforeEach(() => {
    now = 0;
    map = new KeyMap(() => now);
    setSingleKeys(true);
  });
  const find = (event: KeyboardEvent): string | undefined => map.find(event, KNOWN)?.id;

  test("a letter, a sign and Escape mean their command", () => {
    expect(["x", "?", "Escape", "y"].map((key) => find(press(key)))).toEqual(["x", "?", "Escape", undefined]);
  });

  test("two letters one after the other are a sequence, but not after a pause", () => {
    expect([find(press("g")), find(press("l"))]).toEqual([undefined, "g l"]);
    find(press("g"));
    now = 2000;
    expect(find(press("l"))).toBeUndefined();
  });

  test("a letter with a modifier is left to the browser", () => {
    expect(find(press("x", { ctrlKey: true }))).toBeUndefined();
    expect([find(press("k", { ctrlKey: true })), find(press("K", { metaKey: true }))]).toEqual(["mod+k", "mod+k"]);
  });

  test("switched off, single keys do nothing; the others stay", () => {
    setSingleKeys(false);
    expect([find(press("x")), find(press("Escape")), find(press("k", { ctrlKey: true }))]).toEqual([
      undefined,
      "Escape",
      "mod+k",
    ]);
  });
});

test("no two commands share an id or a key, whatever is open", () => {
  const target = { state: INITIAL_STATE } as unknown as CommandTarget;
  const known = commands(target);
  expect(new Set(known.map(({ id }) => id)).size).toBe(known.length);
  const keys = known.flatMap(({ key }) => key ?? []);
  expect(new Set(keys).size).toBe(keys.length);
});
