import { quote } from "../../base/errors.ts";
import { neighbourFlip, type TokenAt } from "../../engine/word-statistics.ts";
import type { CommandWords } from "../panels/command-palette-model.ts";
import type { FrontierBy, Surface } from "../panels/panel-events.ts";
import { measureVerb } from "../panels/text-picker-model.ts";
import { chosenScheme, exportBlocked, type LabState, measureStep, neighbour, otherScheme } from "./lab-state.ts";
import { healedToken, schemeWords } from "./words-state.ts";

/** Something that a key, the palette or a link does. */
export interface Command extends CommandWords {
  readonly run: () => void;
}

/** What commands act on. */
export interface CommandTarget {
  readonly state: LabState;
  show(surface: Surface): void;
  pickFolder(): void;
  openBundled(name: string): void;
  compare(): void;
  measure(): void;
  pickText(): void;
  showBy(by: FrontierBy): void;
  forget(): void;
  cancel(): void;
  export(): void;
  pickScheme(scheme: string): void;
  swap(): void;
  setSplit(isSplit: boolean): void;
  pickModule(module: string): void;
  pickToken(token: TokenAt): void;
  /** Puts the focus on the chosen token. */
  focusToken(): void;
  showWindow(window: number): void;
  heal(): void;
  generate(): void;
  answer(): void;
  /** A single key of the picture that has focus, or else of the first on the surface. */
  actOnChart(key: string): void;
  actOnErrors(key: string): void;
  toggleTheme(): void;
  showKeys(): void;
  showPalette(): void;
}

/** Every command that the page knows now, in the order of the palette. Their ids are stable. */
export function commands(lab: CommandTarget): readonly Command[] {
  return [
    ...surfaceCommands(lab),
    ...runCommands(lab),
    ...lookCommands(lab),
    ...wordCommands(lab),
    ...pageCommands(lab),
    ...found(lab),
  ];
}

function surfaceCommands(lab: CommandTarget): readonly Command[] {
  const go = (surface: Surface, words: string, key: string): Command => ({
    id: `go.${surface}`,
    group: "Go to",
    words,
    key,
    run: () => lab.show(surface),
  });
  return [
    go("model", "Model: what is in the file", "g m"),
    go("measure", "Measure: which scheme to take", "g e"),
    go("layers", "Layers: where it hurts", "g l"),
    go("words", "Words: what it does to text", "g w"),
  ];
}

function runCommands(lab: CommandTarget): readonly Command[] {
  const { state } = lab;
  const own = { group: "Run", key: null };
  const list: Command[] = [{ ...own, id: "open.folder", words: "Open a folder", run: () => lab.pickFolder() }];
  for (const name of ["quantlab-4m", "quantlab-4m-loud"]) {
    list.push({ ...own, id: `open.${name}`, words: `Open the bundled ${name}`, run: () => lab.openBundled(name) });
  }
  if (state.job !== null) {
    list.push({ ...own, id: "run.cancel", words: "Cancel what runs", key: "Escape", run: () => lab.cancel() });
  } else if (state.choice !== null) {
    list.push({ ...own, id: "run.compare", words: "Compare again", run: () => lab.compare() });
  }
  const step = measureStep(state);
  if (step !== null) {
    const words = `${measureVerb(step)}: run the model over text`;
    list.push({ ...own, id: "run.measure", words, key: "m", run: () => lab.measure() });
    list.push({ ...own, id: "text.pick", words: "Choose a file of text to measure on", run: () => lab.pickText() });
    if ((state.kept?.entries.length ?? 0) > 0) {
      list.push({ ...own, id: "kept.forget", words: "Forget the results kept here", run: () => lab.forget() });
    }
  }
  const chosen = chosenScheme(state);
  if (chosen !== null && exportBlocked(state) === null) {
    const words = `Export the ${quote(chosen.scheme)} checkpoint`;
    list.push({ ...own, id: "run.export", words, run: () => lab.export() });
  }
  return list;
}

