import { afterEach, describe, expect, test, vi } from "vitest";
import {
  SAMPLE_AWQ,
  SAMPLE_GPTQ,
  sampleMatrix,
  sampleMethods,
  sampleReport,
} from "../../src/engine/method-words.cases.ts";
import "../../src/ui/app/tokens.css";
import { LabMethodCards } from "../../src/ui/panels/method-cards.ts";
import { LabMethodSheet } from "../../src/ui/panels/method-sheet.ts";

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

const all = <Kind extends Element = HTMLElement>(root: ShadowRoot | null | undefined, selector: string): Kind[] => [
  ...(root?.querySelectorAll<Kind>(selector) ?? []),
];
const textOf = (node: Element | null | undefined): string => (node?.textContent ?? "").replace(/\s+/g, " ").trim();
const chartOf = (root: ShadowRoot, name: string) =>
  all(root, "lab-chart").find((chart) => (chart as unknown as { name: string }).name === name)?.shadowRoot;
const press = (root: ShadowRoot | null | undefined, key: string) =>
  root?.querySelector(`[data-key="${key}"]`)?.dispatchEvent(new MouseEvent("click", { bubbles: true }));

afterEach(() => document.body.replaceChildren());

describe("what a method did", () => {
  const report = sampleReport([SAMPLE_AWQ, SAMPLE_GPTQ]);

  test("stands stage by stage, with its text, its time and what its Hessians are worth", async () => {
    const root = await mount(new LabMethodSheet(), { report });
    expect(textOf(root.querySelector("h2"))).toContain("made: 4 windows; 1 024 tokens");
    expect(all(root, "section").map((section) => section.getAttribute("aria-label"))).toEqual(["AWQ", "GPTQ"]);
    expect(textOf(all(root, "section")[1])).toContain("1 of 4 Hessians have fewer tokens than channels");
    expect(textOf(all(root, "section")[1])).toContain("Left to plain rounding: lm_head. it is no linear layer");
    expect(textOf(all(root, "section")[0])).toContain("v_proj makes 128 features, o_proj takes 256");
    for (const mark of all(root, ".kind"))
      expect(mark.getAttribute("aria-label")).toMatch(/^(Measured here|Time of|Computed)/);
  });

  test("a matrix of the picture is opened, and the open one is told in figures", async () => {
    const module = "model.layers.0.mlp.down_proj";
    const root = await mount(new LabMethodSheet(), { report, module });
    const heard: string[] = [];
    document.body.addEventListener("lab-pick-module", (event) => heard.push((event as CustomEvent<string>).detail));
    const chart = () => chartOf(root, "Output errors by GPTQ");
    await vi.waitFor(() => expect(all(chart(), ".mark")).toHaveLength(4));
    expect(all(chart(), ".mark[aria-pressed=true]").map((mark) => mark.getAttribute("data-key"))).toEqual([module]);
    press(chart(), "model.layers.1.self_attn.q_proj");
    expect(heard).toEqual(["model.layers.1.self_attn.q_proj"]);
    expect(textOf(root.querySelector("dl"))).toContain("rank deficient");
  });

  test("the search of another place is shown when that is picked", async () => {
    const root = await mount(new LabMethodSheet(), { report });
    const caption = () => textOf(chartOf(root, "Search of AWQ")?.querySelector("figcaption"));
    await vi.waitFor(() => expect(caption()).toMatch(/^Ratio 0\.500 with duo scaling leaves 75\.0 %/));
    await vi.waitFor(() => expect(all(chartOf(root, "Factors of AWQ"), ".mark")).toHaveLength(2));
    press(chartOf(root, "Factors of AWQ"), "model.layers.0.input_layernorm");
    await vi.waitFor(() => expect(caption()).toMatch(/^No factors beat none/));
  });

  test("every picture has its table, with what the picture cannot draw", async () => {
    const root = await mount(new LabMethodSheet(), { report }, 375);
    for (const name of ["Output errors by GPTQ", "Factors of AWQ", "Search of AWQ"]) {
      const chart = () => chartOf(root, name);
      await vi.waitFor(() => expect(chart()?.querySelector(".tool")).not.toBeNull());
      chart()?.querySelector<HTMLButtonElement>(".tool")?.click();
      await vi.waitFor(() => expect(chart()?.querySelector("table")).not.toBeNull());
    }
    expect(textOf(chartOf(root, "Output errors by GPTQ")?.querySelector("tbody"))).toContain("it is no linear layer");
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(window.innerWidth);
  });

  test("nothing stands there without a report, words alone where nothing is estimated", async () => {
    const sheet = new LabMethodSheet();
    document.body.append(sheet);
    await sheet.updateComplete;
    expect(textOf(sheet.shadowRoot?.firstElementChild)).toBe("");
    const matrices = [sampleMatrix("a", null, null, { outputError: null, hessian: null })];
    sheet.report = sampleReport([{ ...SAMPLE_GPTQ, stage: "Wanda", matrices, worse: [], outputRatio: null }]);
    await sheet.updateComplete;
    expect(all(sheet.shadowRoot, "lab-chart")).toEqual([]);
    expect(textOf(sheet.shadowRoot?.querySelector("section"))).toContain("Wanda went over one matrix");
  });
});

describe("the cards of methods", () => {
  const { rows, verdict } = sampleMethods();

  test("are closed, each with its standing beside its name", async () => {
    const root = await mount(new LabMethodCards(), { rows, verdict });
    expect(all<HTMLDetailsElement>(root, "details").map(({ open }) => open)).toEqual(Array(6).fill(false));
    expect(all(root, "summary").map(textOf)).toEqual([
      "Plain rounding W4A16: place ≈ 2 of 3 · W8A8: measured alone",
      "GPTQ W4A16: place 1 of 3",
      "AWQ W4A16: place ≈ 2 of 3",
      "SmoothQuant not measured here",
      "SparseGPT not measured here",
      "Wanda not measured here",
    ]);
  });

  test("say by what they go, and how they stand here", async () => {
    const root = await mount(new LabMethodCards(), { rows, verdict }, 343);
    const card = all<HTMLDetailsElement>(root, "details")[1];
    if (card) card.open = true;
    expect(textOf(card)).toContain("arXiv 2210.17323");
    expect(textOf(card)).toContain("Wins over W4A16 by 0.0100 nats, 95 % 0.00800 … 0.0120");
    expect(textOf(card?.querySelector("tr.own"))).toContain("gptq | W4A16");
    expect(card?.scrollWidth).toBeLessThanOrEqual(343);
    for (const summary of all(root, "summary")) expect(summary.clientHeight).toBeGreaterThanOrEqual(24);
  });

  test("stand there before anything was measured", async () => {
    const root = await mount(new LabMethodCards(), {});
    expect(all(root, "summary").every((summary) => textOf(summary).endsWith("not measured here"))).toBe(true);
    expect(textOf(all(root, "details")[3])).toContain("Not measured here: add it to the schemes and measure.");
  });
});
