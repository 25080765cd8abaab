import { afterEach, describe, expect, test, vi } from "vitest";
import { LabError } from "../../src/base/errors.ts";
import type { ActivationReport, ActivationStrip, DepthResult } from "../../src/engine/diagnosis-api.ts";
import { sampleMeasurement, windowsAround } from "../../src/engine/measure-result.cases.ts";
import { WHOLE_PRESET } from "../../src/engine/roundings.ts";
import "../../src/ui/app/tokens.css";
import { LabActivationPanel } from "../../src/ui/panels/activation-panel.ts";
import { LabDepthPanel } from "../../src/ui/panels/depth-panel.ts";
import { LabDivergenceTable } from "../../src/ui/panels/divergence-table.ts";
import { LabRoundingSwitches } from "../../src/ui/panels/rounding-switches.ts";
import type { RoundingChoice } from "../../src/ui/panels/rounding-switches-model.ts";

const FAILURE = new LabError({
  code: "device/lost",
  doing: "looking at activations",
  found: "the device went away",
  allowed: "a device that stays",
  advice: "try the CPU",
}).toData();

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

/** Details of an event from now on. */
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

describe("what is rounded", () => {
  const box = (root: ShadowRoot, id: string) => root.querySelector<HTMLInputElement>(`#${id}`);

  test("each switch asks for the whole choice, and changes nothing by itself", async () => {
    const root = await mount(new LabRoundingSwitches(), { roundings: WHOLE_PRESET, served: false });
    const asked = wishes<RoundingChoice>("lab-set-rules");
    box(root, "activations")?.click();
    box(root, "served")?.click();
    const select = root.querySelector("select");
    if (select) select.value = "int8:tensor";
    select?.dispatchEvent(new Event("change"));
    expect(asked).toEqual([
      { roundings: { weights: true, activations: false, kvCache: null }, served: false },
      { roundings: WHOLE_PRESET, served: true },
      { roundings: { ...WHOLE_PRESET, kvCache: "int8:tensor" }, served: false },
    ]);
  });

  test("everything has a label and 24 pixels at least; serving is no question without activations", async () => {
    const panel = new LabRoundingSwitches();
    const root = await mount(panel, { roundings: { weights: false, activations: false, kvCache: null } }, 327);
    expect(box(root, "served")?.disabled).toBe(true);
    expect(textOf(root.querySelector("[role=status]"))).toBe("Nothing is rounded: every scheme is the original.");
    for (const control of all<HTMLInputElement | HTMLSelectElement>(root, "input, select")) {
      expect(control.labels?.length).toBe(1);
      const target = control.closest(".target") ?? control;
      expect(Math.min(target.clientWidth, target.clientHeight)).toBeGreaterThanOrEqual(24);
    }
    expect(root.querySelector("fieldset")?.scrollWidth).toBeLessThanOrEqual(327);
    panel.roundings = { ...WHOLE_PRESET, kvCache: "int8:attn_head:minmax" };
    panel.needsText = true;
    await panel.updateComplete;
    expect(box(root, "served")?.disabled).toBe(false);
    expect(root.querySelector("select")?.value).toBe("int8:attn_head:minmax");
    expect(textOf(root.querySelector("[role=status]"))).toContain("calibration text");
  });
});

