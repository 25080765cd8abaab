import { afterEach, describe, expect, test, vi } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { flipsOf } from "../../src/engine/word-statistics.ts";
import "../../src/ui/app/tokens.css";
import { LabFlipList } from "../../src/ui/panels/flip-list.ts";
import { LabGeneration } from "../../src/ui/panels/generation.ts";
import { LabHealing } from "../../src/ui/panels/healing.ts";
import type { PanelEvents } from "../../src/ui/panels/panel-events.ts";
import { LabSurvival } from "../../src/ui/panels/survival.ts";
import { LabTasks } from "../../src/ui/panels/tasks.ts";
import { LabTokenFacts } from "../../src/ui/panels/token-facts.ts";
import { LabWordText } from "../../src/ui/panels/word-text.ts";
import type { WordTextData } from "../../src/ui/panels/word-text-model.ts";
import { sampleGeneration, sampleHeal, sampleLook, sampleTasks, sampleWords } from "../support/measured-words.ts";

const { tokens, text, pieces } = sampleWords();
const scores = tokens.rows[1]?.scores;
if (scores === undefined) throw new Error("the sample has three rows");
const flips = flipsOf(tokens, scores, text.windows);
const DATA: WordTextData = { tokens, text, window: 0, scheme: "W4A16", scores, flips };
const ERROR = new LabError({
  code: "device/lost",
  doing: "looking",
  found: "the device was lost",
  allowed: "a device",
  advice: "try again",
}).toData();

async function mount<Panel extends HTMLElement>(
  panel: Panel,
  change: Partial<Panel>,
  width = 800,
): Promise<ShadowRoot> {
  Object.assign(panel, change);
  panel.style.width = `${width}px`;
  document.body.append(panel);
  await vi.waitFor(() => expect(panel.shadowRoot?.children.length).toBeGreaterThan(0));
  return panel.shadowRoot as ShadowRoot;
}

/** What the panel asks for from now on. */
function wishes<Name extends keyof PanelEvents>(name: Name): PanelEvents[Name][] {
  const heard: PanelEvents[Name][] = [];
  document.body.addEventListener(name, (event) => void heard.push((event as CustomEvent<PanelEvents[Name]>).detail));
  return heard;
}

const all = <Kind extends HTMLElement>(root: ShadowRoot | null | undefined, selector: string): Kind[] => [
  ...(root?.querySelectorAll<Kind>(selector) ?? []),
];
const textOf = (node: Element | null | undefined): string => (node?.textContent ?? "").replace(/\s+/g, " ").trim();
const press = (node: Element | null | undefined, key: string): boolean | undefined =>
  node?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
const tokenAt = (root: ShadowRoot, place: number): HTMLElement | null =>
  root.querySelector<HTMLElement>(`[data-place="${place}"]`);

afterEach(() => document.body.replaceChildren());

