import { expect, test } from "vitest";
import { drawFitBar } from "./fit-bar.ts";

test("parts are drawn in proportion to usable memory", () => {
  const drawing = drawFitBar({ weights: 50, cache: 25, usable: 100 }, 200);
  expect(drawing.parts.map((part) => Math.round(part.x + part.width))).toEqual([100, 150]);
  expect(drawing.capacity).toBe(200);
});

test("what does not fit goes beyond the line", () => {
  const drawing = drawFitBar({ weights: 150, cache: 50, usable: 100 }, 200);
  expect(drawing.capacity).toBe(100);
  expect(drawing.parts.at(-1)?.x).toBeGreaterThan(100);
});

test("a small model is still seen", () => {
  const drawing = drawFitBar({ weights: 1, cache: null, usable: 1e9 }, 200);
  expect(drawing.parts).toEqual([{ name: "weights", x: 0, width: 2 }]);
});
