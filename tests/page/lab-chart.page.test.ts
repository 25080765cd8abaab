import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Chart, figure, type Mark, type Shape, words } from "../../src/ui/charts/chart.ts";
import { LabChart } from "../../src/ui/charts/lab-chart.ts";
import { setSingleKeys } from "../../src/ui/parts/single-keys.ts";
import "../../src/ui/app/tokens.css";

interface Bar {
  readonly name: string;
  readonly value: number | null;
}

let draws = 0;

/** A new chart: one drawing function and one row. */
const barsChart: Chart<readonly Bar[]> = {
  name: "bars",
  draw(bars, size, theme) {
    draws++;
    const step = size.width / bars.length;
    const box = (index: number) => ({ x: index * step, y: 0, width: step, height: size.height });
    return {
      ...size,
      shapes: bars.map(
        ({ value }, index): Shape => ({ kind: "rect", ...box(index), fill: value === null ? "hatch" : theme.paper }),
      ),
      marks: bars.map(
        ({ name, value }, index): Mark => ({
          key: name,
          ...box(index),
          sentence: `${name}: ${value ?? "waits"}`,
          isPickable: value !== null,
          isSelected: false,
        }),
      ),
    };
  },
  caption: (bars) => ({ strong: `${bars.length} bars.`, plain: "Made for a test." }),
  table: (bars) => ({
    columns: [
      { name: "bar", unit: "" },
      { name: "value", unit: "dB" },
    ],
    rows: bars.map(({ name, value }) => [words(name), figure(value, String)]),
  }),
};

const BARS: readonly Bar[] = [
  { name: "a<b", value: 1.25 },
  { name: "b", value: 2 },
  { name: "c", value: null },
];

async function mount(change: Partial<LabChart> = {}): Promise<LabChart> {
  const chart = new LabChart();
  Object.assign(chart, { chart: barsChart, data: BARS, name: "Bars", subject: "tiny W4A16", height: 100, ...change });
  chart.style.width = "300px";
  document.body.append(chart);
  await vi.waitFor(() => expect(inside(chart, "svg")).not.toBeNull());
  return chart;
}

function inside(chart: LabChart, selector: string): Element | null {
  return chart.shadowRoot?.querySelector(selector) ?? null;
}

function marks(chart: LabChart): SVGElement[] {
  return [...(chart.shadowRoot?.querySelectorAll<SVGElement>(".mark") ?? [])];
}

async function press(chart: LabChart, key: string): Promise<void> {
  const target = chart.shadowRoot?.activeElement ?? chart;
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
  await chart.updateComplete;
  await chart.updateComplete;
}

/** The file that a press of the button hands out. */
async function saved(chart: LabChart, format: string): Promise<{ name: string; blob: Blob }> {
  const files: { name: string; href: string }[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    files.push({ name: this.download, href: this.href });
  });
  await press(chart, "s");
  await chart.updateComplete;
  const buttons = [...(chart.shadowRoot?.querySelectorAll<HTMLButtonElement>(".menu .tool") ?? [])];
  buttons.find((button) => button.textContent?.trim() === format)?.click();
  await vi.waitFor(() => expect(files).toHaveLength(1));
  const [file] = files;
  return { name: file?.name ?? "", blob: await (await fetch(file?.href ?? "")).blob() };
}

beforeEach(() => {
  draws = 0;
  setSingleKeys(true);
});

afterEach(() => {
  vi.restoreAllMocks();
  document.body.replaceChildren();
});

