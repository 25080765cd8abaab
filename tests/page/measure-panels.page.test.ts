import { afterEach, describe, expect, test, vi } from "vitest";
import { sampleMeasurement, windowsAround } from "../../src/engine/measure-result.cases.ts";
import "../../src/ui/app/tokens.css";
import { LabDivergenceTable } from "../../src/ui/panels/divergence-table.ts";
import type { PanelEvents } from "../../src/ui/panels/panel-events.ts";
import { LabSchemeFrontier } from "../../src/ui/panels/scheme-frontier.ts";
import { LabTextPicker } from "../../src/ui/panels/text-picker.ts";
import type { AskedText } from "../../src/ui/parts/asked-text.ts";

const measured = sampleMeasurement();
const TEXT: AskedText = { source: { kind: "bundled", names: ["scripture", "satire"] }, windows: 16, context: null };

async function mount<Panel extends HTMLElement>(
  panel: Panel,
  change: Partial<Panel>,
  width = 900,
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
  const listen = (event: Event): void => void heard.push((event as CustomEvent<PanelEvents[Name]>).detail);
  document.body.addEventListener(name, listen);
  return heard;
}

const all = <Kind extends HTMLElement>(root: ShadowRoot | null | undefined, selector: string): Kind[] => [
  ...(root?.querySelectorAll<Kind>(selector) ?? []),
];
const textOf = (node: Element | undefined): string => (node?.textContent ?? "").replace(/\s+/g, " ").trim();

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("the frontier by divergence", () => {
  test("has the caption, words and table of a measurement, and a switch back", async () => {
    const root = await mount(new LabSchemeFrontier(), { measured, by: "divergence", selected: "W4A16" });
    const chart = root.querySelector("lab-chart");
    await vi.waitFor(() => expect(all(chart?.shadowRoot, ".mark")).toHaveLength(4));
    const said = all(chart?.shadowRoot, ".mark").map((mark) => mark.getAttribute("aria-label"));
    expect(said[0]).toMatch(/^Noise floor: bf16 arithmetic alone/);
    expect(said[2]).toMatch(/^W4A16: .* mean KLD 0\.0330, .* at 95 %/);
    expect(textOf(all(chart?.shadowRoot, "figcaption")[0])).toContain("All 3 are on the line");
    const asked = wishes("lab-show-by");
    const buttons = all<HTMLButtonElement>(root, ".ways button");
    expect(buttons.map((button) => button.getAttribute("aria-pressed"))).toEqual(["false", "true"]);
    buttons[0]?.click();
    expect(asked).toEqual(["weights"]);
  });

  test("a checkpoint that was given is no recipe to pick", async () => {
    const rows = [
      { scheme: "W4A16", bytes: 2.7e6, kld: windowsAround(0.03) },
      { scheme: "elsewhere", bytes: 5e6, kld: windowsAround(0.01), change: { method: "given" as const } },
    ];
    const root = await mount(new LabSchemeFrontier(), { measured: sampleMeasurement(rows), by: "divergence" });
    const chart = root.querySelector("lab-chart");
    await vi.waitFor(() => expect(all(chart?.shadowRoot, ".mark")).toHaveLength(3));
    const picked = wishes("lab-pick-scheme");
    for (const key of ["elsewhere", "W4A16"]) {
      chart?.shadowRoot
        ?.querySelector(`[data-key="${key}"]`)
        ?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    }
    expect(picked).toEqual(["W4A16"]);
  });
});

describe("the statistics table", () => {
  test("is dimmed with one button before anything is measured, hatched while the first window runs", async () => {
    const panel = new LabDivergenceTable();
    const root = await mount(panel, {});
    const asked = wishes("lab-measure");
    expect(root.querySelector(".example")?.getAttribute("aria-hidden")).toBe("true");
    const buttons = all<HTMLButtonElement>(root, "button");
    expect(buttons.map(textOf)).toEqual(["Measure"]);
    buttons[0]?.click();
    expect(asked).toHaveLength(1);
    panel.waiting = ["W4A16", "W2A16"];
    await panel.updateComplete;
    expect(all(root, "td.hatched")).toHaveLength(10);
    expect(all(root, "button")).toEqual([]);
  });

  test("has a column for each model under 900 px, and a card under 600", async () => {
    const wide = await mount(new LabDivergenceTable(), { result: measured, selected: "W4A16" });
    expect(all(wide, "thead th").map(textOf).slice(1)).toEqual(["W3A16", "W4A16", "W8A16", "noise floor, bf16"]);
    expect(all(wide, "tbody tr:not(.group-row)")).toHaveLength(36);
    const narrow = await mount(new LabDivergenceTable(), { result: measured, selected: "W4A16" }, 340);
    await vi.waitFor(() => expect(all(narrow, "details")).toHaveLength(4));
    expect(all<HTMLDetailsElement>(narrow, "details").map(({ open }) => open)).toEqual([false, true, false, false]);
    expect(textOf(all(narrow, "summary")[1])).toBe("W4A16 mean KLD 0.0330000");
    expect(all(narrow, "details")[1]?.querySelectorAll("dt")).toHaveLength(36);
  });

  test("is copied as llama.cpp prints it, and as CSV", async () => {
    const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    const root = await mount(new LabDivergenceTable(), { result: measured });
    const [text, csv] = all<HTMLButtonElement>(root, ".choice button");
    text?.click();
    csv?.click();
    await vi.waitFor(() => expect(write).toHaveBeenCalledTimes(2));
    expect(write.mock.calls[0]?.[0]).toContain("====== KL divergence statistics ======");
    expect(write.mock.calls[1]?.[0]).toMatch(/^statistic,unit,W3A16,/);
  });
});