describe("the text", () => {
  const shown = { data: DATA, pieces, schemes: ["W2A16", "W4A16", "W8A8"] };

  test("reads as the text, its scored half in words with their own label, one of them reached by Tab", async () => {
    const root = await mount(new LabWordText(), shown);
    const words = all(root, ".t");
    expect(words).toHaveLength(64);
    const own = (text.windows[0] ?? []).map((id) => pieces.get(id) ?? "").join("");
    expect(textOf(root.querySelector(".text")).replaceAll("↵", "").replace(/\s+/g, " ")).toBe(
      own.replace(/\s+/g, " ").trim(),
    );
    expect(words.filter((word) => word.tabIndex === 0)).toHaveLength(1);
    expect(tokenAt(root, 3)?.getAttribute("aria-label")).toMatch(/context, not scored$/);
    expect(tokenAt(root, 40)?.getAttribute("aria-label")).toMatch(/^token ".*", predicted by the original/);
    expect(all(root, ".flip:not(.sample)")).toHaveLength(flips.filter(({ window }) => window === 0).length);
  });

  test("walks by token and by line, and opens what is scored", async () => {
    const root = await mount(new LabWordText(), shown, 400);
    const opened = wishes("lab-pick-token");
    tokenAt(root, 40)?.focus();
    press(tokenAt(root, 40), "ArrowRight");
    await vi.waitFor(() => expect(root.activeElement).toBe(tokenAt(root, 41)));
    press(root.activeElement, "ArrowDown");
    await vi.waitFor(() => expect(Number(root.activeElement?.getAttribute("data-place"))).toBeGreaterThan(42));
    const below = root.activeElement?.getBoundingClientRect().top ?? 0;
    expect(below).toBeGreaterThan(tokenAt(root, 41)?.getBoundingClientRect().top ?? 0);
    press(root.activeElement, "ArrowUp");
    await vi.waitFor(() => expect(root.activeElement?.getBoundingClientRect().top).toBeLessThan(below));
    press(tokenAt(root, 45), "Enter");
    tokenAt(root, 50)?.click();
    tokenAt(root, 5)?.click();
    expect(opened).toEqual([
      { window: 0, place: 45 },
      { window: 0, place: 50 },
    ]);
  });

  test("shows of a chosen flip what became of it, inside of its column", async () => {
    const flip = flips.find(({ window }) => window === 0);
    if (flip === undefined) throw new Error("the sample flips");
    const panel = new LabWordText();
    const root = await mount(panel, { ...shown, chosen: flip }, 300);
    const under = root.querySelector(".under");
    expect(textOf(under)).toMatch(/ → /);
    const [room, box] = [root.querySelector(".text")?.getBoundingClientRect(), under?.getBoundingClientRect()];
    expect(box?.left ?? 0).toBeGreaterThanOrEqual((room?.left ?? 0) - 1);
    expect(box?.right ?? 0).toBeLessThanOrEqual((room?.right ?? 0) + 1);
    await panel.focusChosen();
    expect(root.activeElement).toBe(tokenAt(root, flip.place));
  });

  test("turns windows, and stays at the last", async () => {
    const root = await mount(new LabWordText(), { ...shown, data: { ...DATA, window: 2 } });
    const turned = wishes("lab-show-window");
    const [before, next] = all<HTMLButtonElement>(root, ".turn button");
    before?.click();
    next?.click();
    const select = root.querySelector("select");
    expect(select?.selectedIndex).toBe(2);
    if (select) select.selectedIndex = 0;
    select?.dispatchEvent(new Event("change"));
    expect(turned).toEqual([1, 0]);
    expect(next?.getAttribute("aria-disabled")).toBe("true");
  });

  test("of ten thousand tokens makes those near the view, the others are plain text of the same letters", async () => {
    const long = sampleWords({ windows: 1, context: 10_000, done: 1 });
    const row = long.tokens.rows[0]?.scores ?? null;
    const data = { tokens: long.tokens, text: long.text, window: 0, scheme: "W2A16", scores: row, flips: [] };
    const panel = new LabWordText();
    const root = await mount(panel, { data, pieces: long.pieces });
    expect(all(root, ".t").length).toBeLessThan(2500);
    expect(root.querySelector(".text")?.textContent?.length).toBeGreaterThan(30_000);
    panel.chosen = { window: 0, place: 9000 };
    await panel.focusChosen();
    expect(root.activeElement).toBe(tokenAt(root, 9000));
    expect(all(root, ".t").length).toBeLessThan(2500);
  });

  test("empty shows its legend and one button; a scheme without scores and a window that waits say so", async () => {
    const panel = new LabWordText();
    const root = await mount(panel, { canMeasure: true });
    const asked = wishes("lab-measure");
    expect(all(root, "button").map(textOf)).toEqual(["Measure on text"]);
    all(root, "button")[0]?.click();
    expect(asked).toHaveLength(1);
    expect(textOf(root.querySelector(".legend"))).toContain("under 0.010.010.030.10.31 and more");
    Object.assign(panel, { ...shown, data: { ...DATA, scores: null, flips: [] } });
    await panel.updateComplete;
    expect(textOf(root.querySelector(".caption"))).toContain("W4A16 has not run over this text.");
    const growing = sampleWords({ done: 1 });
    const part = growing.tokens.rows[1]?.scores ?? null;
    panel.data = { ...DATA, tokens: growing.tokens, scores: part, window: 2, flips: [] };
    await panel.updateComplete;
    expect(textOf(root.querySelector(".caption"))).toBe("This window waits for its turn. 1 of 3 windows are measured.");
    expect(all(root, ".t.waiting").length).toBe(31);
  });
});