describe("the error along depth", () => {
  const error = (relative: number) => ({ relative, signalToNoiseDb: 20 });
  const result = (scheme: string, fresh: readonly number[]): DepthResult => ({
    ...{ kind: "depth", scheme, rounded: ["weights: int8"], windows: 1, tokens: 8, kernels: [] },
    layers: fresh.map((own, layer) => ({ layer, inherited: error(0.02), fresh: error(own) })),
  });
  const depth = new Map(
    [result("W8A8", [0.001, 0.01]), result("W4A16", [0.01, 0.001])].map((own) => [own.scheme, own]),
  );

  test("is a dimmed example with one button before it is asked", async () => {
    const root = await mount(new LabDepthPanel(), { scheme: "W8A8" });
    const asked = wishes("lab-follow-depth");
    await vi.waitFor(() => expect(chartOf(root, "Error along depth")?.querySelector(".example svg")).not.toBeNull());
    expect(all(chartOf(root, "Error along depth"), ".mark")).toEqual([]);
    named(root, "Follow the error")?.click();
    expect(asked).toHaveLength(1);
  });

  test("speaks of the chosen scheme; a mark of another one chooses that", async () => {
    const root = await mount(new LabDepthPanel(), { depth, scheme: "W8A8", state: "ready" });
    const picked = wishes<string>("lab-pick-scheme");
    const chart = () => chartOf(root, "Error along depth");
    await vi.waitFor(() => expect(all(chart(), ".mark")).toHaveLength(8));
    expect(textOf(chart()?.querySelector("figcaption"))).toMatch(/^W8A8: layer 1 adds most: 1\.00 %/);
    for (const key of ["fresh 1 W8A8", "inherited 0 W4A16"]) {
      chart()
        ?.querySelector(`[data-key="${key}"]`)
        ?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    }
    expect(picked).toEqual(["W4A16"]);
    expect(named(root, "Follow the error")).toBeUndefined();
  });

  test("busy, failed, old and another scheme each say what there is and what to do", async () => {
    const panel = new LabDepthPanel();
    const root = await mount(panel, { scheme: "W3A16", state: "busy" });
    expect(textOf(root.querySelector("[role=status]"))).toContain("Following the error of W3A16");
    expect(all(root, "button")).toEqual([]);
    Object.assign(panel, { state: "failed", error: FAILURE });
    await panel.updateComplete;
    expect(textOf(root.querySelector("[role=alert]"))).toContain("the device went away. try the CPU.");
    expect(named(root, "Try again")).toBeDefined();
    Object.assign(panel, { state: "none", depth });
    await panel.updateComplete;
    expect(named(root, "Follow the error of W3A16")).toBeDefined();
    Object.assign(panel, { state: "stale", scheme: "W8A8", isBlocked: true });
    await panel.updateComplete;
    const asked = wishes("lab-follow-depth");
    named(root, "Follow it again")?.click();
    expect(asked).toEqual([]);
    expect(named(root, "Follow it again")?.getAttribute("aria-disabled")).toBe("true");
  });
});