describe("the text picker", () => {
  const asked = { text: TEXT, schemes: 5, maxPositions: 512, step: "first" as const };

  test("ticks texts, sets windows by slider and field alike, and says what will run", async () => {
    const root = await mount(new LabTextPicker(), asked);
    expect(textOf(root.querySelector(".plan") ?? undefined)).toBe(
      "16 windows × 256 tokens, 2\u2009032 positions; 5 schemes".replace("\u2009", " "),
    );
    const texts = wishes("lab-set-text");
    all<HTMLInputElement>(root, "input[type=checkbox]")[1]?.click();
    const slider = root.querySelector<HTMLInputElement>("input[type=range]");
    const field = root.querySelector<HTMLInputElement>("#windows");
    if (slider) slider.value = "32";
    slider?.dispatchEvent(new Event("input"));
    if (field) field.value = "200";
    field?.dispatchEvent(new Event("change"));
    expect(texts.map(({ windows }) => windows)).toEqual([16, 32, 200]);
    expect(texts[0]?.source).toEqual({ kind: "bundled", names: ["scripture", "jargon", "satire"] });
    if (field) field.value = "none";
    field?.dispatchEvent(new Event("change"));
    await vi.waitFor(() => expect(textOf(root.querySelector("[role=alert]") ?? undefined)).toContain("from 1 to"));
    expect(texts).toHaveLength(3);
  });

  test("measures at a press, and only when nothing runs", async () => {
    const panel = new LabTextPicker();
    const root = await mount(panel, asked);
    const pressed = wishes("lab-measure");
    const button = (): HTMLButtonElement | null => root.querySelector(".start button");
    button()?.click();
    panel.step = null;
    await panel.updateComplete;
    button()?.click();
    expect(pressed).toHaveLength(1);
    expect(button()?.getAttribute("aria-disabled")).toBe("true");
  });

  test("takes a pasted text, a context, a file and a folder from its tray; Escape closes it", async () => {
    const panel = new LabTextPicker();
    const root = await mount(panel, asked);
    const texts = wishes("lab-set-text");
    root.querySelector<HTMLButtonElement>(".opener")?.click();
    await panel.updateComplete;
    const area = root.querySelector<HTMLTextAreaElement>("#paste");
    if (area) area.value = "some words";
    area?.dispatchEvent(new Event("input"));
    await panel.updateComplete;
    root.querySelector<HTMLButtonElement>("form button")?.click();
    const context = root.querySelector<HTMLInputElement>("#window-tokens");
    if (context) context.value = "64";
    context?.dispatchEvent(new Event("change"));
    expect(texts.map(({ source, context: tokens }) => [source.kind, tokens])).toEqual([
      ["pasted", null],
      ["bundled", 64],
    ]);
    const cancelled = wishes("lab-cancel");
    area?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true }));
    await panel.updateComplete;
    expect(root.querySelector("#text-tray")?.hasAttribute("hidden")).toBe(true);
    expect(cancelled).toEqual([]);
  });

  test("says what the doctor found, warnings as warnings", async () => {
    const prepared = {
      source: "scripture: 16 windows",
      tokenizer: "BPE",
      bos: "<s> (1)",
      hash: "0123456789",
      findings: [
        { code: "bos-missing", severity: "warning", count: 1, words: "One does not begin with <s>." },
        { code: "tokens", severity: "note", count: 9, words: "9 tokens." },
      ],
    } as const;
    const root = await mount(new LabTextPicker(), { ...asked, prepared });
    expect(textOf(all(root, ".facts p")[0])).toContain("tokenizer BPE · BOS <s> (1) · 0123456789");
    const found = all(root, ".facts li");
    expect(found.map((item) => item.classList.contains("warning"))).toEqual([true, false]);
    expect(found[0]?.querySelector("[aria-label='Warning:']")).not.toBeNull();
  });
});