describe("the chosen token", () => {
  const data = { tokens, text, scheme: "W4A16", scores, token: { window: 0, place: 41 } };

  test("has its scores at once, the ten most likely of both when they come", async () => {
    const panel = new LabTokenFacts();
    const root = await mount(panel, { data, pieces });
    expect(textOf(root.querySelector(".numbers"))).toContain("window 1, token 42");
    const looked = wishes("lab-look");
    root.querySelector("button.button")?.dispatchEvent(new MouseEvent("click"));
    expect(looked).toHaveLength(1);
    panel.look = { state: "waiting", soFar: null };
    await panel.updateComplete;
    expect(root.querySelector("[role=status]")).not.toBeNull();
    panel.look = { state: "ready", result: sampleLook() };
    await panel.updateComplete;
    expect(all(root, "ol").map((list) => list.children.length)).toEqual([10, 10]);
    expect(all(root, ".came")).toHaveLength(2);
    const [first] = all(root, "li");
    expect(first?.getAttribute("aria-label")).toMatch(/^".*": 31 % by the original, 22 % by W4A16$/);
    const widths = [...(first?.querySelectorAll("rect") ?? [])].map((bar) => Number(bar.getAttribute("width")));
    expect(widths).toEqual([100, expect.closeTo((100 * 0.22) / 0.31, 6)]);
  });

  test("says what failed, and offers to try again; without one it says what to do", async () => {
    const panel = new LabTokenFacts();
    const root = await mount(panel, { data, pieces, look: { state: "failed", error: ERROR } });
    expect(textOf(root.querySelector("[role=alert]"))).toContain("the device was lost. try again.");
    panel.data = null;
    await panel.updateComplete;
    expect(textOf(root.querySelector(".caption"))).toMatch(/^Choose a word\./);
  });
});

describe("what heals", () => {
  test("waits for a word and for what runs, then asks; its bars have a sentence", async () => {
    const panel = new LabHealing();
    const root = await mount(panel, { hasScores: true });
    const asked = wishes("lab-heal");
    const button = (): HTMLElement | null => root.querySelector(".actions .button");
    button()?.click();
    expect(textOf(root.querySelector(".actions"))).toContain("choose a word first");
    panel.hasToken = true;
    await panel.updateComplete;
    button()?.click();
    expect(asked).toHaveLength(1);
    panel.view = { state: "ready", result: sampleHeal() };
    await panel.updateComplete;
    const chart = root.querySelector("lab-chart");
    await vi.waitFor(() => expect(all(chart?.shadowRoot, ".mark")).toHaveLength(3));
    expect(textOf(chart?.shadowRoot?.querySelector("figcaption"))).toContain("Layer 2 put back removes 71 %");
  });

  test("switches part and scope", async () => {
    const root = await mount(new LabHealing(), { hasScores: true, hasToken: true });
    const set = wishes("lab-set-healing");
    for (const pill of all(root, ".pill")) pill.click();
    expect(set).toEqual([
      { unit: "layer", isWhole: false },
      { unit: "layer", isWhole: true },
      { unit: "layer", isWhole: false },
      { unit: "kind", isWhole: false },
    ]);
  });
});