describe("around any chart", () => {
  test("stands its caption, computed from the data", async () => {
    const caption = inside(await mount(), "figcaption");
    expect(caption?.textContent?.trim()).toBe("3 bars. Made for a test.");
  });

  test("every mark is spoken, and shows the same words beside the pointer", async () => {
    const found = marks(await mount());
    const said = ["a<b: 1.25", "b: 2", "c: waits"];
    expect(found.map((mark) => mark.getAttribute("aria-label"))).toEqual(said);
    expect(found.map((mark) => mark.getAttribute("data-tip"))).toEqual(said);
    expect(found.map((mark) => mark.getAttribute("role"))).toEqual(["button", "button", "img"]);
    expect(found.map((mark) => mark.getAttribute("tabindex"))).toEqual(["0", "-1", "-1"]);
  });

  test("arrows walk from mark to mark, Enter picks one that can be", async () => {
    const chart = await mount();
    const picked: string[] = [];
    chart.addEventListener("chart-pick", (event) => picked.push((event as CustomEvent<string>).detail));
    marks(chart)[0]?.focus();
    await press(chart, "ArrowRight");
    await vi.waitFor(() => expect(chart.shadowRoot?.activeElement?.getAttribute("data-key")).toBe("b"));
    await press(chart, "Enter");
    await press(chart, "ArrowRight");
    await vi.waitFor(() => expect(chart.shadowRoot?.activeElement?.getAttribute("data-key")).toBe("c"));
    await press(chart, "Enter");
    expect(picked).toEqual(["b"]);
  });

  test("t turns it into a table and back", async () => {
    const chart = await mount();
    await press(chart, "t");
    const cells = [...(chart.shadowRoot?.querySelectorAll("tbody tr") ?? [])].map((row) =>
      [...row.children].map((cell) => cell.textContent?.trim()),
    );
    expect(cells).toEqual([
      ["a<b", "1.25"],
      ["b", "2"],
      ["c", "–"],
    ]);
    expect(inside(chart, "thead th:last-child")?.textContent).toBe("valuedB");
    await press(chart, "t");
    expect(inside(chart, "table")).toBeNull();
  });

  test("it is saved as numbers", async () => {
    const { name, blob } = await saved(await mount(), "CSV");
    expect(name).toBe("tiny-W4A16-bars.csv");
    expect(await blob.text()).toBe("bar,value (dB)\r\na<b,1.25\r\nb,2\r\nc,\r\n");
  });

  test("it is saved as a drawing that needs no style sheet and says what it is", async () => {
    const { name, blob } = await saved(await mount(), "SVG");
    const text = await blob.text();
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
    expect(name).toBe("tiny-W4A16-bars.svg");
    expect(parsed.querySelector("parsererror")).toBeNull();
    expect(parsed.querySelector("title")?.textContent).toBe("3 bars. Made for a test.");
    expect(parsed.querySelectorAll("g rect")).toHaveLength(3);
    expect(parsed.querySelector("g rect")?.getAttribute("fill")).toMatch(/^#[0-9a-f]{6}$/);
    expect(text).not.toMatch(/var\(|oklch/);
  });

  test("it is saved as an image, twice as dense", async () => {
    const { name, blob } = await saved(await mount(), "PNG");
    const image = await createImageBitmap(blob);
    expect([name, image.width]).toEqual(["tiny-W4A16-bars.png", 2 * (300 + 32)]);
    expect(image.height).toBeGreaterThan(2 * 100);
  });

  test("it is copied as Markdown", async () => {
    const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    await press(await mount(), "c");
    expect(write).toHaveBeenCalledWith(expect.stringContaining("| b | 2 |"));
  });

  test("what is not finished says so in every file", async () => {
    const chart = await mount({ isPartial: true });
    const { name, blob } = await saved(chart, "SVG");
    expect(name).toBe("tiny-W4A16-bars-partial.svg");
    expect(await blob.text()).toContain("Not finished: 3 bars.");
  });

  test("without data an example stands there dimmed, for eyes only, and what will be here in words", async () => {
    const chart = await mount({ data: null, example: BARS, emptyWords: "Bars will stand here." });
    expect(inside(chart, "figcaption")?.textContent?.trim()).toBe("Bars will stand here.");
    expect(inside(chart, ".pan")?.getAttribute("aria-hidden")).toBe("true");
    expect([marks(chart).length, inside(chart, ".tools")]).toEqual([0, null]);
  });

  test("on paper it is drawn in the light theme", async () => {
    document.documentElement.dataset.theme = "dark";
    const chart = await mount();
    const fill = () => inside(chart, "svg g rect")?.getAttribute("fill");
    const dark = fill();
    window.dispatchEvent(new Event("beforeprint"));
    // The page is put on paper before any timer runs.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const printed = fill();
    window.dispatchEvent(new Event("afterprint"));
    await chart.updateComplete;
    delete document.documentElement.dataset.theme;
    expect([dark === printed, printed, fill() === dark]).toEqual([false, "#fbfbf9", true]);
  });

  test("letters do nothing when single keys are switched off", async () => {
    const chart = await mount();
    setSingleKeys(false);
    await press(chart, "t");
    expect(inside(chart, "table")).toBeNull();
  });
});

/** The same chart with its shapes on the canvas. */
const denseChart: Chart<readonly Bar[]> = {
  ...barsChart,
  draw(bars, size, theme) {
    const { shapes, ...drawing } = barsChart.draw(bars, size, theme);
    return { ...drawing, dense: shapes, shapes: [] };
  },
};

test("what is dense is painted, again when it comes back from its table", async () => {
  const chart = await mount({ chart: denseChart as Chart<unknown> });
  const alpha = () => {
    const canvas = inside(chart, "canvas");
    const pen = canvas instanceof HTMLCanvasElement ? canvas.getContext("2d") : null;
    return pen?.getImageData(5, 5, 1, 1).data[3];
  };
  expect(alpha()).toBe(255);
  await press(chart, "t");
  await press(chart, "t");
  await vi.waitFor(() => expect(alpha()).toBe(255));
});

/** Many bars of numbers from 0 on. */
function many(count: number): readonly Bar[] {
  return Array.from({ length: count }, (_, index) => ({ name: String(index), value: index }));
}

test("a few hundred marks stand a turn after their picture", async () => {
  const chart = await mount({ data: many(300) });
  await vi.waitFor(() => expect(marks(chart)).toHaveLength(300));
  expect([marks(chart)[0]?.getAttribute("tabindex"), draws]).toEqual(["0", 1]);
});

test("a long table grows to its end; an unfinished one as far as it is scrolled, until nothing more is to come", async () => {
  const rows = (chart: LabChart) => chart.shadowRoot?.querySelectorAll("tbody tr").length;
  const whole = await mount({ data: many(300) });
  await press(whole, "t");
  await vi.waitFor(() => expect(rows(whole)).toBe(300));

  const growing = await mount({ data: many(300), isPartial: true });
  await press(growing, "t");
  for (let frame = 0; frame < 5; frame++) await new Promise(requestAnimationFrame);
  expect(rows(growing)).toBe(20);
  inside(growing, ".scroll")?.scrollTo(0, 10_000);
  await vi.waitFor(() => expect(rows(growing)).toBeGreaterThan(20));
  expect(rows(growing)).toBeLessThan(300);
  growing.isPartial = false;
  await vi.waitFor(() => expect(rows(growing)).toBe(300));
});

test("keys that come faster than frames lose no step", async () => {
  const chart = await mount();
  marks(chart)[0]?.focus();
  const go = (key: string) =>
    chart.shadowRoot?.activeElement?.dispatchEvent(
      new KeyboardEvent("keydown", { key, bubbles: true, composed: true }),
    );
  go("ArrowRight");
  go("ArrowRight");
  expect(chart.shadowRoot?.activeElement?.getAttribute("data-key")).toBe("c");
});

test("a hundred thousand marks are one element that is walked, and drawn once", async () => {
  let ownDraws = 0;
  const counted: Chart<readonly Bar[]> = {
    ...denseChart,
    draw(...args) {
      ownDraws++;
      return denseChart.draw(...args);
    },
  };
  const chart = await mount({ chart: counted as Chart<unknown>, data: many(100_000) });
  expect(marks(chart)).toHaveLength(1);
  marks(chart)[0]?.focus();
  for (let step = 1; step <= 10; step++) {
    await press(chart, "ArrowRight");
    await vi.waitFor(() => expect(chart.shadowRoot?.activeElement?.getAttribute("data-key")).toBe(String(step)));
  }
  const svg = inside(chart, ".stack svg");
  const { left, top } = svg?.getBoundingClientRect() ?? new DOMRect();
  svg?.dispatchEvent(new PointerEvent("pointermove", { clientX: left + 150, clientY: top + 5, bubbles: true }));
  await vi.waitFor(() => expect(marks(chart)[0]?.getAttribute("aria-label")).toMatch(/^(49|50)\d{3}: /));
  expect(ownDraws).toBe(1);
});
