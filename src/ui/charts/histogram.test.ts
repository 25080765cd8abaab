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
