import { expect, test } from "vitest";
import type { Drawing, Shape } from "./chart.ts";
import { drawHistogram, type HistogramData } from "./histogram.ts";
import { MADE_THEME } from "./made-theme.cases.ts";

const DATA: HistogramData = {
  weights: [0, 1, 4, 10, 4, 1, 0, 0],
  binsPerLevel: 2,
  firstLevel: -2,
  codes: [1, 0, 12, 7],
  family: "int4",
  caption: { strong: "", plain: "" },
};

function draw(change: Partial<HistogramData> = {}): Drawing {
  return drawHistogram({ ...DATA, ...change }, { width: 400, height: 200 }, MADE_THEME);
}

function teeth(drawing: Drawing) {
  return drawing.shapes.filter((shape): shape is Extract<Shape, { kind: "rect" }> => shape.kind === "rect");
}

function texts(drawing: Drawing) {
  return drawing.shapes.filter((shape): shape is Extract<Shape, { kind: "text" }> => shape.kind === "text");
}

function outline(drawing: Drawing): string {
  const path = drawing.shapes.find((shape) => shape.kind === "path" && shape.stroke === "ink");
  return path?.kind === "path" ? path.d : "";
}

test("a level that is never taken has no tooth, and says so", () => {
  expect(teeth(draw())).toHaveLength(3);
  expect(draw().marks.map((mark) => mark.sentence)).toEqual([
    "level −2: 1 weight",
    "level −1: no weight",
    "level 0: 12 weights",
    "level 1: 7 weights",
  ]);
});

test("the level taken most often is named, with a true minus", () => {
  expect(texts(draw({ codes: [9, 0, 2, 7] })).find((text) => text.isBold)?.text).toBe("level −2: 9");
});

test("more counts stand higher, and a single one stands above the floor", () => {
  const [one, twelve, seven] = teeth(draw());
  expect(one?.height).toBeGreaterThan(0);
  expect(twelve?.height).toBeGreaterThan(seven?.height ?? 0);
  expect(one?.fill).toBe("int4");
});

test.each([
  [2, -2],
  [3, -4],
  [5, -16],
  [8, -128],
])("int%i: the axis counts whole levels, each at its tooth", (bits, firstLevel) => {
  const codes = Array.from({ length: 2 ** bits }, () => 1);
  const drawing = draw({ weights: codes, binsPerLevel: 1, firstLevel, codes });
  const comb = teeth(drawing);
  expect(comb).toHaveLength(2 ** bits);
  const ticks = texts(drawing).filter((text) => text.y > 180);
  expect(ticks.length).toBeGreaterThan(1);
  for (const tick of ticks) {
    expect(tick.text).toMatch(/^−?\d+$/);
    const tooth = comb[Number(tick.text.replace("−", "-")) - firstLevel];
    expect((tooth?.x ?? 0) + (tooth?.width ?? 0) / 2).toBeCloseTo(tick.x, 6);
  }
});

test("all marks stay inside the picture", () => {
  const drawing = draw({ weights: [...DATA.weights, 3, 3] });
  for (const tooth of teeth(drawing)) {
    expect(tooth.x).toBeGreaterThanOrEqual(44);
    expect(tooth.x + tooth.width).toBeLessThanOrEqual(388);
    expect(tooth.y).toBeGreaterThanOrEqual(0);
  }
  const right = [...outline(drawing).matchAll(/H([\d.]+)/g)].map((match) => Number(match[1]));
  expect(Math.max(...right)).toBeLessThanOrEqual(388);
});

test("no weights at all are drawn as an empty picture, not as NaN", () => {
  const drawing = draw({ weights: [0, 0], codes: [0, 0, 0, 0] });
  expect(JSON.stringify(drawing)).not.toContain("NaN");
  expect(texts(drawing).some((text) => text.isBold)).toBe(false);
});
