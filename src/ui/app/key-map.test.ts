import { beforeEach, describe, expect, test, vi } from "vitest";
import { SAMPLE_RULES, sampleWords } from "../../../tests/support/measured-words.ts";
import { sampleMeasurement } from "../../engine/measure-result.cases.ts";
import { sampleResult } from "../panels/compare-result.cases.ts";
import type { Surface } from "../panels/panel-events.ts";
import { setSingleKeys } from "../parts/single-keys.ts";
import { type Command, type CommandTarget, commands } from "./commands.ts";
import { KeyMap } from "./key-map.ts";
import { INITIAL_STATE, type LabState } from "./lab-state.ts";

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

/** The page with everything open that has keys of its own. */
function busyPage(surface: Surface): LabState {
  const shown = sampleResult();
  const { tokens, text } = sampleWords();
  return {
    ...INITIAL_STATE,
    ...{ surface, shown, model: shown.model, choice: { kind: "bundled", name: "tiny" } },
    module: "model.layers.0.mlp.down_proj",
    measured: {
      result: sampleMeasurement(),
      ask: { rules: INITIAL_STATE.asked, text: INITIAL_STATE.text, against: null },
    },
    words: {
      ...INITIAL_STATE.words,
      measured: { tokens, text, rules: SAMPLE_RULES },
      window: 1,
      token: { window: 1, place: 40 },
    },
  };
}

test.each([INITIAL_STATE, ...(["model", "measure", "layers", "words"] as const).map(busyPage)])(
  "no two commands share an id or a key, whatever is open (%#)",
  (state) => {
    const target = { state } as unknown as CommandTarget;
    const known = commands(target);
    expect(new Set(known.map(({ id }) => id)).size).toBe(known.length);
    const keys = known.flatMap(({ key }) => key ?? []);
    expect(new Set(keys).size).toBe(keys.length);
  },
);

test("on the surface of words the brackets turn windows, elsewhere layers; n, p and h mean something there alone", () => {
  const idsOf = (surface: Surface): Map<string, string> =>
    new Map(
      commands({ state: busyPage(surface) } as unknown as CommandTarget).flatMap(({ key, id }) =>
        key === null ? [] : [[key, id] as const],
      ),
    );
  const [words, layers] = [idsOf("words"), idsOf("layers")];
  expect(["[", "]", "n", "p", "h", "g w"].map((key) => words.get(key))).toEqual([
    "words.previous-window",
    "words.next-window",
    "words.next-flip",
    "words.previous-flip",
    "words.heal",
    "go.words",
  ]);
  expect(["]", "n", "p", "h", "g w"].map((key) => layers.get(key))).toEqual([
    "look.next",
    undefined,
    undefined,
    undefined,
    "go.words",
  ]);
});

test("the next flip is picked and has the focus", () => {
  const picked: unknown[] = [];
  const target = {
    state: busyPage("words"),
    pickToken: (token: unknown) => picked.push(token),
    focusToken: () => picked.push("focus"),
  } as unknown as CommandTarget;
  commands(target)
    .find(({ id }) => id === "words.next-flip")
    ?.run();
  expect(picked).toEqual([expect.objectContaining({ window: expect.any(Number) }), "focus"]);
});
