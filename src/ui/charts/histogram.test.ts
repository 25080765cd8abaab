import { expect, test } from "vitest";
import { drawHistogram } from "./histogram.ts";

const DATA = {
  weights: [0, 1, 4, 10, 4, 1, 0, 0],
  binsPerLevel: 2,
  firstLevel: -2,
  codes: [1, 0, 12, 7],
};

test("a level that is never taken has no tooth", () => {
  expect(drawHistogram(DATA, { width: 400, height: 200 }).comb).toHaveLength(3);
});

test("the level taken most often is named, with a true minus", () => {
  const drawing = drawHistogram({ ...DATA, codes: [9, 0, 2, 7] }, { width: 400, height: 200 });
  expect(drawing.peak?.text).toBe("level −2: 9");
});

test("more counts stand higher, and a single one stands above the floor", () => {
  const [one, twelve, seven] = drawHistogram(DATA, { width: 400, height: 200 }).comb;
  expect(one?.height).toBeGreaterThan(0);
  expect(twelve?.height).toBeGreaterThan(seven?.height ?? 0);
});

test.each([
  [2, -2],
  [3, -4],
  [5, -16],
  [8, -128],
])("int%i: the axis counts whole levels, each at its tooth", (bits, firstLevel) => {
  const codes = Array.from({ length: 2 ** bits }, () => 1);
  const drawing = drawHistogram({ weights: codes, binsPerLevel: 1, firstLevel, codes }, { width: 400, height: 200 });
  expect(drawing.comb).toHaveLength(2 ** bits);
  for (const tick of drawing.xTicks) {
    expect(tick.text).toMatch(/^−?\d+$/);
    const tooth = drawing.comb[Number(tick.text.replace("−", "-")) - firstLevel];
    expect((tooth?.x ?? 0) + (tooth?.width ?? 0) / 2).toBeCloseTo(tick.x, 6);
  }
});

test("all marks stay inside the picture", () => {
  const drawing = drawHistogram({ ...DATA, weights: [...DATA.weights, 3, 3] }, { width: 400, height: 200 });
  for (const tooth of drawing.comb) {
    expect(tooth.x).toBeGreaterThanOrEqual(44);
    expect(tooth.x + tooth.width).toBeLessThanOrEqual(388);
    expect(tooth.y).toBeGreaterThanOrEqual(0);
  }
  const right = [...drawing.outline.matchAll(/H([\d.]+)/g)].map((match) => Number(match[1]));
  expect(Math.max(...right)).toBeLessThanOrEqual(388);
});

test("no weights at all are drawn as an empty picture, not as NaN", () => {
  const drawing = drawHistogram({ ...DATA, weights: [0, 0], codes: [0, 0, 0, 0] }, { width: 400, height: 200 });
  expect(drawing.outline).not.toContain("NaN");
  expect(drawing.peak).toBeNull();
});