describe("activations", () => {
  const layer = (module: string, kurtosis: number, loud: boolean): ActivationReport["layers"][number] => ({
    ...{ module, channels: 256, absMax: loud ? 64 : 1, min: -1, max: 1, meanAbs: 0.5, meanSquare: 1, kurtosis },
    channelAbsMax: Float64Array.from({ length: 256 }, (_, at) => (loud && (at === 30 || at === 83) ? 64 : 1)),
    outliers: loud ? [30, 83].map((channel) => ({ channel, absMax: 64, ratio: 64 })) : [],
  });
  const report: ActivationReport = {
    ...{ kind: "activations", model: "tiny", modelHash: "", text: "scripture", textHash: "", tokens: 1024 },
    ...{ origin: "measured", kernels: [] },
    layers: [
      layer("model.layers.0.mlp.up_proj", 3, false),
      layer("model.layers.1.self_attn.q_proj", 410, true),
      layer("model.layers.1.self_attn.k_proj", 410, true),
    ],
  };
  const strip: ActivationStrip = {
    ...{ module: "model.layers.1.self_attn.k_proj", window: 0, tokens: 32, channels: 256, channelsPerCell: 1 },
    values: Float32Array.from({ length: 32 * 256 }, (_, at) => ([30, 83].includes(at % 256) ? 64 : 1)),
  };

  test("before they are collected: an example, a button that collects, and one that opens a file", async () => {
    const panel = new LabActivationPanel();
    const root = await mount(panel, {});
    const [asked, opened] = [wishes("lab-collect-activations"), wishes<File>("lab-open-statistics")];
    expect(root.querySelector(".example")?.getAttribute("aria-hidden")).toBe("true");
    named(root, "Collect")?.click();
    const input = root.querySelector<HTMLInputElement>("input[type=file]");
    const files = new DataTransfer();
    files.items.add(new File(["x"], "stats.safetensors"));
    if (input) input.files = files.files;
    input?.dispatchEvent(new Event("change"));
    expect([asked.length, opened[0]?.name]).toEqual([1, "stats.safetensors"]);
    expect(named(root, "Save statistics")).toBeUndefined();
    panel.state = "busy";
    await panel.updateComplete;
    named(root, "Collect")?.click();
    expect(asked).toHaveLength(1);
    expect(textOf(root.querySelector("[role=status]"))).toBe("Collecting");
  });

  test("two planted channels of 256 are named by the table, by the spectrum and by the strip", async () => {
    const root = await mount(new LabActivationPanel(), {
      ...{ report, state: "ready", selected: "model.layers.1.self_attn.k_proj", strip, stripState: "ready" },
    });
    expect(textOf(root.querySelector(".caption"))).toMatch(
      /^Outliers in 1 of 2 inputs; most of all in layers\.1\.self_attn\.q_proj: channels 30 and 83 tower/,
    );
    expect(all(root, "tbody tr").map((row) => textOf(row.querySelector("th")))).toEqual([
      "layers.1.self_attn.q_proj k_proj",
      "layers.0.mlp.up_proj",
    ]);
    expect(textOf(root.querySelector("tbody .picked td:last-child"))).toBe("30 · 64.0 ×");
    const [spectrum, own] = ["Spectrum of activations", "Activations token by token"].map(
      (name) => () => chartOf(root, name),
    );
    await vi.waitFor(() => expect(all(spectrum?.(), ".mark").length).toBe(24));
    await vi.waitFor(() => expect(all(own?.(), ".mark").length).toBeGreaterThan(2));
    expect(textOf(spectrum?.()?.querySelector("figcaption"))).toMatch(/^Channels 30 and 83 set the scale/);
    expect(textOf(own?.()?.querySelector("figcaption"))).toMatch(/^Channels 30 and 83 are loud at every token\./);
    expect(own?.()?.querySelector("canvas")?.width).toBeGreaterThan(0);
  });

  test("a row picks its module, a head sorts, buttons look at the chosen module and save", async () => {
    const panel = new LabActivationPanel();
    const root = await mount(panel, { report, state: "ready", selected: "model.layers.1.self_attn.k_proj" });
    const [picked, looked, saved, savedImatrix] = [
      wishes<string>("lab-pick-module"),
      wishes<string>("lab-show-strip"),
      wishes("lab-save-statistics"),
      wishes("lab-save-importance"),
    ];
    named(root, "layers.0.mlp.up_proj")?.click();
    named(root, "Token by token")?.click();
    named(root, "Save statistics")?.click();
    named(root, "Save imatrix")?.click();
    expect(picked).toEqual(["model.layers.0.mlp.up_proj"]);
    expect(looked).toEqual(["model.layers.1.self_attn.k_proj"]);
    expect([saved.length, savedImatrix.length]).toEqual([1, 1]);
    named(root, "kurtosis")?.click();
    named(root, "kurtosis")?.click();
    await panel.updateComplete;
    await vi.waitFor(() => expect(root.querySelector("[aria-sort=ascending]")?.textContent).toContain("kurtosis"));
    expect(textOf(root.querySelector("tbody th"))).toBe("layers.0.mlp.up_proj");
  });

  test("a strip of another module is not shown; a failed one says why; statistics of a file say so", async () => {
    const change = { report: { ...report, origin: "file" as const }, state: "stale" as const, strip };
    const root = await mount(new LabActivationPanel(), {
      ...{ ...change, selected: "model.layers.0.mlp.up_proj", stripState: "failed" as const, stripError: FAILURE },
    });
    expect(chartOf(root, "Activations token by token")).toBeUndefined();
    expect(textOf(root.querySelector("[role=alert]"))).toContain("the device went away");
    expect(textOf(root.querySelector(".caption"))).toContain("from a file");
    expect(textOf(root.querySelector(".choice"))).toContain("of another text than is chosen now");
  });

  test("nothing is wider than a phone", async () => {
    const panel = new LabActivationPanel();
    const root = await mount(
      panel,
      { ...{ report, state: "ready", selected: "model.layers.1.self_attn.k_proj", strip, stripState: "ready" } },
      351,
    );
    await vi.waitFor(() => expect(all(chartOf(root, "Activations token by token"), ".mark").length).toBeGreaterThan(2));
    // Pictures reach 4 pixels out, so that the ring around a focused mark is not cut.
    expect(panel.scrollWidth).toBeLessThanOrEqual(351 + 4);
  });
});

test("the statistics table has what serving does beneath the mean, and its evidence to be read", async () => {
  const [simulated] = sampleMeasurement([{ scheme: "W8A8", bytes: 1, kld: windowsAround(0.02) }]).rows;
  const served = {
    divergence: simulated?.divergence ?? null,
    difference: { value: 0.001, interval: { low: -0.002, high: 0.004 } },
    evidence: "read, not run",
  };
  const rows = [{ scheme: "W8A8", bytes: 1, kld: windowsAround(0.02), change: { served } }];
  const root = await mount(new LabDivergenceTable(), { result: sampleMeasurement(rows), selected: "W8A8" });
  const labels = all(root, "tbody th[scope=row]");
  const at = labels.findIndex((label) => textOf(label).startsWith("as served (vLLM)"));
  expect(textOf(labels[at - 1])).toBe("Mean KLD nats");
  expect(labels[at]?.querySelector("button")?.getAttribute("aria-label")).toContain("read, not run");
  expect(textOf(labels[at + 1]?.nextElementSibling)).toBe("0.00100−0.0020 … 0.0040");
});