describe("all positions", () => {
  test("the curve has a line a scheme, and picks one by mark and by legend", async () => {
    const root = await mount(new LabSurvival(), { tokens, recipes: ["W2A16", "W4A16", "W8A8"], selected: "W4A16" });
    const chart = root.querySelector("lab-chart");
    await vi.waitFor(() => expect(all(chart?.shadowRoot, ".mark").length).toBeGreaterThan(3));
    const picked = wishes("lab-pick-scheme");
    chart?.shadowRoot?.querySelector('[data-key^="2 "]')?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    all<HTMLButtonElement>(root, ".key button")[0]?.click();
    expect(picked).toEqual(["W8A8", "W2A16"]);
  });

  test("the list opens a flip, sorts, and shows more at a press", async () => {
    const panel = new LabFlipList();
    const many = flipsOf(tokens, tokens.rows[0]?.scores ?? scores, text.windows);
    const root = await mount(panel, { flips: many, text, pieces, scheme: "W2A16" });
    const opened = wishes("lab-pick-token");
    expect(all(root, "tbody tr")).toHaveLength(10);
    all(root, ".around button")[0]?.click();
    expect(Object.keys(opened[0] ?? {}).sort()).toEqual(["place", "window"]);
    const kldOf = (): number[] => all(root, "tbody tr").map((row) => Number(textOf(row.lastElementChild)));
    expect(kldOf()).toEqual([...kldOf()].sort((a, b) => b - a));
    all(root, ".sort")[0]?.click();
    await panel.updateComplete;
    expect(root.querySelector("[aria-sort]")?.textContent).toContain("Δp");
    root.querySelector<HTMLElement>(".more button")?.click();
    await panel.updateComplete;
    expect(all(root, "tbody tr")).toHaveLength(Math.min(50, many.length));
  });
});

describe("more measures", () => {
  test("generation takes its numbers, refuses others, and shows a strip a scheme", async () => {
    const panel = new LabGeneration();
    const root = await mount(panel, {});
    const [asked, set] = [wishes("lab-generate"), wishes("lab-set-generation")];
    const [prompts] = all<HTMLInputElement>(root, "input");
    const type = async (value: string): Promise<void> => {
      if (prompts) prompts.value = value;
      prompts?.dispatchEvent(new Event("change"));
      await panel.updateComplete;
    };
    await type("none");
    root.querySelector<HTMLElement>("form button")?.click();
    expect([asked.length, textOf(root.querySelector("[role=alert]"))]).toEqual([
      0,
      "Give a whole number from 1 to 1\u2009024.".replace("\u2009", " "),
    ]);
    await type("8");
    root.querySelector<HTMLElement>("form button")?.click();
    expect([asked.length, set]).toEqual([1, [{ prompts: 8, tokens: 64 }]]);
    panel.view = { state: "ready", result: sampleGeneration() };
    panel.isOld = true;
    await panel.updateComplete;
    expect(all(root, "tbody tr")).toHaveLength(3);
    expect(all(root, ".strip").map((strip) => strip.querySelectorAll("circle").length)).toEqual([16, 16, 16]);
    expect(textOf(root.querySelector("figcaption"))).toContain("Asked with other settings");
  });

  test("tasks take a file, and show what was lost and won", async () => {
    const panel = new LabTasks();
    const root = await mount(panel, { file: new File([""], "mine.jsonl") });
    const [asked, file] = [wishes("lab-answer"), wishes("lab-set-task-file")];
    const [, back] = all(root, ".items button");
    expect(textOf(root.querySelector(".items"))).toContain("mine.jsonl");
    back?.click();
    root.querySelector<HTMLElement>("form > button")?.click();
    expect([asked.length, file]).toEqual([1, [null]]);
    panel.view = { state: "ready", result: sampleTasks() };
    await panel.updateComplete;
    const cells = [...(all(root, "tbody tr")[1]?.children ?? [])].map(textOf);
    expect(cells).toEqual(["W4A16", "60.0", "−1.00", "−5.00 … +3.00", "3", "2"]);
    panel.view = { state: "failed", error: ERROR };
    await panel.updateComplete;
    expect(textOf(root.querySelector("[role=alert]"))).toContain("the device was lost");
  });
});