function lookCommands(lab: CommandTarget): readonly Command[] {
  const { state } = lab;
  const own = { group: "Look" };
  const list: Command[] = [];
  const chosen = chosenScheme(state);
  const other = otherScheme(state);
  if (chosen !== null && other !== null) {
    const [left, right] = state.isLeft ? [chosen, other] : [other, chosen];
    const alone = (scheme: string): void => {
      lab.setSplit(false);
      if (scheme !== chosen.scheme) lab.swap();
    };
    list.push(
      { ...own, id: "look.swap", words: `Change to ${quote(other.scheme)}`, key: "x", run: () => lab.swap() },
      {
        ...own,
        id: "look.left",
        words: `Only ${quote(left.scheme)}`,
        key: "1",
        run: () => alone(left.scheme),
      },
      { ...own, id: "look.split", words: "Both side by side", key: "2", run: () => lab.setSplit(!state.isSplit) },
      {
        ...own,
        id: "look.right",
        words: `Only ${quote(right.scheme)}`,
        key: "3",
        run: () => alone(right.scheme),
      },
    );
  }
  for (const [step, key, words] of [
    [-1, "[", "The same matrix of the layer before"],
    [1, "]", "The same matrix of the next layer"],
  ] as const) {
    const module = neighbour(state, step);
    // There the same keys turn to another window.
    if (module === null || state.surface === "words") continue;
    const id = step < 0 ? "look.previous" : "look.next";
    list.push({ ...own, id, words, key, run: () => lab.pickModule(module) });
  }
  const chart = (id: string, words: string, key: string): Command => ({
    ...own,
    id: `chart.${id}`,
    words,
    key,
    run: () => lab.actOnChart(key),
  });
  if (state.measured !== null) {
    const by = state.frontierBy === "weights" ? "divergence" : "weights";
    const words = by === "weights" ? "Frontier by the error of the weights" : "Frontier by divergence";
    list.push({ ...own, id: "look.frontier", words, key: "y", run: () => lab.showBy(by) });
  }
  if (state.shown !== null) {
    list.push(
      chart("table", "Picture as a table, and back", "t"),
      chart("save", "Save the picture or its numbers", "s"),
      chart("copy", "Copy the picture's table as Markdown", "c"),
    );
  }
  if (state.surface === "layers") {
    list.push(
      { ...own, id: "errors.actual", words: "Error map at 1:1", key: "0", run: () => lab.actOnErrors("0") },
      { ...own, id: "errors.whole", words: "Error map of the whole matrix", key: "f", run: () => lab.actOnErrors("f") },
      { ...own, id: "errors.nearer", words: "Error map nearer", key: "+", run: () => lab.actOnErrors("+") },
      { ...own, id: "errors.farther", words: "Error map farther", key: "-", run: () => lab.actOnErrors("-") },
    );
  }
  return list;
}

/** What the surface of words does; its keys mean something there alone. */
function wordCommands(lab: CommandTarget): readonly Command[] {
  const { state } = lab;
  const { words, job, choice } = state;
  const own = { group: "Words", key: null };
  const list: Command[] = [];
  if (state.surface === "words" && words.measured !== null) {
    const from = words.token?.window === words.window ? words.token : { window: words.window, place: 0 };
    const flips = schemeWords(words, chosenScheme(state)?.scheme ?? "")?.flips ?? [];
    for (const [step, id, key, name] of [
      [1, "next", "n", "The next flip"],
      [-1, "previous", "p", "The flip before"],
    ] as const) {
      const flip = neighbourFlip(flips, from, step);
      if (flip === null) continue;
      const run = (): void => {
        lab.pickToken(flip);
        lab.focusToken();
      };
      list.push({ ...own, id: `words.${id}-flip`, words: name, key, run });
    }
    const windows = words.measured.text.windows.length;
    for (const [step, id, key, name] of [
      [-1, "previous", "[", "The window before"],
      [1, "next", "]", "The next window"],
    ] as const) {
      const window = words.window + step;
      if (window < 0 || window >= windows) continue;
      list.push({ ...own, id: `words.${id}-window`, words: name, key, run: () => lab.showWindow(window) });
    }
    if (job === null && (words.healing.isWhole || healedToken(words) !== null)) {
      const name = words.healing.isWhole ? "What heals the whole text" : "What heals the chosen token";
      list.push({ ...own, id: "words.heal", words: name, key: "h", run: () => lab.heal() });
    }
  }
  if (job === null && choice !== null) {
    list.push(
      { ...own, id: "words.generate", words: "Generate: how long do they say the same", run: () => lab.generate() },
      { ...own, id: "words.answer", words: "Answer multiple-choice items", run: () => lab.answer() },
    );
  }
  return list;
}

function pageCommands(lab: CommandTarget): readonly Command[] {
  const own = { group: "Page" };
  return [
    {
      ...own,
      id: "page.palette",
      words: "Find a command, scheme or matrix",
      key: "mod+k",
      run: () => lab.showPalette(),
    },
    { ...own, id: "page.keys", words: "List of keys", key: "?", run: () => lab.showKeys() },
    { ...own, id: "page.theme", words: "Light or dark", key: null, run: () => lab.toggleTheme() },
  ];
}

/** Schemes and matrices, to be found by name. */
function found(lab: CommandTarget): readonly Command[] {
  const { state } = lab;
  const schemes = state.shown?.schemes ?? [];
  const modules = chosenScheme(state)?.layers ?? [];
  return [
    ...schemes.map(
      ({ scheme }): Command => ({
        id: `scheme.${scheme}`,
        group: "Schemes",
        words: `Choose ${quote(scheme)}`,
        key: null,
        run: () => lab.pickScheme(scheme),
      }),
    ),
    ...modules.map(
      ({ module }): Command => ({
        id: `matrix.${module}`,
        group: "Matrices",
        words: `Open ${quote(module)}`,
        key: null,
        run: () => {
          lab.pickModule(module);
          lab.show("layers");
        },
      }),
    ),
  ];
}
