import { afterEach, describe, expect, test, vi } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import { sampleCurveOf, sampleSalient, sampleStrengths } from "../../src/engine/sweep-words.cases.ts";
import "../../src/ui/app/tokens.css";
import { LabSweepPanel } from "../../src/ui/panels/sweep-panel.ts";

const FAILURE = new LabError({
  code: "device/lost",
  doing: "sweeping",
  found: "the device went away",
  allowed: "a device that stays",
  advice: "try the CPU",
}).toData();

const ASK = { windows: 4, isFine: false, isWhole: false, share: 0.01 };
const STRENGTHS = { kind: "strengths", scheme: "W8A8", view: { state: "ready", result: sampleStrengths() } } as const;

async function mount(change: Partial<LabSweepPanel>, width = 900): Promise<[ShadowRoot, LabSweepPanel]> {
  const panel = new LabSweepPanel();
  Object.assign(panel, change);
  panel.style.width = `${width}px`;
  document.body.append(panel);
  await vi.waitFor(() => expect(panel.shadowRoot?.children.length).toBeGreaterThan(0));
  return [panel.shadowRoot as ShadowRoot, panel];
}

function wishes<Detail>(name: string): Detail[] {
  const heard: Detail[] = [];
  document.body.addEventListener(name, (event) => heard.push((event as CustomEvent<Detail>).detail));
  return heard;
}

const all = <Kind extends Element = HTMLElement>(root: ShadowRoot | null | undefined, selector: string): Kind[] => [
  ...(root?.querySelectorAll<Kind>(selector) ?? []),
];
const textOf = (node: Element | null | undefined): string => (node?.textContent ?? "").replace(/\s+/g, " ").trim();
const named = (root: ShadowRoot, words: string): HTMLButtonElement | undefined =>
  all<HTMLButtonElement>(root, "button").find((button) => textOf(button) === words);
const chartOf = (root: ShadowRoot, name: string) =>
  all(root, "lab-chart").find((chart) => (chart as unknown as { name: string }).name === name)?.shadowRoot;

afterEach(() => document.body.replaceChildren());

describe("a sweep", () => {
  test("before it is asked: what it takes, its settings, and one button", async () => {
    const [root] = await mount({ kind: "strengths", scheme: "W8A8", ask: ASK });
    const [asked, set] = [wishes("lab-sweep"), wishes("lab-set-sweep")];
    expect(textOf(root.querySelector("h2"))).toMatch(/^SmoothQuant's strength\?? ?how much/);
    expect(textOf(root.querySelector(".actions .small"))).toMatch(/^up to 8 runs/);
    expect(all(root, ".pill[aria-pressed=true]").map(textOf)).toEqual(["steps of 0.2", "4 windows"]);
    named(root, "steps of 0.1")?.click();
    named(root, "16 windows")?.click();
    named(root, "Sweep the strength")?.click();
    expect(set).toEqual([
      { ...ASK, isFine: true },
      { ...ASK, windows: 16 },
    ]);
    expect(asked).toEqual(["strengths"]);
  });

  test("that runs can be stopped; that waits for another job asks for nothing", async () => {
    const [root, panel] = await mount({ kind: "salient", scheme: "W3A16", view: { state: "waiting", soFar: null } });
    const [stopped, asked] = [wishes("lab-cancel"), wishes("lab-sweep")];
    expect(textOf(root.querySelector("[role=status]"))).toContain("the bar below says how far it is");
    named(root, "Stop")?.click();
    expect(stopped).toHaveLength(1);
    Object.assign(panel, { view: { state: "none" }, isBlocked: true });
    await panel.updateComplete;
    named(root, "Keep channels")?.click();
    expect(asked).toEqual([]);
    expect(named(root, "Keep channels")?.getAttribute("aria-disabled")).toBe("true");
  });

  test("that failed says why; one of other settings is old; one that is not possible says why not", async () => {
    const [root, panel] = await mount({ kind: "strengths", scheme: "W8A8", view: { state: "failed", error: FAILURE } });
    expect(textOf(root.querySelector("[role=alert]"))).toContain("the device went away. try the CPU.");
    expect(named(root, "Try again")).toBeDefined();
    Object.assign(panel, STRENGTHS, { isOld: true });
    await panel.updateComplete;
    expect(root.querySelector(".stale lab-chart")).not.toBeNull();
    expect(textOf(root.querySelector(".actions .small"))).toMatch(/^swept with other settings than are chosen now; /);
    Object.assign(panel, { kind: "samples", view: { state: "none" } });
    await panel.updateComplete;
    expect(textOf(root.querySelector("p.small"))).toContain("W8A8: its weights take no samples");
    expect(all(root, ".button, lab-chart")).toEqual([]);
  });
});

describe("what came of strengths", () => {
  test("is the answer above the curves, layers beside them, and recipes to copy", async () => {
    const [root] = await mount(STRENGTHS);
    const chart = () => chartOf(root, "SmoothQuant's strength");
    await vi.waitFor(() => expect(all(chart(), ".mark")).toHaveLength(12));
    expect(textOf(chart()?.querySelector("figcaption"))).toMatch(/^Strength 0\.5 is least: mean KLD 0\.00800/);
    const layers = () => chartOf(root, "Strength by layer");
    await vi.waitFor(() => expect(all(layers(), ".mark")).toHaveLength(2));
    expect(all(root, ".found code").map(textOf)).toEqual(["smoothquant | W8A8", "smoothquant:layers=1/0.75 | W8A8"]);
    const copied = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    all<HTMLButtonElement>(root, ".found button")[1]?.click();
    await vi.waitFor(() => expect(textOf(root.querySelector("[aria-live]"))).toBe("Copied"));
    expect(copied).toHaveBeenCalledWith("smoothquant:layers=1/0.75 | W8A8");
    for (const mark of all(root, ".kind.dot")) {
      expect(mark.getAttribute("aria-label")).toMatch(/^Measured here over 508 positions .*; took 12\.3 s$/);
    }
  });
});

describe("every sweep", () => {
  const views = [
    STRENGTHS,
    { kind: "samples", scheme: "gptq | W4A16", view: { state: "ready", result: sampleCurveOf() } },
    { kind: "salient", scheme: "W3A16", view: { state: "ready", result: sampleSalient() } },
  ] as const;
  const rows = [5, 4, 4];
  const answers = [/^Strength 0\.5 is least/, /^Nothing tells 8 windows from 16 on 4 windows/, /^The loudest 1 %/];

  test.each([0, 1, 2])("%i has an answer, a table and fits a phone", async (at) => {
    const [root] = await mount(views[at] ?? STRENGTHS, 343);
    const chart = () => all(root, "lab-chart")[0]?.shadowRoot;
    await vi.waitFor(() => expect(chart()?.querySelector(".tool")).not.toBeNull());
    expect(textOf(chart()?.querySelector("figcaption"))).toMatch(answers[at] ?? /^$/);
    chart()?.querySelector<HTMLButtonElement>(".tool")?.click();
    await vi.waitFor(() => expect(all(chart(), "tbody tr")).toHaveLength(rows[at] ?? 0));
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(window.innerWidth);
    for (const button of all(root, "button:not(.kind)")) expect(button.clientHeight).toBeGreaterThanOrEqual(24);
  });
});
